import { type Histogram, type HistogramOptions, streamingHistogram } from "./histogram.js";
import { minMaxObserver } from "./min-max-observer.js";
import { extremesOf, type Observer, type Range } from "./observer.js";

/**
 * Chooses a range from a histogram with at least one value that is not zero; clipped to the true extremes afterwards.
 */
export type RangeSearch = (histogram: Histogram, extremes: Range) => Range;

const within = ({ min, max }: Range, value: number): number => Math.min(Math.max(value, min), max);

/** An observer that keeps a histogram and chooses its range at the end. */
export const histogramObserver = (search: RangeSearch, options: HistogramOptions = {}): Observer => {
  const all = minMaxObserver();
  const histogram = streamingHistogram(options);
  return {
    observe(sample, seen = extremesOf(sample)) {
      all.observe(sample, seen);
      histogram.add(sample, seen);
    },
    range() {
      const extremes = all.extremes;
      if (extremes === undefined || extremes.min === extremes.max) return extremes;
      const { min, max } = search(histogram.read(), extremes);
      return { min: within(extremes, min), max: within(extremes, max) };
    },
    get extremes() {
      return all.extremes;
    },
    get count() {
      return all.count;
    },
  };
};
