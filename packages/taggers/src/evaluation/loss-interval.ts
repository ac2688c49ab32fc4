import { uniformNumbers } from "@nasty/core";
import { TaggerError } from "../tagger-error.js";
import { type Counts, type Metric, valueOf } from "./counts.js";

export interface LossIntervalOptions {
  /** How many times the sentences are drawn anew; 2,000 by default. */
  readonly resamples?: number;
  /** The same seed gives the same interval; 1 by default. */
  readonly seed?: number;
  /** Share of the resamples inside the interval; 0.95 by default. */
  readonly confidence?: number;
}

/** Loss of a model against another, original − changed, in units of the metric (0.01 = 1 point). */
export interface LossInterval {
  readonly loss: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The loss between two outputs of the same sentences with a confidence interval by the paired bootstrap.
 *
 * Sentences are drawn with replacement, the same for both outputs; the interval is between the (1 − c)/2 and (1 + c)/2
 * quantiles of loss* = value(original*) − value(changed*). Source: Efron & Tibshirani 1993, ch. 13 (percentile method);
 * paired over sentences as in Koehn 2004, §4.
 *
 * @param original counts of each sentence under the first model, as {@link evaluate} returns them.
 * @param changed counts under the second, one for each of the same sentences.
 * @throws TaggerError `misaligned` if the lengths differ, `empty` for no sentences.
 *
 * @example
 * ```ts
 * lossInterval("accuracy", before.sentenceCounts, after.sentenceCounts, { seed: 7 }); // { loss: 0.0004, low: -0.0002, high: 0.001 }
 * ```
 */
export function lossInterval(
  metric: Metric,
  original: readonly Counts[],
  changed: readonly Counts[],
  options: LossIntervalOptions = {},
): LossInterval {
  const { resamples = 2000, seed = 1, confidence = 0.95 } = options;
  const n = original.length;
  if (n !== changed.length) {
    throw new TaggerError(
      "misaligned",
      `lossInterval: sentences: expected ${n} in both outputs, got ${changed.length}`,
    );
  }
  if (n === 0) throw new TaggerError("empty", "lossInterval: sentences: expected at least 1, got 0");
  const before = flatten(original);
  const after = flatten(changed);
  const random = uniformNumbers(seed);
  const losses = new Float64Array(resamples);
  const a = { gold: 0, predicted: 0, correct: 0 };
  const b = { gold: 0, predicted: 0, correct: 0 };
  for (let r = 0; r < resamples; r++) {
    a.gold = a.predicted = a.correct = b.gold = b.predicted = b.correct = 0;
    for (let i = 0; i < n; i++) {
      const at = 3 * Math.floor(random() * n);
      a.gold += before[at] as number;
      a.predicted += before[at + 1] as number;
      a.correct += before[at + 2] as number;
      b.gold += after[at] as number;
      b.predicted += after[at + 1] as number;
      b.correct += after[at + 2] as number;
    }
    losses[r] = valueOf(metric, a) - valueOf(metric, b);
  }
  losses.sort();
  const tail = (1 - confidence) / 2;
  return {
    loss: valueOf(metric, sum(original)) - valueOf(metric, sum(changed)),
    low: losses[Math.floor(tail * (resamples - 1))] as number,
    high: losses[Math.ceil((1 - tail) * (resamples - 1))] as number,
  };
}

function flatten(counts: readonly Counts[]): Int32Array {
  const flat = new Int32Array(3 * counts.length);
  counts.forEach(({ gold, predicted, correct }, i) => flat.set([gold, predicted, correct], 3 * i));
  return flat;
}

function sum(counts: readonly Counts[]): Counts {
  const total = { gold: 0, predicted: 0, correct: 0 };
  for (const c of counts) {
    total.gold += c.gold;
    total.predicted += c.predicted;
    total.correct += c.correct;
  }
  return total;
}
