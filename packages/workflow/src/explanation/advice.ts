const damaged = "the file is damaged: export, copy or download it again";
const row = "correct this line";
const configuration = "correct the file, or export the model again";

/** What to do about an error of a package, by class and code. */
const advice: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  FormatError: {
    truncated: "the file is cut off: copy or download it again",
    size: damaged,
    protobuf: "give an .onnx file or a Hugging Face directory",
    "not-a-model": "give an .onnx file or a Hugging Face directory",
    magic: damaged,
    compression: damaged,
    header: damaged,
    overlap: damaged,
    gap: damaged,
    shape: damaged,
    encoding: "convert the file to UTF-8",
    "not-found": "check the path",
    unreadable: "check the path and its permissions",
    unwritable: "choose another path",
    limit: "split the input, or keep weights in external data",
    syntax: row,
    "column-count": row,
    "line-length": row,
    "sentence-length": "part sentences by empty lines",
    label: row,
    "invalid-value": row,
    json: configuration,
    schema: configuration,
    missing: configuration,
    "external-data": "keep the data file in the model's folder",
    version: "export with an operator set from 7 to 25",
    unsupported: "export the model without it",
    duplicate: "export the model again",
    "out-of-range": "give the files of one model",
  },
  GraphError: {
    cycle: "export the model again",
    "duplicate-value": "export the model again",
    "missing-input": "export the model again",
    "empty-graph": "give a model with a graph",
  },
  CompressionError: {
    "no-such-layer": "see the names with --dry-run",
    "already-quantized": "give the float32 model that it was made from",
    "nothing-to-quantize": "give a model with float32 matrices",
    "target-missed": "allow a larger --target-size",
    "not-finite": "train or export the model again",
    "missing-range": "measure a table for this model with --save-calibration-table",
  },
  CalibrationError: {
    nan: "the model gives no numbers for this text: train or export it again",
    "infinite-value": "the model overflows on this text: train or export it again",
    "not-a-table": "give a file that --save-calibration-table wrote",
    "unsupported-version": "measure the table again with --save-calibration-table",
  },
  RuntimeError: {
    "not-a-model": "give an .onnx file or a Hugging Face directory",
    "not-found": "check the path",
    "load-failed": "export the model again, or check it with nasty inspect",
    "run-failed": "check that the tokenizer belongs to the model",
    "measurement-failed": "run again with more free memory",
  },
  TaggerError: {
    metadata: "quantize or export the model again",
    labels: "check id2label in config.json",
    tokenizer: "give the tokenizer.json that belongs to the model",
    "tokenizer-mismatch": "give the tokenizer.json that belongs to the model",
    "model-inputs": "give a token classifier",
    "model-outputs": "give a token classifier",
    "word-index": "give the words and ids that the model was trained with",
    output: "the model gives no numbers for this text: train or export it again",
    "unknown-label": "give a file with the model's labels",
    misaligned: "give two files with the same sentences and words",
    empty: "give a file with labelled sentences",
  },
  TfjsError: {
    "invalid-model": "save or convert the model again",
    "invalid-weights": "save or convert the model again",
    "unsupported-layer": "replace the layer, or export the model to ONNX by other means",
    "unsupported-option": "change the layer, or export the model to ONNX by other means",
    "missing-weight": "save or convert the model again",
    "unused-weight": "save or convert the model again",
    "weight-shape": "give model.json and shards of one model",
    "truncated-weights": "the shards are damaged: copy or download them again",
    "not-finite": "train the model again",
    "unsafe-path": "keep the shards in the model's folder",
    "not-found": "check the path",
  },
};

/** What a user can do about an error that a package threw; undefined where nothing general can be said. */
export function adviceFor(error: Error): string | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? advice[error.name]?.[code] : undefined;
}
