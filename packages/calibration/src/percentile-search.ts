import type { Histogram } from "./histogram.js";
import type { RangeSearch } from "./histogram-observer.js";

export interface PercentileOptions {
  /** Share of the values that the range covers, in percent. Default 99.99. */
  readonly percentile?: number;
  /** Whether zero stays in the middle. Default false. */
  readonly symmetric?: boolean;
}

/** Index of the first entry at which the running sum exceeds `mass`; the last index if none does. */
const firstBeyond = (length: number, at: (index: number) => number, mass: number): number => {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    sum += at(i);
    if (sum > mass) return i;
  }
  return length - 1;
};

/** Values at each distance from zero: bins that mirror each other, added up. */
const magnitudes = ({ counts }: Histogram): Float64Array => {
  const half = counts.length / 2;
  return Float64Array.from(
    { length: half },
    (_, i) => (counts[half + i] as number) + (counts[half - 1 - i] as number),
  );
};

/**
 * The range that leaves out the rarest values: (100 − p)/200 of all at each end, or (100 − p)/100 of the largest
 * magnitudes when symmetric. Whole bins are kept, so that p = 100 is the min-max range.
 */
export const percentileSearch =
  ({ percentile = 99.99, symmetric = false }: PercentileOptions = {}): RangeSearch =>
  (histogram) => {
    const { counts, limit, stride, total } = histogram;
    if (symmetric) {
      const folded = magnitudes(histogram);
      const tail = (total * (100 - percentile)) / 100;
      const last = folded.length - 1;
      const cut = firstBeyond(folded.length, (i) => folded[last - i] as number, tail);
      const bound = (folded.length - cut) * stride;
      return { min: -bound, max: bound };
    }
    const tail = (total * (100 - percentile)) / 200;
    const last = counts.length - 1;
    const low = firstBeyond(counts.length, (i) => counts[i] as number, tail);
    const high = last - firstBeyond(counts.length, (i) => counts[last - i] as number, tail);
    return { min: -limit + low * stride, max: -limit + (high + 1) * stride };
  };
