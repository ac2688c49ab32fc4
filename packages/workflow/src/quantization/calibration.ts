import { readFile } from "node:fs/promises";
import {
  type CalibrationTable,
  collectRanges,
  type Histogram,
  parseCalibrationTable,
  serializeCalibrationTable,
} from "@nasty/calibration";
import { int8, qat, type StaticOptions, trainedTable } from "@nasty/compression";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import type { Session } from "@nasty/runtime";
import { InputError } from "../errors.js";
import type { LoadedModel } from "../models/load-model.js";
import type { Reporter } from "../reporter.js";
import { type Bins, type MeasuredRanges, shownHistogram } from "./activation-ranges.js";
import type { FedModel } from "./calibration-batches.js";
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
export interface Calibrated extends MeasuredRanges {
  readonly warnings: readonly string[];
}

/**
 * The ranges of static mode: a saved table, those that the model was trained with, or the float model run over the
 * calibration text (and saved, if asked for).
 */
export async function calibrate(
  loaded: FedModel,
  job: CalibrationJob,
  reporter: Reporter,
): Promise<Calibrated> {
  const { calibrationTable, saveCalibrationTable } = job.settings;
  if (calibrationTable !== undefined) {
    return { table: await readTable(calibrationTable), bins: new Map(), warnings: [] };
  }
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
    bins: new Map(),
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
  loaded: FedModel,
  { settings, weights, read, use }: CalibrationJob,
  { progress }: Reporter,
): Promise<Calibrated> {
  const { kind } = loaded;
  const names = int8.activations(loaded.model, weights);
  const { samples, warnings } = await read();
  const { method = "minmax", percentile, threads } = settings;
  progress.start(`calibrating on ${samples.length} ${kind.noun} (${method})`, samples.length);
  const bins = new Map<string, Bins>();
  try {
    const table = await collectRanges(loaded.model, names, kind.feedsOf(samples), {
      method,
      ...(percentile === undefined ? {} : { percentile }),
      scheme: { dtype: "uint8", symmetric: weights.activationSymmetric === true },
      threads,
      onProgress: (done) => progress.update(done),
      ...(use !== undefined && { use }),
      ...(settings.report !== undefined && {
        onHistogram: (tensor: string, histogram: Histogram) => {
          const shown = shownHistogram(histogram);
          if (shown !== undefined) bins.set(tensor, shown);
        },
      }),
    });
    return { table, bins, warnings };
  } finally {
    progress.stop();
  }
}
