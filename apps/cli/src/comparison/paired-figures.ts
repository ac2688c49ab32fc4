import { type Evaluation, flips, lossInterval, type Metric } from "@nasty/taggers";

/** What a change of the model did to the same sentences. */
export interface PairedFigures {
  readonly metric: Metric;
  readonly loss: number;
  /** Paired bootstrap over sentences. */
  readonly lossCi95: readonly [number, number];
  /** Words whose label changed. */
  readonly flips: number;
}

/** Compares two evaluations of one text. */
export function pairedFigures(before: Evaluation, after: Evaluation, seed: number): PairedFigures {
  const { metric, sentenceCounts, predictions } = before;
  const { loss, low, high } = lossInterval(metric, sentenceCounts, after.sentenceCounts, { seed });
  return { metric, loss, lossCi95: [low, high], flips: flips(predictions, after.predictions).length };
}
