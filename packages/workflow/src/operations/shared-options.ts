import { flag, list, one, switched, texts } from "../schema/option.js";
import {
  anyText,
  choice,
  cosine,
  labelScheme,
  languageTag,
  numberChoice,
  positiveInteger,
  positiveNumber,
  saidForm,
  share,
  wholeNumber,
} from "../schema/values.js";

export const modelHelp = "model file (.onnx, .onnx.gz, .onnx.br) or Hugging Face directory";
export const testHelp = "labelled text: .conllu, .iob2/.conll columns, or - for standard input";

/** What every operation takes. */
export const running = {
  seed: one("--seed <n>", wholeNumber, "seed of all random choices", { fallback: 1 }),
  threads: one("--threads <n>", positiveInteger, "number of threads of the runtime", { fallback: 1 }),
};

export const task = choice("pos", "ner");

/** The result as something to look at. */
export const reportPage = one("--report <file.html>", anyText, "write the report as a web page, with plots");

/** What a text is, for every operation that reads text. */
export const inputFormat = list(
  "--input-format <[file=]form>",
  saidForm,
  "form of the texts: conllu, columns or plain, for one file or for all (repeatable)",
  { otherwise: "recognized from the content" },
);

/** What labels are, for operations that judge or write them. */
export const labelOptions = {
  task: one("--task <task>", task, "kind of labels: parts of speech or named entities", {
    otherwise: "recognized from the labels",
  }),
  scheme: schemeOf("recognized from the labels"),
};

/** How labels mark entities. */
export function schemeOf<const O extends string>(otherwise: O) {
  return one(
    "--scheme <scheme>",
    labelScheme,
    "how labels mark entities: iob1, iob2, bioes, bmes, io, untyped",
    { otherwise },
  );
}

/** What language a model learns. */
export function languageOf<const O extends string>(otherwise: O) {
  return one(
    "--language <tag>",
    languageTag,
    "language of the text, such as da or en-GB: kept in the model, raw text is cut into words by it",
    { otherwise },
  );
}

/** How alike the outputs of a written file must be. */
export function minCosineOf(help: string, otherwise: string) {
  return one("--min-cosine <c>", cosine, help, {
    otherwise: `${otherwise}; -1 refuses only values that are not finite`,
  });
}

/** How alike the outputs of a trained file must be to the model that training ended with. */
export const trainedCosine = minCosineOf(
  "refuse a written file whose outputs have a lower cosine similarity to the trained model's",
  "0.9999; with --qat 0.9, or 0.8 with 4 bits",
);

/** How the operations that tag make up their batches. */
export const exactBatches = flag(
  "--exact-batches",
  "tag one sentence at a time (slower): dynamic int8 ranges span a batch, so that labels can depend on the other sentences in it",
);

export const trainingEngine = one(
  "--engine <name>",
  choice("onnx", "tensorflow"),
  "engine that computes losses and gradients; tensorflow needs extra packages",
  { fallback: "onnx" },
);

/** Layers to leave alone. */
export const skipLayersHelp =
  "layers that stay in float: name, glob or /regex/ (repeatable; a pattern without a match is an error)";

/** How long and how fast a training learns, and what holds where that is not said. */
export function learningOf(otherwise: {
  readonly epochs: string;
  readonly batchSize: string;
  readonly learningRate: string;
}) {
  return {
    epochs: one("--epochs <n>", positiveInteger, "passes over the training text", {
      otherwise: otherwise.epochs,
    }),
    batchSize: one("--batch-size <n>", positiveInteger, "sentences in a training step", {
      otherwise: otherwise.batchSize,
    }),
    learningRate: one("--learning-rate <rate>", positiveNumber, "peak learning rate", {
      otherwise: otherwise.learningRate,
    }),
    patience: one("--patience <n>", positiveInteger, "stop after this many epochs without an improvement"),
  };
}

/** Noise in the training text. */
export const noise = one(
  "--noise <share>",
  share,
  "share of the sentences that a bilstm or cnn sees disturbed: in other case, mistyped, without punctuation",
  { otherwise: "0" },
);

/** Word vectors that a network reads. */
export const vectors = {
  vectors: one(
    "--vectors <file>",
    anyText,
    "word vectors in the text format of GloVe or word2vec, which a bilstm or cnn reads in a few bytes a word",
  ),
  vectorWords: one(
    "--vector-words <n>",
    positiveInteger,
    "with --vectors: how many of the words, from the first one",
    { otherwise: "40000" },
  ),
};

/** Quantization-aware training. */
export const qat = switched(
  flag(
    "--qat",
    "quantization-aware training: simulate the quantized model while training, and write that model too",
  ),
  {
    bits: one("--bits <n>", numberChoice(8, 4), "with --qat: bits of the weights, 8 or 4", {
      otherwise: "8",
    }),
    blockSize: one(
      "--qat-block-size <n>",
      positiveInteger,
      "with --qat --bits 4: number of weights that share a scale, 16 to 256",
      { otherwise: "32" },
    ),
    start: one(
      "--qat-start <share>",
      share,
      "with --qat: share of the training steps before quantization is simulated",
      {
        otherwise: "0.1",
      },
    ),
    ranges: one(
      "--qat-ranges <how>",
      choice("moving-average", "learned"),
      "with --qat: how activation ranges are determined",
      { otherwise: "moving-average" },
    ),
    activations: one(
      "--qat-activations <mode>",
      choice("static", "dynamic", "float"),
      "with --qat: how activations are quantized",
      { otherwise: "static, dynamic with LSTMs, float with 4 bits" },
    ),
    pairs: one(
      "--qat-pairs <which>",
      choice("safe", "full"),
      "with --qat: int8 weights whose products are exact on every processor (safe), or only on processors with int8 dot products (full)",
      { otherwise: "safe" },
    ),
  },
);

export const calibrationTexts = texts(
  "--calibration <file[:n]>",
  "typical text to measure activation ranges on; :n takes n sentences of it (repeatable; selects static mode)",
);
