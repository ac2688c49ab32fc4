import { readFile } from "node:fs/promises";
import {
  type CalibrationTable,
  collectRanges,
  parseCalibrationTable,
  serializeCalibrationTable,
} from "@nasty/calibration";
import { int8, qat, type StaticOptions, trainedTable } from "@nasty/compression";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import type { Session } from "@nasty/runtime";
import { makeEncoder } from "@nasty/taggers";
import { InputError } from "../errors.js";
import type { LoadedModel } from "../models/load-model.js";
import type { Reporter } from "../reporter.js";
import { encodable } from "./calibration-batches.js";
import type { ReadCalibration } from "./calibration-text.js";
import { type QuantizeSettings, usesTrainedRanges } from "./settings.js";

/** What calibrating takes beside the model. */
interface CalibrationJob {
  readonly settings: QuantizeSettings;
  readonly weights: StaticOptions;
  readonly read: ReadCalibration;
  /** What else to ask the float model while it is open. */
  readonly use?: ((session: Session) => Promise<void>) | undefined;
}

/** Ranges of activations, and what to say about how they came about. */
export interface Calibrated {
  readonly table: CalibrationTable;
  readonly warnings: readonly string[];
}

/**
 * The ranges of static mode: a saved table, those that the model was trained with, or the float model run over the
 * calibration text (and saved, if asked for).
 */
export async function calibrate(
  loaded: LoadedModel,
  job: CalibrationJob,
  reporter: Reporter,
): Promise<Calibrated> {
  const { calibrationTable, saveCalibrationTable } = job.settings;
  if (calibrationTable !== undefined) return { table: await readTable(calibrationTable), warnings: [] };
  if (usesTrainedRanges(job.settings)) return trainedRanges(loaded);
  const calibrated = await measure(loaded, job, reporter);
  if (saveCalibrationTable !== undefined) {
    const text = serializeCalibrationTable(calibrated.table);
    await writeFileAtomic(saveCalibrationTable, [new TextEncoder().encode(text)]);
  }
  return calibrated;
}

/** The ranges that a quantization-aware training left in the model. */
function trainedRanges({ path, model }: LoadedModel): Calibrated {
  const record = qat.record(model);
  if (record === undefined)
    throw new TypeError(`quantize: ${path}: no ranges, though it was seen to have some`);
  const ranges = record.rangeMode === "learned" ? "learned step sizes" : "moving averages";
  return {
    table: trainedTable(model, record),
    warnings: [
      `activations are rounded to the ranges that the model was trained with (${ranges}); nothing was measured`,
    ],
  };
}

async function readTable(path: string): Promise<CalibrationTable> {
  const text = await readFile(path, "utf8");
  try {
    return parseCalibrationTable(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new InputError(
      `--calibration-table ${path}: ${error.message}; give a file that --save-calibration-table wrote`,
      { cause: error },
    );
  }
}

async function measure(
  loaded: LoadedModel,
  { settings, weights, read, use }: CalibrationJob,
  { progress }: Reporter,
): Promise<Calibrated> {
  const model = encodable(loaded, ", or use --mode dynamic");
  const names = int8.activations(loaded.model, weights);
  const { sentences, warnings } = await read();
  const { method = "minmax", percentile, threads } = settings;
  progress.start(`calibrating on ${sentences.length} sentences (${method})`, sentences.length);
  const encoder = makeEncoder(model.model, model.tagger);
  try {
    const table = await collectRanges(loaded.model, names, encoder.feedsOf(sentences, { batchSize: 1 }), {
      method,
      ...(percentile === undefined ? {} : { percentile }),
      scheme: { dtype: "uint8", symmetric: weights.activationSymmetric === true },
      threads,
      onProgress: (samples) => progress.update(samples),
      ...(use !== undefined && { use }),
    });
    return { table, warnings };
  } finally {
    progress.stop();
  }
}
