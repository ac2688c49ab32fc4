import { minMaxObserver } from "./min-max-observer.js";
import { extremesOf, type Observer, type Range } from "./observer.js";

export interface MovingAverageOptions {
  /** Weight of a new sample. Default 0.01. */
  readonly constant?: number;
}

/**
 * Exponential averages of each sample's smallest and largest value: `old + c·(new − old)`, beginning with the first.
 *
 * Forgets rare outliers, and depends on the order of samples (not on batches). After few samples it still shows mostly
 * the first: use at least `1 / c`.
 */
export const movingAverageObserver = ({ constant = 0.01 }: MovingAverageOptions = {}): Observer => {
  const all = minMaxObserver();
  let average: Range | undefined;
  return {
    observe(sample, seen = extremesOf(sample)) {
      if (sample.length === 0) return;
      all.observe(sample, seen);
      const { min, max } = seen;
      average =
        average === undefined
          ? { min, max }
          : {
              min: average.min + constant * (min - average.min),
              max: average.max + constant * (max - average.max),
            };
    },
    range: () => average,
    get extremes() {
      return all.extremes;
    },
    get count() {
      return all.count;
    },
  };
};
