import { uniformNumbers } from "@nasty/core";
import type { Loss } from "./kind.js";

/** A figure of some of the samples, drawn with replacement; of all of them where none are named. */
export type Statistic = (drawn?: Int32Array) => number;

const resamples = 2000;
/** Statistics that sort take longer. */
const fewResamples = 500;
const tail = 0.025;

/**
 * The loss between two figures of the same samples, with the interval that holds 95 % of the losses of samples drawn
 * anew, the same for both.
 *
 * @see Efron & Tibshirani 1993, ch. 13 (percentile method)
 */
export function pairedLoss(
  before: Statistic,
  after: Statistic,
  {
    samples,
    seed,
    isSlow = false,
  }: { readonly samples: number; readonly seed: number; readonly isSlow?: boolean },
): Loss {
  const random = uniformNumbers(seed);
  const drawn = new Int32Array(samples);
  const losses = new Float64Array(isSlow ? fewResamples : resamples);
  for (let r = 0; r < losses.length; r++) {
    for (let i = 0; i < samples; i++) drawn[i] = Math.floor(random() * samples);
    losses[r] = before(drawn) - after(drawn);
  }
  losses.sort();
  return {
    loss: before() - after(),
    low: losses[Math.floor(tail * (losses.length - 1))] as number,
    high: losses[Math.ceil((1 - tail) * (losses.length - 1))] as number,
  };
}

/** The mean of a value a sample. */
export const meanOf =
  (values: ArrayLike<number>): Statistic =>
  (drawn) => {
    const { length } = drawn ?? values;
    let sum = 0;
    for (let i = 0; i < length; i++) sum += values[drawn === undefined ? i : (drawn[i] as number)] as number;
    return length === 0 ? 0 : sum / length;
  };

/** What is the same whatever is drawn. */
export const always =
  (value: number): Statistic =>
  () =>
    value;

/**
 * Spearman's rank correlation: Pearson's of ranks, equal values having the mean of theirs.
 *
 * @returns 0 where one side has one value throughout
 * @see Spearman 1904
 */
export const spearmanOf =
  (left: ArrayLike<number>, right: ArrayLike<number>): Statistic =>
  (drawn) => {
    const at = drawn ?? Int32Array.from({ length: left.length }, (_, i) => i);
    return pearson(
      ranksOf(Float64Array.from(at, (i) => left[i] as number)),
      ranksOf(Float64Array.from(at, (i) => right[i] as number)),
    );
  };

function ranksOf(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values, (_, i) => i).sort(
    (a, b) => (values[a] as number) - (values[b] as number),
  );
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let end = from + 1;
    while (end < order.length && values[order[end] as number] === values[order[from] as number]) end++;
    for (let i = from; i < end; i++) ranks[order[i] as number] = (from + end - 1) / 2;
    from = end;
  }
  return ranks;
}

function pearson(left: Float64Array, right: Float64Array): number {
  const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [a, b] = [mean(left), mean(right)];
  let [both, one, other] = [0, 0, 0];
  for (let i = 0; i < left.length; i++) {
    const [x, y] = [(left[i] as number) - a, (right[i] as number) - b];
    both += x * y;
    one += x * x;
    other += y * y;
  }
  return one === 0 || other === 0 ? 0 : both / Math.sqrt(one * other);
}

/** The value below which a share of the values lies. */
export function percentileOf(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}

/** Σab / √(Σa²·Σb²); 1 if both are zero, 0 if one is. */
export function cosineOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, a2, b2] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    dot += x * y;
    a2 += x * x;
    b2 += y * y;
  }
  if (a2 === 0 && b2 === 0) return 1;
  return a2 === 0 || b2 === 0 ? 0 : dot / Math.sqrt(a2 * b2);
}
