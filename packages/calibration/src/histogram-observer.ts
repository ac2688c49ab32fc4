import { type Histogram, type HistogramOptions, streamingHistogram } from "./histogram.js";
import { minMaxObserver } from "./min-max-observer.js";
import { extremesOf, type Observer, type Range } from "./observer.js";

/**
 * Chooses a range from a histogram with at least one value that is not zero; clipped to the true extremes afterwards.
 */
export type RangeSearch = (histogram: Histogram, extremes: Range) => Range;

const within = ({ min, max }: Range, value: number): number => Math.min(Math.max(value, min), max);

/** Values in a histogram that any number of searches choose a range from. */
export interface SearchedHistogram extends Omit<Observer, "range"> {
  rangeBy(search: RangeSearch): Range | undefined;
}

/** Keeps a histogram for searches that are made at the end. */
export const searchedHistogram = (options: HistogramOptions = {}): SearchedHistogram => {
  const all = minMaxObserver();
  const histogram = streamingHistogram(options);
  return {
    observe(sample, seen = extremesOf(sample)) {
      all.observe(sample, seen);
      histogram.add(sample, seen);
    },
    rangeBy(search) {
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

/** An observer that keeps a histogram and chooses its range at the end. */
export const histogramObserver = (search: RangeSearch, options: HistogramOptions = {}): Observer => {
  const histogram = searchedHistogram(options);
  return {
    observe: histogram.observe,
    range: () => histogram.rangeBy(search),
    get extremes() {
      return histogram.extremes;
    },
    get count() {
      return histogram.count;
    },
  };
};
