import { CalibrationError } from "./calibration-error.js";
import type { Range } from "./observer.js";
import type { Runs } from "./real-positions.js";

/** Values at or below this are what an additive mask made of a score, not activations. */
export const defaultMaskedBelow = -1e4;

export interface CountedValues {
  /** A view of the data itself if all of it counts, else of the scratch buffer: copy it to keep it. */
  readonly values: Float32Array;
  /** Of `values`, where they are known without another pass. */
  readonly extremes?: Range;
  /** Values left out because they are masked scores (`−∞` or at most `maskedBelow`). */
  readonly masked: number;
}

/** The first index from which a value does not count, or `to`; and the extremes of those before it. */
const countingRun = (
  data: Float32Array,
  { from, to, maskedBelow }: { readonly from: number; readonly to: number; readonly maskedBelow: number },
): Range & { readonly end: number } => {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let end = from;
  for (; end < to; end++) {
    const value = data[end] as number;
    // Nearly all values lie within those before, and that is all that need be asked of them.
    if (value >= min && value <= max) continue;
    // NaN fails this comparison too.
    if (!(value > maskedBelow && value < Number.POSITIVE_INFINITY)) break;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max, end };
};

/**
 * Collects the values of one sample that count: of those at real positions all but `−∞` and values ≤ `maskedBelow`,
 * which are masked scores.
 *
 * @param runs the real positions; whatever else the data holds, NaN included, is not looked at
 * @param scratch at least as long as the sample
 * @throws CalibrationError `nan` or `infinite-value` for NaN or `+∞` at a real position, naming tensor and sample.
 */
export const countedValues = (
  data: Float32Array,
  { bounds, length: bounded }: Runs,
  {
    scratch,
    maskedBelow,
    tensor,
    sample,
  }: {
    readonly scratch: Float32Array;
    readonly maskedBelow: number;
    readonly tensor: string;
    readonly sample: number;
  },
): CountedValues => {
  if (bounded === 2) {
    const [from = 0, to = 0] = bounds;
    const { min, max, end } = countingRun(data, { from, to, maskedBelow });
    if (end === to) return { values: data.subarray(from, to), extremes: { min, max }, masked: 0 };
  }
  let length = 0;
  let masked = 0;
  for (let pair = 0; pair < bounded; pair += 2) {
    const to = bounds[pair + 1] as number;
    for (let i = bounds[pair] as number; i < to; i++) {
      const value = data[i] as number;
      if (value > maskedBelow && value < Number.POSITIVE_INFINITY) scratch[length++] = value;
      else if (value <= maskedBelow) masked++;
      else throw notFinite(value, tensor, sample);
    }
  }
  return { values: scratch.subarray(0, length), masked };
};

const notFinite = (value: number, tensor: string, sample: number): CalibrationError => {
  const nan = Number.isNaN(value);
  return new CalibrationError(
    nan ? "nan" : "infinite-value",
    `calibrate: tensor ${tensor}, sample ${sample}: value: expected finite numbers, got ${nan ? "NaN" : "Infinity"}; check the model in float32 on this sample`,
    { tensor, sample },
  );
};
