import { extremesOf, type Observer, type Range } from "./observer.js";

/**
 * The smallest and the largest value of all samples.
 *
 * @example
 * ```ts
 * const observer = minMaxObserver();
 * observer.observe(Float32Array.of(-1, 3));
 * observer.range(); // { min: -1, max: 3 }
 * ```
 */
export const minMaxObserver = (): Observer => {
  let extremes: Range | undefined;
  let count = 0;
  return {
    observe(sample, { min, max } = extremesOf(sample)) {
      if (sample.length === 0) return;
      extremes =
        extremes === undefined
          ? { min, max }
          : { min: Math.min(extremes.min, min), max: Math.max(extremes.max, max) };
      count += sample.length;
    },
    range: () => extremes,
    get extremes() {
      return extremes;
    },
    get count() {
      return count;
    },
  };
};
