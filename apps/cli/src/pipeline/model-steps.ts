import type { StepOptions } from "@nasty/compression/pipeline";
import { compressOperation, pruneOperation, quantizeOperation } from "@nasty/workflow/operations";
import { commandOf } from "../arguments/command-of.js";
import type { CompressCommandOptions } from "../commands/compress.js";
import type { PruneCommandOptions } from "../commands/prune.js";
import type { QuantizeOptions } from "../commands/quantize.js";
import { checkOptions } from "@nasty/workflow/quantization/checked-options";
import { prunedSuffix, suffixOf } from "@nasty/workflow/files/output-name";
import type { QuantizeMode } from "@nasty/workflow/quantization/settings";
import { commandStep, stemOf, type WiredText } from "./command-step.js";

const loadQuantize = async () => (await import("../commands/quantize.js")).quantize;
const loadPrune = async () => (await import("../commands/prune.js")).prune;
const loadCompress = async () => (await import("../commands/compress.js")).compress;

const gateText: WiredText = {
  option: "validation",
  name: "validation",
  isRequired: true,
  purpose: "target-accuracy-loss is measured on it",
};

/** `quantize`: every option of the command; calibration text where the options use it. */
export const quantizeStep = commandStep<QuantizeOptions>({
  name: "quantize",
  command: () => commandOf(quantizeOperation, loadQuantize),
  load: loadQuantize,
  modelOption: "model",
  // Files beside the model: saved ranges spare a second calibration, which a pipeline that goes on spares anyway.
  provided: ["calibration-table", "save-calibration-table", "flips"],
  texts: (options) => [...calibrationOf(options), ...validationOf(options)],
  outputNameOf(options, input, { has }) {
    const compress = options["compress"];
    const ending = compress === "gzip" ? ".gz" : compress === "brotli" ? ".br" : "";
    const isCalibrated =
      "calibration" in options || (calibrationOf(options).length > 0 && has("calibration"));
    const mode =
      "target-size" in options ? "mixed" : (options["mode"] ?? (isCalibrated ? "static" : "dynamic"));
    const method = String(options["method"] ?? "minmax");
    return `${stemOf(input)}_${suffixOf({ mode: mode as QuantizeMode, method })}.onnx${ending}`;
  },
  // As a dry run: paths do not exist yet, everything else can be judged.
  check: (options) => checkOptions({ ...options, dryRun: true }),
});

function calibrationOf(options: StepOptions): readonly WiredText[] {
  const { mode, rounding, method, sensitivity } = options;
  const given = (name: string): boolean => options[name] !== undefined && options[name] !== false;
  const uses =
    mode === "static" ||
    method !== undefined ||
    rounding === "gptq" ||
    ["target-size", "migrate-outliers", "correct-biases"].some(given);
  const may =
    mode === undefined ||
    ((mode === "int4" || mode === "weight-only") && rounding === undefined) ||
    sensitivity === true;
  if (!uses && !may) return [];
  return [
    {
      option: "calibration",
      name: "calibration",
      isRequired: uses,
      purpose: "100 to 1000 typical sentences that ranges are measured on",
    },
  ];
}

/** The gate cannot do without; sensitivity is also measured on calibration text, but for the loss. */
function validationOf({ "target-accuracy-loss": target, sensitivity }: StepOptions): readonly WiredText[] {
  if (target !== undefined) return [gateText];
  return sensitivity === true ? [{ ...gateText, isRequired: false, purpose: "each weight's loss" }] : [];
}

/** `prune`: single elements, heads and neurons, layers, vocabulary; training text where it is to train on. */
export const pruneStep = commandStep<PruneCommandOptions>({
  name: "prune",
  command: () => commandOf(pruneOperation, loadPrune),
  load: loadPrune,
  modelOption: "model",
  texts: (options) => [
    ...(["epochs", "schedule", "learning-rate", "batch-size"].some((name) => name in options)
      ? [
          {
            option: "train",
            name: "train",
            isRequired: true,
            purpose: "the pruned model trains on it",
          } as const,
        ]
      : []),
    ...(options["target-accuracy-loss"] === undefined ? [] : [gateText]),
  ],
  outputNameOf(options, input) {
    const share = (name: string): number | undefined =>
      options[name] === undefined ? undefined : Number(options[name]);
    const { structured, layers, vocabulary } = options;
    const removed = {
      sparsity: share("sparsity"),
      heads: share("heads"),
      neurons: share("neurons"),
      structured: structured === true,
      layers,
      vocabulary,
    };
    return `${stemOf(input)}_${prunedSuffix(removed)}.onnx`;
  },
});

/** `compress`: gzip or brotli. */
export const compressStep = commandStep<CompressCommandOptions>({
  name: "compress",
  command: () => commandOf(compressOperation, loadCompress),
  load: loadCompress,
  modelOption: "model",
  outputNameOf: (options, input) => `${stemOf(input)}.onnx${options["method"] === "brotli" ? ".br" : ".gz"}`,
});
