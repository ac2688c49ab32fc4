import type { CalibrationBatch } from "@nasty/calibration";
import { InputError } from "../errors.js";
import { isFeedFile } from "../feeds/read-feeds.js";
import { kindFor } from "../kinds/find-kind.js";
import type { ModelKind, Sample } from "../kinds/kind.js";
import { type LoadedModel, reasonOf } from "../models/load-model.js";
import { parseSource } from "../texts/calibration-sources.js";
import type { ReadCalibration } from "./calibration-text.js";
import type { QuantizeSettings } from "./settings.js";

/** A model, and how it is fed with the data that were given. */
export interface FedModel extends LoadedModel {
  readonly kind: ModelKind;
}

type Data = Pick<QuantizeSettings, "calibration" | "validation">;

/**
 * A loaded model for the data that it is calibrated and judged with.
 *
 * @throws InputError for text that the model cannot read, and for inputs of its graph beside text
 */
export async function fed(loaded: LoadedModel, { calibration, validation }: Data): Promise<FedModel> {
  const texts = calibration.map((source) => parseSource(source).path);
  const kind = await kindFor(loaded, validation === undefined ? texts : [...texts, validation]);
  const text = texts.find((path) => path !== "-" && !isFeedFile(path));
  if (kind.name === "graph" && loaded.text === undefined && text !== undefined) {
    throw new InputError(
      `quantize: ${loaded.path}: tagger: expected labels and a tokenizer in the file or beside it (calibration text must be encoded), got none${reasonOf(loaded)}; give the Hugging Face directory, or inputs of the graph (.jsonl, .npz), or use --mode dynamic`,
    );
  }
  return { ...loaded, kind };
}

/** The inputs of samples, each by itself: of a sentence its token ids, a few kilobytes. */
export async function encodedBatches(
  kind: ModelKind,
  samples: Iterable<Sample>,
): Promise<CalibrationBatch[]> {
  const batches: CalibrationBatch[] = [];
  for await (const batch of kind.feedsOf(samples)) batches.push(batch);
  return batches;
}

/** The calibration text, encoded; undefined if none was given. */
export async function calibrationBatches(
  { kind }: FedModel,
  settings: Pick<QuantizeSettings, "calibration">,
  read: ReadCalibration,
): Promise<CalibrationBatch[] | undefined> {
  return settings.calibration.length === 0 ? undefined : encodedBatches(kind, (await read()).samples);
}
