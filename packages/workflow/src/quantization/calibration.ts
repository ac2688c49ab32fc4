import { readFile } from "node:fs/promises";
import {
  type CalibrationTable,
  collectRanges,
  parseCalibrationTable,
  serializeCalibrationTable,
} from "@nasty/calibration";
import { int8, qat, type StaticOptions, trainedTable } from "@nasty/compression";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import { InputError } from "../errors.js";
import { type LoadedModel, reasonOf } from "../models/load-model.js";
import { openModel } from "../models/open-tagger.js";
import type { Reporter } from "../reporter.js";
import type { ReadCalibration } from "./calibration-text.js";
import { type QuantizeSettings, usesTrainedRanges } from "./settings.js";

/** What calibrating takes beside the model. */
interface CalibrationJob {
  readonly settings: QuantizeSettings;
  readonly weights: StaticOptions;
  readonly read: ReadCalibration;
}

/** Ranges of activations, and what to say about how they came about. */
export interface Calibrated {
  readonly table: CalibrationTable;
  readonly warnings: readonly string[];
}

/** The ranges of static mode: a saved table, those that the model was trained with, or the float model run over the calibration text (and saved, if asked for). */
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
  { settings, weights, read }: CalibrationJob,
  { progress }: Reporter,
): Promise<Calibrated> {
  if (loaded.tagger === undefined) {
    throw new InputError(
      `quantize: ${loaded.path}: tagger: expected labels and a tokenizer in the file or beside it (calibration text must be encoded), got none${reasonOf(loaded)}; give the Hugging Face directory, or use --mode dynamic`,
    );
  }
  const names = int8.activations(loaded.model, weights);
  const { sentences, warnings } = await read();
  const { method = "minmax", percentile, threads } = settings;
  progress.start(`calibrating on ${sentences.length} sentences (${method})`, sentences.length);
  const { tagger } = await openModel(loaded.path, { threads: settings.threads });
  try {
    const table = await collectRanges(loaded.model, names, tagger.feedsOf(sentences, { batchSize: 1 }), {
      method,
      ...(percentile === undefined ? {} : { percentile }),
      scheme: { dtype: "uint8", symmetric: weights.activationSymmetric === true },
      threads,
      onProgress: (samples) => progress.update(samples),
    });
    return { table, warnings };
  } finally {
    progress.stop();
    await tagger.close();
  }
}
