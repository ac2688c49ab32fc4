import { convertLabels } from "@nasty/formats/iob";
import { type Evaluation, type Flip, flips, lossInterval } from "@nasty/taggers";

/** What a change of the model did to the same sentences. */
export interface PairedFigures {
  /** `accuracy`, `f1`, `spearman`, or `agreement` with the original. */
  readonly metric: string;
  readonly loss: number;
  /** Paired bootstrap over sentences. */
  readonly lossCi95: readonly [number, number];
  /** Words whose label changed. */
  readonly flips: number;
}

/** Compares two evaluations of one text. */
export function pairedFigures(before: Evaluation, after: Evaluation, seed: number): PairedFigures {
  const { metric, sentenceCounts } = before;
  const { loss, low, high } = lossInterval(metric, sentenceCounts, after.sentenceCounts, { seed });
  return { metric, loss, lossCi95: [low, high], flips: flipsOf(before, after).length };
}

/**
 * Words whose label changed. Two models of different schemes are compared in that of the first: their labels differ
 * anyway.
 */
export function flipsOf(before: Evaluation, after: Evaluation): Flip[] {
  const [from, to] = [after.labelling.form, before.labelling.form];
  const isSame = from === undefined || to === undefined || JSON.stringify(from) === JSON.stringify(to);
  const changed = isSame
    ? after.predictions
    : after.predictions.map((labels) => convertLabels(labels, to, from));
  return flips(before.predictions, changed);
}
