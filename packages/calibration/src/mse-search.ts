import { chooseScale, quantRange, roundHalfEven, type QuantizationScheme } from "@nasty/core";
import type { Histogram } from "./histogram.js";
import type { RangeSearch } from "./histogram-observer.js";
import type { Range } from "./observer.js";

export interface MseOptions {
  /** How the tensor will be quantized. Default asymmetric uint8. */
  readonly scheme?: QuantizationScheme;
  /** Fractions of the full range that are tried. Default 64. */
  readonly candidates?: number;
}

/** The bins that hold something, as their centres and counts. */
const filledBins = ({
  counts,
  limit,
  stride,
}: Histogram): { centres: Float64Array; weights: Float64Array } => {
  const indices: number[] = [];
  for (let i = 0; i < counts.length; i++) if ((counts[i] as number) > 0) indices.push(i);
  return {
    centres: Float64Array.from(indices, (i) => -limit + (i + 0.5) * stride),
    weights: Float64Array.from(indices, (i) => counts[i] as number),
  };
};

/** Σ count·(x − dq(q(x)))² over bin centres: the expected squared error times the number of values. */
const squaredError = (
  { centres, weights }: { centres: Float64Array; weights: Float64Array },
  { min, max }: Range,
  scheme: QuantizationScheme,
): number => {
  const { scale, zeroPoint } = chooseScale(min, max, scheme);
  const { quantMin, quantMax } = quantRange(scheme);
  let sum = 0;
  for (let i = 0; i < centres.length; i++) {
    const x = centres[i] as number;
    const level = roundHalfEven(x / scale) + zeroPoint;
    const kept = level < quantMin ? quantMin : level > quantMax ? quantMax : level;
    const error = x - (kept - zeroPoint) * scale;
    sum += (weights[i] as number) * error * error;
  }
  return sum;
};

/**
 * The range that minimises the expected squared error of quantization under the histogram.
 *
 * Both ends are first narrowed together, then each alone around what was found (an asymmetric scheme can clip one
 * tail).
 */
export const mseSearch =
  ({ scheme = { dtype: "uint8", symmetric: false }, candidates = 64 }: MseOptions = {}): RangeSearch =>
  (histogram, seen) => {
    const bins = filledBins(histogram);
    // Scales always make room for zero, and fractions of a range that does not hold it could cross.
    const extremes = { min: Math.min(seen.min, 0), max: Math.max(seen.max, 0) };
    let best = extremes;
    let smallest = squaredError(bins, extremes, scheme);
    const consider = (range: Range): void => {
      const error = squaredError(bins, range, scheme);
      if (error < smallest) {
        smallest = error;
        best = range;
      }
    };
    const fractions = Array.from({ length: candidates - 1 }, (_, i) => (candidates - 1 - i) / candidates);
    for (const fraction of fractions)
      consider({ min: extremes.min * fraction, max: extremes.max * fraction });
    if (!scheme.symmetric) {
      const together = best;
      for (const fraction of fractions) consider({ min: together.min, max: extremes.max * fraction });
      const upper = best;
      for (const fraction of fractions) consider({ min: extremes.min * fraction, max: upper.max });
    }
    return best;
  };
