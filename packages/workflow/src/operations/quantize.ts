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
    "activation ranges that were saved earlier, in place of calibration text",
  ),
  saveCalibrationTable: one(
    "--save-calibration-table <file.json>",
    anyText,
    "save the measured activation ranges for another run",
  ),
  mode: one("--mode <mode>", choice("static", "dynamic", "int4", "weight-only"), "how to quantize", {
    otherwise: "static with --calibration, else dynamic",
  }),
  method: one(
    "--method <method>",
    choice("minmax", "percentile", "entropy", "moving-average", "mse"),
    "how static activation ranges are determined",
    { otherwise: "minmax" },
  ),
  percentile: one(
    "--percentile <p>",
    percentage,
    "percentage of the values that a range covers with --method percentile",
    {
      otherwise: "99.99",
    },
  ),
  limit: one("--limit <n>", positiveInteger, "total number of calibration sentences from files without :n", {
    otherwise: "500",
  }),
  activations: one(
    "--activations <form>",
    choice("symmetric", "asymmetric"),
    "form of static activation ranges",
    { otherwise: "asymmetric" },
  ),
};

const weights = {
  perChannel: flag("--per-channel", "one scale for each output channel of a weight", {
    fallback: true,
    negative: ["--no-per-channel", "one scale for each weight"],
  }),
  symmetric: flag("--symmetric", "quantize weights symmetrically around zero (default)", {
    conflicts: ["asymmetric"],
  }),
  asymmetric: flag("--asymmetric", "quantize weights with a zero point"),
  pairs: one(
    "--pairs <which>",
    choice("safe", "full"),
    "int8 weights whose products are exact on every processor (safe), or only on processors with int8 dot products such as VNNI (full: 2.5 dB less noise in the weights)",
    { otherwise: "safe" },
  ),
  reduceRange: flag(
    "--reduce-range",
    "7-bit weights: exact on every processor too, but with 6 dB more noise in the weights",
    {
      conflicts: ["pairs"],
    },
  ),
  opTypes: one(
    "--op-types <list>",
    anyText,
    "operators to quantize, separated by commas: MatMul,Gemm,Gather,LSTM,Conv",
    { otherwise: "MatMul, Gemm, Gather; Conv in static mode, LSTM in dynamic and int4 mode" },
  ),
  skipLayers: list("--skip-layers <pattern>", anyText, skipLayersHelp),
  blockSize: one("--block-size <n>", positiveInteger, "number of weights that share a scale, 16 to 256", {
    otherwise: "64; in int4 mode 32 for models under 50 million weights",
  }),
  rounding: one(
    "--rounding <how>",
    choice("nearest", "mse", "gptq"),
    "rounding of int4 and weight-only: gptq compensates for rounding errors on calibration text (default with it), nearest does not (default without it), mse clips each block",
  ),
  accuracyLevel: one(
    "--accuracy-level <n>",
    numberChoice(0, 1, 2, 3, 4),
    "precision of activations in int4 and weight-only kernels: 4 is int8 (default), 1 is float32",
  ),
  targetSize: one(
    "--target-size <size>",
    fileSize,
    "mix 4, 8 and 32 bits so that the file is no larger than this, such as 4.5MB (needs --calibration)",
  ),
  migrateOutliers: flag(
    "--migrate-outliers",
    "first move outliers of activation channels into the weights (needs --calibration)",
  ),
  correctBiases: flag(
    "--correct-biases",
    "correct biases for the mean error of rounded weights (needs --calibration)",
  ),
};

const gate = group("the accuracy that the written file may lose on labelled text", {
  maxLoss: one(
    "--target-accuracy-loss <loss>",
    share,
    "largest accuracy loss (0.01 = 1 point): sensitive weights stay in float until it is met, or the model is refused",
  ),
  maxDrift: one(
    "--max-drift <drift>",
    share,
    "largest disagreement with the original, which needs no labels: share of labels that change, of nearest neighbours of embeddings that are lost, or 1 - cosine of a graph's outputs",
    { otherwise: "0.02 for sentence encoders in 8 bits" },
  ),
  on: text("--validation <file>", "text to measure the loss on, with labels, or with --max-drift without"),
  flips: one("--flips <file.tsv>", anyText, "write each word of --validation whose label changed"),
  fallback: flag("--fallback", "leave sensitive weights in float if the loss is too large", {
    negative: [
      "--no-fallback",
      "refuse a model that loses too much, without trying to leave sensitive weights in float",
    ],
    onlyNegative: true,
    fallback: true,
  }),
  timeBudget: one(
    "--time-budget <seconds>",
    wholeNumber,
    "start no further attempt or measurement after this time; the best model is kept, and the same command continues the search",
  ),
});

/** A smaller and faster model. */
export const quantizeOperation = operation({
  name: "quantize",
  summary: "write a smaller and faster model",
  plans: "print the plan, without writing a file",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    ...calibration,
    ...weights,
    gate,
    ...labelOptions,
    sensitivity: flag(
      "--sensitivity",
      "measure the effect of quantizing each weight alone, as noise (--calibration) or as loss (--validation)",
    ),
    minCosine: minCosineOf(
      "refuse a written file whose outputs have a lower cosine similarity to the original's, on its text or on generated inputs",
      "0.9; 0.8 with 4 bits",
    ),
    compress: one("--compress <method>", choice("gzip", "brotli"), "also compress the written file"),
    report: reportPage,
    output: one("--output <file>", anyText, "file to write", {
      otherwise: "the model's name with the mode or method added",
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
      "leave weights in float until at most one point is lost, or refuse (exit code 4)",
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
    on: text("--test <file>", testHelp, {
      otherwise: "the sample text, or inputs made for the graph, without labels",
    }),
    maxDrift: one(
      "--max-drift <drift>",
      share,
      "largest disagreement with the original (exit code 4), which needs no labels",
    ),
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
  examples: [["nasty quantize estimate --model models/pos", "how small the model would become"]],
});
