import type { CalibrationBatch } from "@nasty/calibration";
import type { ModelProto } from "@nasty/formats/onnx";
import { makeEncoder, type TaggerSettings } from "@nasty/taggers";
import { InputError } from "../errors.js";
import { type LoadedModel, reasonOf } from "../models/load-model.js";
import type { ReadCalibration } from "./calibration-text.js";
import type { QuantizeSettings } from "./settings.js";

/** A model and what its tagger needs, to encode text for it. */
export interface Encodable {
  readonly model: ModelProto;
  readonly tagger: TaggerSettings;
}

/** Encoded sentences, each by itself: token ids, a few kilobytes. */
export async function encodedBatches(
  { model, tagger }: Encodable,
  sentences: Iterable<readonly string[]>,
): Promise<CalibrationBatch[]> {
  const batches: CalibrationBatch[] = [];
  for await (const batch of makeEncoder(model, tagger).feedsOf(sentences, { batchSize: 1 }))
    batches.push(batch);
  return batches;
}

/**
 * A model that text can be encoded for.
 *
 * @param otherwise what else to do about one that has no tagger
 * @throws InputError for a model without a tagger
 */
export function encodable(loaded: LoadedModel, otherwise = ""): LoadedModel & Encodable {
  const { tagger } = loaded;
  if (tagger !== undefined) return { ...loaded, tagger };
  throw new InputError(
    `quantize: ${loaded.path}: tagger: expected labels and a tokenizer in the file or beside it (calibration text must be encoded), got none${reasonOf(loaded)}; give the Hugging Face directory${otherwise}`,
  );
}

/** The calibration text, encoded; undefined if none was given. */
export async function calibrationBatches(
  loaded: LoadedModel,
  settings: Pick<QuantizeSettings, "calibration">,
  read: ReadCalibration,
): Promise<CalibrationBatch[] | undefined> {
  if (settings.calibration.length === 0) return undefined;
  const model = encodable(loaded);
  return encodedBatches(model, (await read()).sentences);
}
