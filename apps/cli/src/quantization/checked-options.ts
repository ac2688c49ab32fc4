import { resolve } from "node:path";
import { UsageError } from "../exit-codes.js";
import { parseSource } from "../inputs/calibration-sources.js";
import { checkWritable, isSameFile } from "../inputs/output-path.js";
import type { GateRequest } from "./gate.js";
import { defaultOutput } from "./output-name.js";
import { modeOf, type QuantizeSettings } from "./settings.js";

/** The options of `nasty quantize` that say where things come from and go to. */
export interface QuantizePaths {
  readonly model?: string;
  readonly targetAccuracyLoss?: number;
  readonly validation?: string;
  readonly compress?: "gzip" | "brotli";
  readonly report?: string;
  readonly dryRun?: boolean;
  readonly output?: string;
  readonly seed: number;
}

/** What is left to know when all options have been checked against each other. */
export interface CheckedOptions {
  readonly model: string;
  readonly output: string;
  readonly gate: GateRequest | undefined;
}

/**
 * Checks what the argument parser cannot see, and that everything to be written can be, before any work.
 *
 * @throws UsageError for options that contradict each other or would do nothing; InputError for unusable paths
 */
export async function checkOptions(options: QuantizePaths & QuantizeSettings): Promise<CheckedOptions> {
  const { model } = options;
  if (model === undefined) {
    throw new UsageError("quantize: --model: expected a model file or directory, got none");
  }
  checkMode(options);
  checkStandardInput(options);
  if (options.dryRun === true && options.saveCalibrationTable !== undefined) {
    throw new UsageError(
      "quantize: --save-calibration-table: expected no --dry-run, which writes nothing, got it",
    );
  }
  const gate = gateOf(options);
  const output = outputOf(model, options);
  if (options.dryRun !== true) await checkOutputs(model, output, options);
  return { model, output, gate };
}

function checkMode(options: QuantizeSettings): void {
  const { calibration, calibrationTable, saveCalibrationTable, method, percentile, blockSize } = options;
  const mode = modeOf(options);
  if (mode === "static" && calibration.length === 0 && calibrationTable === undefined) {
    throw new UsageError(
      "quantize: --mode static: expected --calibration FILE (100 to 1000 typical sentences), got none",
    );
  }
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
  if (mode !== "static" && calibration.length > 0) {
    throw new UsageError(
      `quantize: --mode ${mode}: expected no --calibration (it would not be used), got one; use --mode static`,
    );
  }
  if (mode !== "static" && options.activations !== undefined) {
    throw new UsageError(
      `quantize: --activations ${options.activations}: expected static mode (other modes have no fixed ranges), got ${mode}`,
    );
  }
  if (percentile !== undefined && method !== "percentile") {
    throw new UsageError(
      `quantize: --percentile ${percentile}: expected --method percentile, got ${method ?? "none"}`,
    );
  }
  if (blockSize !== undefined && mode !== "int4") {
    throw new UsageError(`quantize: --block-size ${blockSize}: expected --mode int4, got ${mode}`);
  }
}

/** Standard input can be read once. */
function checkStandardInput({ calibration, validation }: QuantizeSettings & QuantizePaths): void {
  const uses = [...calibration.map((source) => parseSource(source).path), validation].filter(
    (path) => path === "-",
  );
  if (uses.length > 1) {
    throw new UsageError(
      `quantize: standard input: expected at most one -, got ${uses.length}; give files for the others`,
    );
  }
}

function gateOf({
  targetAccuracyLoss,
  validation,
  threads,
}: QuantizePaths & QuantizeSettings): GateRequest | undefined {
  if (targetAccuracyLoss === undefined && validation === undefined) return undefined;
  if (validation === undefined) {
    throw new UsageError(
      "quantize: --target-accuracy-loss: expected --validation FILE to measure the loss on, got none",
    );
  }
  if (targetAccuracyLoss === undefined) {
    throw new UsageError("quantize: --validation: expected --target-accuracy-loss to judge by, got none");
  }
  return { target: targetAccuracyLoss, validation, threads };
}

const suffixes = { gzip: ".gz", brotli: ".br" } as const;

function outputOf(model: string, options: QuantizePaths & QuantizeSettings): string {
  const { compress, method = "minmax" } = options;
  const output = resolve(options.output ?? defaultOutput(model, { mode: modeOf(options), method }));
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
  { report, saveCalibrationTable, validation, calibration }: QuantizePaths & QuantizeSettings,
): Promise<void> {
  await checkWritable("quantize: --output", output);
  if (report !== undefined) await checkWritable("quantize: --report", report);
  if (saveCalibrationTable !== undefined) {
    await checkWritable("quantize: --save-calibration-table", saveCalibrationTable);
  }
  const inputs = [model, validation, ...calibration.map((source) => parseSource(source).path)];
  for (const input of inputs) {
    if (input === undefined || !(await isSameFile(output, input))) continue;
    throw new UsageError(`quantize: --output ${output}: expected another file than an input, got ${input}`);
  }
}
