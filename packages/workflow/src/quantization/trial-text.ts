import type { LabelledSentence } from "@nasty/taggers";
import type { Counted } from "../texts/spread.js";
import { collectAll } from "../texts/collect-all.js";
import { readLabelled } from "../texts/labelled-text.js";
import type { LoadedModel } from "../models/load-model.js";
import type { ReadCalibration } from "./calibration-text.js";
import type { QuantizeSettings } from "./settings.js";

/** Sentences as lists of words. */
export type Words = Counted<readonly string[]>;

/** The labelled text of the gate; undefined without one, or without a tagger to judge. */
export async function validationText(
  { tagger }: LoadedModel,
  { validation }: QuantizeSettings,
): Promise<LabelledSentence[] | undefined> {
  if (validation === undefined || tagger === undefined) return undefined;
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
