import type { CalibrationBatch } from "@nasty/calibration";
import { InputError } from "../errors.js";
import { type LoadedModel, reasonOf } from "../models/load-model.js";
import { openModel } from "../models/open-tagger.js";
import type { ReadCalibration } from "./calibration-text.js";
import type { QuantizeSettings } from "./settings.js";

/** Encoded sentences, each by itself: token ids, a few kilobytes. */
export async function encodedBatches(
  loaded: Pick<LoadedModel, "path">,
  sentences: Iterable<readonly string[]>,
  settings: { readonly threads: number },
): Promise<CalibrationBatch[]> {
  const { tagger } = await openModel(loaded.path, { threads: settings.threads });
  try {
    const batches: CalibrationBatch[] = [];
    for await (const batch of tagger.feedsOf(sentences, { batchSize: 1 })) batches.push(batch);
    return batches;
  } finally {
    await tagger.close();
  }
}

/** The calibration text, encoded; undefined if none was given. */
export async function calibrationBatches(
  loaded: LoadedModel,
  settings: QuantizeSettings,
  read: ReadCalibration,
): Promise<CalibrationBatch[] | undefined> {
  if (settings.calibration.length === 0) return undefined;
  if (loaded.tagger === undefined) {
    throw new InputError(
      `quantize: ${loaded.path}: tagger: expected labels and a tokenizer in the file or beside it (calibration text must be encoded), got none${reasonOf(loaded)}; give the Hugging Face directory`,
    );
  }
  return encodedBatches(loaded, (await read()).sentences, settings);
}
