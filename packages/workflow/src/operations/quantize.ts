import { flag, group, list, model, one, text } from "../schema/option.js";
import { operation } from "../schema/operation.js";
import {
  anyText,
  choice,
  fileSize,
  numberChoice,
  percentage,
  positiveInteger,
  share,
  wholeNumber,
} from "../schema/values.js";
import {
  calibrationTexts,
  inputFormat,
  labelOptions,
  minCosineOf,
  modelHelp,
  reportPage,
  running,
  skipLayersHelp,
  testHelp,
} from "./shared-options.js";

const calibration = {
  calibration: calibrationTexts,
  onePerLine: flag("--one-per-line", "each line of plain calibration text is one sentence"),
  calibrationTable: one(
    "--calibration-table <file.json>",
    anyText,
    "ranges saved earlier, instead of calibration text",
  ),
  saveCalibrationTable: one(
    "--save-calibration-table <file.json>",
    anyText,
    "keep the measured ranges for another run",
  ),
  mode: one("--mode <mode>", choice("static", "dynamic", "int4", "weight-only"), "what to make", {
    otherwise: "static with calibration, else dynamic",
  }),
  method: one(
    "--method <method>",
    choice("minmax", "percentile", "entropy", "moving-average", "mse"),
    "how static ranges are found",
    { otherwise: "minmax" },
  ),
  percentile: one("--percentile <p>", percentage, "percentage of values kept by --method percentile", {
    otherwise: "99.99",
  }),
  limit: one("--limit <n>", positiveInteger, "calibration sentences in all, from files without :n", {
    otherwise: "500",
  }),
  activations: one(
    "--activations <form>",
    choice("symmetric", "asymmetric"),
    "ranges of static activations",
    { otherwise: "asymmetric" },
  ),
};

const weights = {
  perChannel: flag("--per-channel", "one scale for each output channel of a weight", {
    fallback: true,
    negative: ["--no-per-channel", "one scale for each weight"],
  }),
  symmetric: flag("--symmetric", "weights symmetric around zero (default)", { conflicts: ["asymmetric"] }),
  asymmetric: flag("--asymmetric", "weights with a zero point"),
  pairs: one(
    "--pairs <which>",
    choice("safe", "full"),
    "int8 weights whose products are exact on every processor (safe), or on those with int8 dot products such as VNNI only (full: 2.5 dB less noise in the weights)",
    { otherwise: "safe" },
  ),
  reduceRange: flag(
    "--reduce-range",
    "7-bit weights: exact everywhere too, but 6 dB more noise in the weights",
    {
      conflicts: ["pairs"],
    },
  ),
  opTypes: one(
    "--op-types <list>",
    anyText,
    "operators to quantize, separated by commas: MatMul,Gemm,Gather,LSTM,Conv",
    { otherwise: "all but Conv" },
  ),
  skipLayers: list("--skip-layers <pattern>", anyText, skipLayersHelp),
  blockSize: one("--block-size <n>", positiveInteger, "weights that share a scale, 16 to 256", {
    otherwise: "64; in int4 mode 32 for models under 50 million weights",
  }),
  rounding: one(
    "--rounding <how>",
    choice("nearest", "mse", "gptq"),
    "how int4 and weight-only round: gptq makes up for errors by calibration text (default with it), nearest (default without), mse clips blocks",
  ),
  accuracyLevel: one(
    "--accuracy-level <n>",
    numberChoice(0, 1, 2, 3, 4),
    "what int4 and weight-only kernels round activations to: 4 int8 (default), 1 float32",
  ),
  targetSize: one(
    "--target-size <size>",
    fileSize,
    "mix 4, 8 and 32 bits so that the file stays under it (needs --calibration), e.g. 4.5MB",
  ),
  migrateOutliers: flag(
    "--migrate-outliers",
    "move outlier channels of activations into weights first (needs --calibration)",
  ),
  correctBiases: flag(
    "--correct-biases",
    "make up for the mean error of rounded weights (needs --calibration)",
  ),
};

const gate = group("what the written file may lose on labelled text", {
  maxLoss: one(
    "--target-accuracy-loss <loss>",
    share,
    "leave sensitive weights in float until no more is lost, or refuse (0.01 = 1 point)",
  ),
  on: text("--validation <file>", "labelled text on which that loss is measured"),
  flips: one("--flips <file.tsv>", anyText, "write each word of --validation whose label changed"),
  fallback: flag("--fallback", "leave sensitive weights in float where the loss is too large", {
    negative: ["--no-fallback", "refuse at once, without trying to leave sensitive weights in float"],
    onlyNegative: true,
    fallback: true,
  }),
  timeBudget: one(
    "--time-budget <seconds>",
    wholeNumber,
    "begin no further attempt or measurement after that; the best model is kept, the same command goes on",
  ),
});

/** A smaller and faster model. */
export const quantizeOperation = operation({
  name: "quantize",
  summary: "write a smaller and faster model",
  plans: "print the plan, write nothing",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    ...calibration,
    ...weights,
    gate,
    ...labelOptions,
    sensitivity: flag(
      "--sensitivity",
      "measure what each weight costs by itself, with --calibration (noise) or --validation (loss)",
    ),
    minCosine: minCosineOf(
      "refuse a file with an output less like the original's, on its text or on made inputs",
      "0.9; 0.8 with 4 bits",
    ),
    compress: one("--compress <method>", choice("gzip", "brotli"), "also compress the file"),
    report: reportPage,
    output: one("--output <file>", anyText, "where to write", {
      otherwise: "the model's name with its treatment",
    }),
    inputFormat,
    ...running,
  },
  examples: [
    ["nasty quantize --model models/pos", "dynamic INT8: no calibration text needed"],
    [
      "nasty quantize --model models/pos --calibration dev.conllu:200 --method percentile",
      "static INT8, ranges measured on 200 sentences",
    ],
    [
      "nasty quantize --model pos.onnx --target-accuracy-loss 0.01 --validation dev.conllu",
      "leave weights in float until it loses at most one point, or refuse (exit code 4)",
    ],
    [
      "nasty quantize --model pos.onnx --skip-layers '/classifier/**' --dry-run",
      "the plan with a layer left in float, nothing written",
    ],
  ],
});

/** A model and its quantized form side by side. */
export const compareOperation = operation({
  name: "quantize eval",
  summary: "compare a model and its quantized form on labelled text",
  options: {
    original: model("--original <path>", modelHelp, { required: true }),
    quantized: model("--quantized <path>", modelHelp, { required: true }),
    on: text("--test <file>", testHelp, { required: true }),
    ...labelOptions,
    flips: one("--flips <file.tsv>", anyText, "write each word whose label changed"),
    report: reportPage,
    inputFormat,
    ...running,
  },
  examples: [
    [
      "nasty quantize eval --original models/pos --quantized pos_int8.onnx --test test.conllu",
      "size, speed, memory and accuracy side by side",
    ],
  ],
});

/** Sizes from the graph alone. */
export const estimateOperation = operation({
  name: "quantize estimate",
  summary: "sizes that quantization would give, from the graph alone",
  options: { model: model("--model <path>", modelHelp, { required: true }), ...running },
  examples: [["nasty quantize estimate --model models/pos", "how small would it become?"]],
});
