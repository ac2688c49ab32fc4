import { extremesOf, type Range } from "./observer.js";

/** Counts of equal bins over [−limit, limit]; bin `i` covers `−limit + i·stride` to `−limit + (i + 1)·stride`. */
export interface Histogram {
  readonly counts: Float64Array;
  readonly limit: number;
  readonly stride: number;
  readonly total: number;
}

export interface HistogramOptions {
  /** Bins at the beginning, an even number. Default 2,048. */
  readonly bins?: number;
}

/** How many times its first size a histogram may grow before neighbouring bins are merged. */
const maximumGrowth = 4;

const merged = (counts: Float64Array): Float64Array => {
  const half = new Float64Array(counts.length / 2);
  for (let i = 0; i < half.length; i++) half[i] = (counts[2 * i] as number) + (counts[2 * i + 1] as number);
  return half;
};

const widened = (counts: Float64Array, each: number): Float64Array => {
  const wide = new Float64Array(counts.length + 2 * each);
  wide.set(counts, each);
  return wide;
};

/**
 * A streaming histogram whose old counts keep their place when larger values come.
 *
 * The limit begins at the first sample's largest magnitude. For a larger one, `half = ⌊(new − limit) / stride⌋ + 1`
 * bins are added on each side. So that memory stays constant whatever comes, neighbouring bins are merged beforehand,
 * as often as needed, when that would exceed four times the first number of bins.
 */
export const streamingHistogram = ({
  bins = 2048,
}: HistogramOptions = {}): {
  /** @param extremes those of the sample, where the caller knows them already */
  add(sample: Float32Array, extremes?: Range): void;
  read(): Histogram;
} => {
  let counts: Float64Array = new Float64Array(bins);
  let stride = 0;
  let limit = 0;
  let total = 0;

  const grow = (magnitude: number): void => {
    if (limit === 0) {
      limit = magnitude;
      stride = (2 * limit) / bins;
      // Zeros that came before the first other value lie just right of the middle.
      counts[bins / 2] = total;
      return;
    }
    while (counts.length + 2 * (Math.floor((magnitude - limit) / stride) + 1) > maximumGrowth * bins) {
      if (counts.length % 4 !== 0) {
        // An odd number of bins a side would merge the two that meet at zero.
        counts = widened(counts, 1);
        limit += stride;
      }
      counts = merged(counts);
      stride *= 2;
    }
    if (magnitude <= limit) return;
    const half = Math.floor((magnitude - limit) / stride) + 1;
    counts = widened(counts, half);
    limit += half * stride;
  };

  return {
    add(sample, { min, max } = extremesOf(sample)) {
      if (sample.length === 0) return;
      const magnitude = Math.max(-min, max);
      if (magnitude > limit) grow(magnitude);
      total += sample.length;
      if (limit === 0) return;
      const last = counts.length - 1;
      const perStride = 1 / stride;
      for (let i = 0; i < sample.length; i++) {
        // Cut to an integer: rounding may put −limit just below 0 and the largest value one bin past the end.
        const bin = (((sample[i] as number) + limit) * perStride) | 0;
        const index = bin > last ? last : bin;
        counts[index] = (counts[index] as number) + 1;
      }
    },
    read: () => ({ counts: counts.slice(), limit, stride, total }),
  };
};
