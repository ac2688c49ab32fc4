import { resolve } from "node:path";
import { qat } from "@nasty/compression";
import { UsageError } from "../errors.js";
import { parseSource } from "../texts/calibration-sources.js";
import { choiceForText } from "../texts/label-choice.js";
import { type LoadedModel, loadModel } from "../models/load-model.js";
import { checkWritable } from "../files/output-path.js";
import { checkSeparate } from "../files/separate-paths.js";
import type { GateRequest } from "./gate.js";
import { checkModeOptions } from "./mode-options.js";
import { defaultOutput, nameBeside } from "../files/output-name.js";
import { type GivenSettings, modeOf, usesTrainedRanges } from "./settings.js";

/** What is left to know when all options have been checked against each other. */
export interface CheckedOptions {
  readonly model: string;
  readonly output: string;
  readonly gate: GateRequest | undefined;
  /** The model, where it had to be read to judge the options. */
  readonly loaded?: LoadedModel | undefined;
}

/**
 * Checks what the argument parser cannot see, and that everything to be written can be, before any work.
 *
 * @param isPlanned whether what is made was checked before, when it was planned
 * @throws UsageError for options that contradict each other or would do nothing; InputError for unusable paths
 */
export async function checkOptions(
  options: GivenSettings,
  { isPlanned = false }: { readonly isPlanned?: boolean } = {},
): Promise<CheckedOptions> {
  const { model } = options;
  if (options.dryRun === true && options.flips !== undefined) {
    throw new UsageError("quantize: --flips: expected no --dry-run, which tags nothing, got it");
  }
  if (model === undefined) {
    throw new UsageError("quantize: --model: expected a model file or directory, got none");
  }
  if (!isPlanned) checkMode(options);
  const loaded = usesTrainedRanges(options) ? await checkedTraining(model) : undefined;
  checkStandardInput(isPlanned ? { ...options, calibration: [] } : options);
  if (options.dryRun === true && options.saveCalibrationTable !== undefined) {
    throw new UsageError(
      "quantize: --save-calibration-table: expected no --dry-run, which writes nothing, got it",
    );
  }
  const gate = gateOf(options);
  const output = outputOf(model, options);
  if (options.dryRun !== true) await checkOutputs(model, output, options);
  return { model, output, gate, loaded };
}

/**
 * Refuses a model in which no quantization-aware training left ranges; what is wrong with one that cannot be read is
 * not the first thing to say.
 */
async function checkedTraining(path: string): Promise<LoadedModel> {
  const loaded = await loadModel(path).catch(() => undefined);
  if (loaded !== undefined && qat.record(loaded.model)?.activationMode === "static") return loaded;
  const untrained =
    loaded === undefined ? "" : `, and ${path} was not trained with ranges of its own (--qat)`;
  throw new UsageError(
    `quantize: --mode static: expected --calibration FILE (100 to 1000 typical sentences), got none${untrained}`,
  );
}

function checkMode(options: GivenSettings): void {
  const { calibration, calibrationTable, saveCalibrationTable, method, percentile } = options;
  if (calibration.length > 0 && calibrationTable !== undefined) {
    throw new UsageError("quantize: --calibration-table: expected no --calibration beside it, got one");
  }
  const measured = {
    "--method": method,
    "--limit": options.limit,
    "--save-calibration-table": saveCalibrationTable,
  };
  for (const [option, value] of Object.entries(measured)) {
    if (value === undefined || calibration.length > 0) continue;
    throw new UsageError(
      `quantize: ${option} ${value}: expected --calibration FILE to measure ranges on (only static mode has them), got none`,
    );
  }
  if (options.onePerLine === true && calibration.length === 0) {
    throw new UsageError(
      "quantize: --one-per-line: expected --calibration FILE with plain text to read by lines, got none",
    );
  }
  checkUses(options);
  checkModeOptions(options);
  if (percentile !== undefined && method !== "percentile") {
    throw new UsageError(
      `quantize: --percentile ${percentile}: expected --method percentile, got ${method ?? "none"}`,
    );
  }
  if (options.targetSize !== undefined && options.mode !== undefined && options.mode !== "int4") {
    throw new UsageError(
      `quantize: --target-size: expected no --mode beside it (it mixes 4, 8 and 32 bits), got ${options.mode}`,
    );
  }
}

/** Calibration text that nothing uses, and uses without text. */
function checkUses(options: GivenSettings): void {
  const { calibration, rounding, targetSize, migrateOutliers, correctBiases } = options;
  const mode = modeOf(options);
  const uses = {
    "--rounding gptq": rounding === "gptq",
    "--target-size": targetSize !== undefined,
    "--migrate-outliers": migrateOutliers === true,
    "--correct-biases": correctBiases === true,
  };
  for (const [option, isGiven] of Object.entries(uses)) {
    if (!isGiven || calibration.length > 0) continue;
    throw new UsageError(
      `quantize: ${option}: expected --calibration FILE to measure activations on, got none`,
    );
  }
  const isUsed =
    mode === "static" ||
    options.sensitivity === true ||
    (options.maxDrift !== undefined && options.validation === undefined) ||
    Object.values(uses).includes(true) ||
    (["int4", "weight-only"].includes(mode) && (rounding === undefined || rounding === "gptq"));
  if (calibration.length > 0 && !isUsed) {
    throw new UsageError(
      `quantize: --mode ${mode}: expected no --calibration (it would not be used), got one; use --mode static`,
    );
  }
}

