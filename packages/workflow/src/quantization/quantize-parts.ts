import { mkdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { CompressionError } from "@nasty/compression";
import { UsageError } from "../errors.js";
import { checkFolder } from "../files/output-path.js";
import { modelParts } from "../files/model-parts.js";
import type { Reporter } from "../reporter.js";
import type { QuantizationResult } from "./quantization-result.js";
import type { QuantizePlan } from "./quantize-plan.js";
import { runPlan, runQuantization } from "./run-quantization.js";
import { type GivenSettings, modeOf } from "./settings.js";

/** A file of a folder that stays as it is, and why. */
export interface UnchangedPart {
  readonly path: string;
  readonly reason: string;
}

/** What was made of each model of a folder. */
export interface PartsResult<One = QuantizationResult> {
  readonly folder: string;
  /** In the order of the files' names. */
  readonly models: readonly One[];
  readonly unchanged: readonly UnchangedPart[];
}

/** Options that speak of one model: its text, its ranges, its labels, its report. */
const ofOneModel = [
  ["calibration", "--calibration"],
  ["calibrationTable", "--calibration-table"],
  ["saveCalibrationTable", "--save-calibration-table"],
  ["validation", "--validation"],
  ["targetAccuracyLoss", "--target-accuracy-loss"],
  ["targetSize", "--target-size"],
  ["sensitivity", "--sensitivity"],
  ["flips", "--flips"],
  ["report", "--report"],
] as const satisfies readonly (readonly [keyof GivenSettings, string])[];

function checkSettings(folder: string, parts: readonly string[], settings: GivenSettings): void {
  const names = parts.map((path) => basename(path)).join(", ");
  const refuse = (option: string): never => {
    throw new UsageError(
      `quantize: ${option}: expected one model, got ${folder} with ${parts.length} (${names}); name one of its files`,
    );
  };
  for (const [name, option] of ofOneModel) {
    const value = settings[name];
    const isGiven = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
    if (isGiven) refuse(option);
  }
  if (modeOf(settings) === "static") refuse("--mode static");
}

/** What is no fault of a file among several: it has nothing to be quantized, or was quantized before. */
const isUnchanged = (error: unknown): error is CompressionError =>
  error instanceof CompressionError &&
  (error.code === "nothing-to-quantize" || error.code === "already-quantized");

async function eachPart<One>(
  folder: string,
  parts: readonly string[],
  work: (path: string) => Promise<One>,
): Promise<PartsResult<One>> {
  const models: One[] = [];
  const unchanged: UnchangedPart[] = [];
  let last: unknown;
  for (const path of parts) {
    try {
      models.push(await work(path));
    } catch (error) {
      if (!isUnchanged(error)) throw error;
      last = error;
      unchanged.push({ path, reason: error.message });
    }
  }
  if (models.length === 0) throw last;
  return { folder, models, unchanged };
}

/** The models of the folder that `--model` names, where it holds several instead of one. */
export async function partsOf({ model }: GivenSettings): Promise<readonly string[]> {
  return model === undefined ? [] : modelParts(model);
}

/**
 * Quantizes each model of a folder in turn, from checked settings: see `quantizeParts`.
 *
 * @param parts of {@link partsOf}
 */
export async function runQuantizationOfParts(
  settings: GivenSettings,
  parts: readonly string[],
  reporter: Reporter,
): Promise<PartsResult> {
  const { model: folder = "", output } = settings;
  checkSettings(folder, parts, settings);
  if (output !== undefined) await checkFolder("--output", resolve(output));
  return eachPart(folder, parts, async (path) => {
    const target = output === undefined ? undefined : join(resolve(output), relative(folder, path));
    if (target !== undefined) await mkdir(dirname(target), { recursive: true });
    const { output: _, ...others } = settings;
    return runQuantization(
      { ...others, model: path, ...(target !== undefined && { output: target }) },
      reporter,
    );
  });
}

/** Plans what {@link runQuantizationOfParts} would make; nothing is written. */
export async function runPlanOfParts(
  settings: GivenSettings,
  parts: readonly string[],
  reporter: Reporter,
): Promise<PartsResult<QuantizePlan>> {
  const { model: folder = "" } = settings;
  checkSettings(folder, parts, settings);
  const { output: _, ...others } = settings;
  return eachPart(folder, parts, (path) => runPlan({ ...others, model: path }, reporter));
}
