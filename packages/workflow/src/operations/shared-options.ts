import { flag, list, one, switched, texts } from "../schema/option.js";
import {
  anyText,
  choice,
  cosine,
  labelScheme,
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
  seed: one("--seed <n>", wholeNumber, "seed of everything random", { fallback: 1 }),
  threads: one("--threads <n>", positiveInteger, "threads of the runtime", { fallback: 1 }),
};

export const task = choice("pos", "ner");

/** The result as something to look at. */
export const reportPage = one("--report <file.html>", anyText, "write the report as a web page, with plots");

/** What a text is, for every operation that reads text. */
export const inputFormat = list(
  "--input-format <[file=]form>",
  saidForm,
  "what a text is: conllu, columns or plain; for one file or for all (repeatable; default: seen from its content)",
);

/** What labels are, for operations that judge or write them. */
export const labelOptions = {
  task: one("--task <task>", task, "what is labelled", { otherwise: "seen from the labels" }),
  scheme: schemeOf("seen from the labels"),
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

/** How alike the outputs of a written file must be. */
export function minCosineOf(help: string, otherwise: string) {
  return one("--min-cosine <c>", cosine, help, {
    otherwise: `${otherwise}; -1 refuses only what is not finite`,
  });
}

/** How alike the outputs of a trained file must be to the model that training ended with. */
export const trainedCosine = minCosineOf(
  "refuse a file with an output less like the trained model's",
  "0.9999; of --qat 0.9, 0.8 with 4 bits",
);

/** How the operations that tag make up their batches. */
export const exactBatches = flag(
  "--exact-batches",
  "tag one sentence at a time: labels of dynamic int8 files, whose ranges span a run, then depend on nothing but the sentence (slower)",
);

export const trainingEngine = one(
  "--engine <name>",
  choice("onnx", "tensorflow"),
  "what trains; tensorflow needs packages of its own",
  { fallback: "onnx" },
);

/** Layers to leave alone. */
export const skipLayersHelp =
  "layers to leave in float: name, glob or /regex/ (repeatable; no match is an error)";

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
    batchSize: one("--batch-size <n>", positiveInteger, "sentences of a step", {
      otherwise: otherwise.batchSize,
    }),
    learningRate: one("--learning-rate <rate>", positiveNumber, "peak of the learning rate", {
      otherwise: otherwise.learningRate,
    }),
    patience: one("--patience <n>", positiveInteger, "stop after this many epochs without a better one"),
  };
}

/** Quantization-aware training. */
export const qat = switched(
  flag("--qat", "train what the quantized model will compute, and write that model too"),
  {
    bits: one("--bits <n>", numberChoice(8, 4), "with --qat: bits of the weights, 8 or 4", {
      otherwise: "8",
    }),
    blockSize: one(
      "--qat-block-size <n>",
      positiveInteger,
      "with --qat --bits 4: weights that share a scale, 16 to 256",
      { otherwise: "32" },
    ),
    start: one("--qat-start <share>", share, "with --qat: share of the steps before rounding begins", {
      otherwise: "0.1",
    }),
    ranges: one(
      "--qat-ranges <how>",
      choice("moving-average", "learned"),
      "with --qat: how ranges of activations are found",
      { otherwise: "moving-average" },
    ),
    activations: one(
      "--qat-activations <mode>",
      choice("static", "dynamic", "float"),
      "with --qat: how activations are rounded",
      { otherwise: "static, dynamic with LSTMs, float with 4 bits" },
    ),
    pairs: one(
      "--qat-pairs <which>",
      choice("safe", "full"),
      "with --qat: int8 weights whose products are exact on every processor (safe), or with int8 dot products only (full)",
      { otherwise: "safe" },
    ),
  },
);

export const calibrationTexts = texts(
  "--calibration <file[:n]>",
  "text that shows typical inputs; n sentences of it (repeatable; chooses static mode)",
);
