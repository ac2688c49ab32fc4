/** The real numbers that a quantized tensor has to represent; `min ≤ max`. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * Watches the values of one tensor, sample by sample, in constant memory.
 *
 * One call is one sample: what a sample is decides the moving average and the histogram's growth, so that results do
 * not depend on how samples were cut into batches. Values must be finite; an empty sample counts for nothing.
 */
export interface Observer {
  /** @param extremes those of the sample, where the caller knows them already */
  observe(sample: Float32Array, extremes?: Range): void;
  /** The range chosen so far; nothing before the first value. */
  range(): Range | undefined;
  /** Smallest and largest value seen, whatever the method makes of them. */
  readonly extremes: Range | undefined;
  /** Values seen. */
  readonly count: number;
}

/** Smallest and largest of a sample that is not empty. */
export const extremesOf = (sample: Float32Array): Range => {
  let min = sample[0] as number;
  let max = min;
  for (let i = 1; i < sample.length; i++) {
    const value = sample[i] as number;
    // One branch for nearly all values, which lie within those before.
    if (value >= min && value <= max) continue;
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  return { min, max };
};
