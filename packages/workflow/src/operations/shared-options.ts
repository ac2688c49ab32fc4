import { flag, one, texts } from "../schema/option.js";
import {
  choice,
  positiveInteger,
  positiveNumber,
  share,
  numberChoice,
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

/** How long and how fast a training learns. */
export const learning = {
  epochs: one("--epochs <n>", positiveInteger, "passes over the training text"),
  batchSize: one("--batch-size <n>", positiveInteger, "sentences of a step"),
  learningRate: one("--learning-rate <rate>", positiveNumber, "peak of the learning rate"),
  patience: one("--patience <n>", positiveInteger, "stop after this many epochs without a better one"),
};

/** Quantization-aware training. */
export const qat = {
  qat: flag("--qat", "train what the quantized model will compute, and write that model too"),
  bits: one("--bits <n>", numberChoice(8, 4), "with --qat: bits of the weights, 8 or 4", { otherwise: "8" }),
  qatBlockSize: one(
    "--qat-block-size <n>",
    positiveInteger,
    "with --qat --bits 4: weights that share a scale, 16 to 256",
    { otherwise: "32" },
  ),
  qatStart: one("--qat-start <share>", share, "with --qat: share of the steps before rounding begins", {
    otherwise: "0.1",
  }),
  qatRanges: one(
    "--qat-ranges <how>",
    choice("moving-average", "learned"),
    "with --qat: how ranges of activations are found",
    { otherwise: "moving-average" },
  ),
  qatActivations: one(
    "--qat-activations <mode>",
    choice("static", "dynamic", "float"),
    "with --qat: how activations are rounded",
    { otherwise: "static, dynamic with LSTMs, float with 4 bits" },
  ),
  qatPairs: one(
    "--qat-pairs <which>",
    choice("safe", "full"),
    "with --qat: int8 weights whose products are exact on every processor (safe), or with int8 dot products only (full)",
    { otherwise: "safe" },
  ),
};

export const calibrationTexts = texts(
  "--calibration <file[:n]>",
  "text that shows typical inputs; n sentences of it (repeatable; chooses static mode)",
);
