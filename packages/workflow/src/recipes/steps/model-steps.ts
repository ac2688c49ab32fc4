import type { DataName, StepOptions } from "@nasty/compression/pipeline";
import { GateError } from "../../errors.js";
import { prunedSuffix, suffixOf } from "../../files/output-name.js";
import { compressOperation, pruneOperation, quantizeOperation } from "../../operations/index.js";
import { pruningRefusal } from "../../pruning/quality.js";
import { refusal } from "../../quantization/gate.js";
import { checkOptions } from "../../quantization/checked-options.js";
import type { QuantizeMode } from "../../quantization/settings.js";
import { resultDocument } from "../../report/result-document.js";
import { operationStep, stemOf, type WiredText } from "./operation-step.js";

const gateText: WiredText = {
  option: "validation",
  name: "validation",
  isRequired: true,
  purpose: "target-accuracy-loss is measured on it",
};

/** `quantize`: every option of the command; calibration text where the options use it. */
export const quantizeStep = operationStep({
  name: "quantize",
  operation: quantizeOperation,
  run: async (settings, reporter) => {
    const { runQuantization } = await import("../../quantization/run-quantization.js");
    return runQuantization(settings, reporter);
  },
  judge({ output, gate }, { model }) {
    if (output === null && gate !== null) throw new GateError(refusal(model, gate));
  },
  document: (result) => result,
  modelOf: ({ output }) => output?.path,
  modelOption: "model",
  // Files beside the model: saved ranges spare a second calibration, which a pipeline that goes on spares anyway.
  provided: ["calibration-table", "save-calibration-table", "flips"],
  texts: (options) => [...calibrationOf(options), ...validationOf(options)],
  outputNameOf(options, input, { has }) {
    const compress = options["compress"];
    const ending = compress === "gzip" ? ".gz" : compress === "brotli" ? ".br" : "";
    const method = String(options["method"] ?? "minmax");
    return `${stemOf(input)}_${suffixOf({ mode: modeOfStep(options, has), method })}.onnx${ending}`;
  },
  // As a dry run: paths do not exist yet, everything else can be judged.
  check: (options) => checkOptions({ ...options, dryRun: true }),
});

/** The mode that a step's options mean, with the texts that its recipe has. */
export function modeOfStep(options: StepOptions, has: (name: DataName) => boolean): QuantizeMode {
  if ("target-size" in options) return "mixed";
  const isCalibrated = "calibration" in options || (calibrationOf(options).length > 0 && has("calibration"));
  return (options["mode"] as QuantizeMode | undefined) ?? (isCalibrated ? "static" : "dynamic");
}

function calibrationOf(options: StepOptions): readonly WiredText[] {
  // Ranges that were measured before.
  if ("calibration-table" in options) return [];
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
export const pruneStep = operationStep({
  name: "prune",
  operation: pruneOperation,
  run: async (settings, reporter) => {
    const { runPruning } = await import("../../pruning/prune.js");
    return runPruning(settings, reporter);
  },
  judge(result, { model }) {
    if (!result.passed) throw new GateError(pruningRefusal(model, result.gate));
  },
  document: resultDocument,
  modelOf: ({ path }) => path,
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
export const compressStep = operationStep({
  name: "compress",
  operation: compressOperation,
  run: async (settings, reporter) => {
    const { runCompression } = await import("../../compressing/compress.js");
    return runCompression(settings, reporter);
  },
  document: ({ modelPath: _, ...result }) => resultDocument(result),
  modelOf: ({ path }) => path,
  modelOption: "model",
  outputNameOf: (options, input) => `${stemOf(input)}.onnx${options["method"] === "brotli" ? ".br" : ".gz"}`,
});
