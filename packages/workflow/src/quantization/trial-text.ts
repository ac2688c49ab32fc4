import type { LabelledSentence } from "@nasty/taggers";
import type { Counted } from "../texts/spread.js";
import { collectAll } from "../texts/collect-all.js";
import { readLabelled } from "../texts/labelled-text.js";
import type { LoadedModel } from "../models/load-model.js";
import type { ReadCalibration } from "./calibration-text.js";
import type { QuantizePaths } from "./checked-options.js";
import type { QuantizeSettings } from "./settings.js";

/** Sentences as lists of words. */
export type Words = Counted<readonly string[]>;

/** The labelled text of `--validation`; undefined where nothing will be judged by it. */
export async function validationText(
  { tagger }: LoadedModel,
  { validation, dryRun, sensitivity }: QuantizePaths & QuantizeSettings,
): Promise<LabelledSentence[] | undefined> {
  const isUsed = dryRun !== true || sensitivity === true;
  if (validation === undefined || tagger === undefined || !isUsed) return undefined;
  return collectAll(readLabelled(validation, tagger.task));
}

/** Unlabelled text to try models on: what calibration used, else the words of the labelled text. */
export async function trialText(
  { calibration }: QuantizeSettings,
  read: ReadCalibration,
  labelled: readonly LabelledSentence[] | undefined,
): Promise<Words> {
  return calibration.length > 0 ? (await read()).sentences : (labelled ?? []).map(({ words }) => words);
}
