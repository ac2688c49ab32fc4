import { CalibrationError } from "./calibration-error.js";
import type { Range } from "./observer.js";

/** Which positions of a batch are real tokens: `real[row · length + position]` is not 0. */
export interface TokenMask {
  readonly rows: number;
  readonly length: number;
  readonly real: Uint8Array;
}

/** Where samples and token positions lie in a tensor's shape. */
export interface Layout {
  /** Samples: axis 0 when it is the batch; else the whole tensor is one sample. */
  readonly rows: number;
  /** Elements of one sample. */
  readonly rowSize: number;
  /** For each axis that runs over token positions: elements between neighbours, and its size. */
  readonly positionAxes: readonly { readonly stride: number; readonly size: number }[];
}

/**
 * Finds samples and positions in a tensor.
 *
 * An axis runs over positions when its size is the batch's length and `fixed` does not say that the model gives it that size
 * always (a hidden size that happens to equal the length). [rows · length, …] is a batch that was flattened.
 *
 * @param fixed for each axis, whether its size is a constant of the model
 */
export const layoutOf = (
  shape: readonly number[],
  { rows, length }: { readonly rows: number; readonly length: number },
  fixed: readonly boolean[] = [],
): Layout => {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, dimension) => product * dimension, 1),
  );
  const isFixed = (axis: number): boolean => fixed[axis] === true;
  const batched = shape[0] === rows && !isFixed(0);
  if (!batched && shape[0] === rows * length && !isFixed(0)) {
    const stride = strides[0] ?? 1;
    return { rows, rowSize: size / rows, positionAxes: [{ stride, size: length }] };
  }
  const first = batched ? 1 : 0;
  const positionAxes = shape
    .map((dimension, axis) => ({ axis, size: dimension, stride: strides[axis] as number }))
    .filter(({ axis, size: dimension }) => axis >= first && dimension === length && !isFixed(axis));
  return batched
    ? { rows, rowSize: size / rows, positionAxes }
    : // Without a batch axis no position belongs to one sample, so nothing can be left out.
      { rows: 1, rowSize: size, positionAxes: [] };
};

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
 * Collects the values of one sample that stand for real tokens.
 *
 * Left out: every position whose token is padding, on every position axis (rows of padding, and scores towards padding,
 * whatever they hold, NaN included); `−∞`; and values ≤ `maskedBelow`.
 *
 * @param scratch at least `layout.rowSize` long
 * @throws CalibrationError `nan` or `infinite-value` for NaN or `+∞` at a real position, naming tensor and sample.
 */
export const countedValues = (
  data: Float32Array,
  row: number,
  {
    layout,
    mask,
    scratch,
    maskedBelow,
    tensor,
    sample,
  }: {
    readonly layout: Layout;
    readonly mask: TokenMask | undefined;
    readonly scratch: Float32Array;
    readonly maskedBelow: number;
    readonly tensor: string;
    readonly sample: number;
  },
): CountedValues => {
  const { rowSize, positionAxes } = layout;
  const start = row * rowSize;
  const padded =
    mask === undefined ? undefined : mask.real.subarray(row * mask.length, (row + 1) * mask.length);
  const axes = padded === undefined || padded.every((real) => real !== 0) ? [] : positionAxes;
  if (axes.length === 0 && rowSize > 0) {
    const { min, max, end } = countingRun(data, { from: start, to: start + rowSize, maskedBelow });
    if (end === start + rowSize) {
      return { values: data.subarray(start, end), extremes: { min, max }, masked: 0 };
    }
  }
  let length = 0;
  let masked = 0;

  const take = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const value = data[i] as number;
      if (value > maskedBelow && value < Number.POSITIVE_INFINITY) scratch[length++] = value;
      else if (value <= maskedBelow) masked++;
      else throw notFinite(value, tensor, sample);
    }
  };

  /** Axis by axis, so that padding is skipped in whole blocks. */
  const walk = (axis: number, from: number, extent: number): void => {
    const current = axes[axis];
    if (current === undefined) {
      take(from, from + extent);
      return;
    }
    const block = current.stride * current.size;
    for (let outer = from; outer < from + extent; outer += block) {
      for (let position = 0; position < current.size; position++) {
        if (padded?.[position] !== 0) walk(axis + 1, outer + position * current.stride, current.stride);
      }
    }
  };

  walk(0, start, rowSize);
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