/** Standard input can be read once. */
function checkStandardInput({ calibration, validation }: GivenSettings): void {
  const uses = [...calibration.map((source) => parseSource(source).path), validation].filter(
    (path) => path === "-",
  );
  if (uses.length > 1) {
    throw new UsageError(
      `quantize: standard input: expected at most one -, got ${uses.length}; give files for the others`,
    );
  }
}

function gateOf(options: GivenSettings): GateRequest | undefined {
  const { targetAccuracyLoss, maxDrift, validation, flips, sensitivity, timeBudget } = options;
  if (targetAccuracyLoss !== undefined && maxDrift !== undefined) {
    throw new UsageError(
      "quantize: --max-drift: expected no --target-accuracy-loss beside it (labels or the original are judged by), got both",
    );
  }
  const target = targetAccuracyLoss ?? maxDrift;
  const isRanked = sensitivity === true;
  if (target === undefined && timeBudget !== undefined && !isRanked) {
    throw new UsageError(
      "quantize: --time-budget: expected --target-accuracy-loss or --max-drift to search for, or --sensitivity, got none",
    );
  }
  if (target === undefined && options.fallback === false) {
    throw new UsageError(
      "quantize: --no-fallback: expected --target-accuracy-loss or --max-drift to refuse by, got none",
    );
  }
  if (isRanked && validation === undefined && options.calibration.length === 0) {
    throw new UsageError(
      "quantize: --sensitivity: expected --calibration FILE or --validation FILE to measure on, got none",
    );
  }
  if (validation === undefined && maxDrift === undefined) {
    const needed = { "--target-accuracy-loss": targetAccuracyLoss, "--flips": flips };
    const why = { "--target-accuracy-loss": "measure the loss on", "--flips": "compare the labels of" };
    for (const option of ["--target-accuracy-loss", "--flips"] as const) {
      if (needed[option] === undefined) continue;
      throw new UsageError(`quantize: ${option}: expected --validation FILE to ${why[option]}, got none`);
    }
    return undefined;
  }
  if (target === undefined && flips === undefined) {
    if (isRanked) return undefined;
    throw new UsageError(
      "quantize: --validation: expected --target-accuracy-loss or --max-drift to judge by (or --flips, or --sensitivity), got none",
    );
  }
  return {
    target,
    measure: maxDrift === undefined ? "labels" : "agreement",
    threads: options.threads,
    seed: options.seed,
    ...choiceForText(options),
    // Weights in float would break the size that was asked for.
    fallback: target !== undefined && options.fallback !== false && options.targetSize === undefined,
    ...(timeBudget !== undefined && { timeBudget }),
  };
}

/** Largest share of an encoder's nearest neighbours that may change where nothing else is asked for. */
const neighboursLost = 0.02;

/**
 * The gate of an encoder whose ranges or weights have 8 bits and that nobody asked for: a file whose texts have other
 * neighbours is of no use, and no label shows it.
 */
export function ownGate({ text }: LoadedModel, options: GivenSettings): GateRequest | undefined {
  const isJudged = text?.kind === "feature-extraction" && ["dynamic", "static"].includes(modeOf(options));
  if (!isJudged) return undefined;
  return {
    target: neighboursLost,
    measure: "agreement",
    threads: options.threads,
    seed: options.seed,
    fallback: true,
  };
}

const suffixes = { gzip: ".gz", brotli: ".br" } as const;

/** Where the file is to be: the name that was given, or that of the model with its treatment. */
export function outputOf(model: string, options: GivenSettings): string {
  const { compress, method = "minmax" } = options;
  const mode = modeOf(options);
  const named = usesTrainedRanges(options)
    ? nameBeside(model, "qat")
    : defaultOutput(model, { mode, method });
  const output = resolve(options.output ?? named);
  if (compress === undefined || output.endsWith(suffixes[compress])) return output;
  if (/\.(?:gz|br)$/.test(output)) {
    throw new UsageError(
      `quantize: --compress ${compress}: expected an output ending in ${suffixes[compress]}, got ${output}`,
    );
  }
  return `${output}${suffixes[compress]}`;
}

async function checkOutputs(
  model: string,
  output: string,
  { report, flips, saveCalibrationTable, validation, calibration, calibrationTable }: GivenSettings,
): Promise<void> {
  await checkWritable("quantize: --output", output);
  if (report !== undefined) await checkWritable("quantize: --report", report);
  if (flips !== undefined) await checkWritable("quantize: --flips", flips);
  if (saveCalibrationTable !== undefined) {
    await checkWritable("quantize: --save-calibration-table", saveCalibrationTable);
  }
  const outputs = {
    "--output": output,
    "--report": report,
    "--flips": flips,
    "--save-calibration-table": saveCalibrationTable,
  };
  const texts = calibration.map((source) => parseSource(source).path);
  await checkSeparate("quantize", outputs, [model, validation, calibrationTable, ...texts]);
}
