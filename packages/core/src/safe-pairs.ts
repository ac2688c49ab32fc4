import { CoreError } from "./core-error.js";
import { groupLayout, type Granularity } from "./granularity.js";
import { groupRanges, type GroupRanges, type QuantizationParameters } from "./parameters.js";
import { quantRange, scaleForRange, type QuantizationScheme, type ScaleAndZeroPoint } from "./scheme.js";
import type { Tensor } from "./tensor.js";
import { type ColumnRanges, vectorLoops } from "./vector-loops.js";

/**
 * The largest magnitude that two neighbouring int8 weights may add up to.
 *
 * Kernels without a dot-product instruction add `a0·w0 + a1·w1` of uint8 activations in saturating int16: 255 · 128 =
 * 32,640 fits, 255 · 129 does not. Weights of unlike signs always fit.
 */
export const largestSafePair = 128;

/**
 * What the real sum of two neighbours is divided by for the smallest safe scale, a float32 value.
 *
 * Below 128 both quotients may round away from zero and their sum is still at most 128: fractions that both round up
 * add up to one or more. The tenth below 128 is room for float32 divisions.
 */
export const safePairSteps = Math.fround(127.9);

/**
 * Where the pairs along one axis lie: pair i of a run is at `first + i·stride` and `offset` behind it, in group
 * `group + i·groupStep`.
 */
type VisitPairs = (
  first: number,
  offset: number,
  count: number,
  stride: number,
  group: number,
  groupStep: number,
) => void;

interface Axis {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

function axisLayout(operation: string, shape: readonly number[], pairAxis: number): Axis {
  const { outer, length, inner } = groupLayout(operation, shape, { kind: "per-channel", axis: pairAxis });
  return { outer, length, inner };
}

/** Every pair (2i, 2i + 1) along an axis, in runs that lie evenly in memory; an odd last element is in none. */
function visitPairs(
  operation: string,
  shape: readonly number[],
  { granularity, pairAxis }: { readonly granularity: Granularity; readonly pairAxis: number },
  visit: VisitPairs,
): void {
  const pairs = axisLayout(operation, shape, pairAxis);
  const channels = channelsOf(operation, shape, granularity, pairAxis, pairs);
  const { outer, length, inner } = pairs;
  for (let o = 0; o < outer; o++) {
    const start = o * length * inner;
    const group = Math.floor(o / channels.inner) % channels.length;
    if (inner === 1) {
      visit(start, 1, length >> 1, 2, group, 0);
      continue;
    }
    for (let i = 0; i + 1 < length; i += 2) {
      const first = start + i * inner;
      if (!channels.isInside) {
        visit(first, inner, inner, 1, group, 0);
        continue;
      }
      // The channels' axis is one of those behind the pairs'.
      const run = channels.inner;
      if (run === 1) {
        for (let at = 0; at < inner; at += channels.length)
          visit(first + at, inner, channels.length, 1, 0, 1);
      } else {
        for (let at = 0; at < inner; at += run)
          visit(first + at, inner, run, 1, (at / run) % channels.length, 0);
      }
    }
  }
}

/** Sizes of the channels' axis seen from the outer part of the pairs' axis, or from its inner part (`isInside`). */
function channelsOf(
  operation: string,
  shape: readonly number[],
  granularity: Granularity,
  pairAxis: number,
  pairs: Axis,
): { readonly length: number; readonly inner: number; readonly isInside: boolean } {
  if (granularity.kind === "per-tensor") return { length: 1, inner: 1, isInside: false };
  const axis = groupLayout(operation, shape, granularity);
  // Layouts of axes of size 1 look alike: the axes themselves are compared.
  const [own, summed] = [granularity.axis, pairAxis].map((at) => (at < 0 ? at + shape.length : at)) as [
    number,
    number,
  ];
  if (granularity.kind === "per-block" || own === summed) {
    const got =
      granularity.kind === "per-block" ? "blocks" : `scales along the summed axis ${granularity.axis}`;
    throw new CoreError(
      "scheme",
      `${operation}: [${shape.join(", ")}]: granularity: expected one scale a tensor, or scales along another axis than the summed one, got ${got}`,
    );
  }
  const isInside = own > summed;
  const inner = isInside ? axis.inner : axis.inner / (pairs.length * pairs.inner);
  return { length: axis.length, inner, isInside };
}

/**
 * Smallest and largest sum, in float32, of two neighbours (2i, 2i + 1) along an axis, for each group; both include 0.
 *
 * @param x float32, any shape.
 * @param granularity one scale a tensor, or one for each index of another axis than `pairAxis`.
 * @param pairAxis the axis that a product sums over.
 * @throws CoreError `axis`; `scheme` for blocks or for scales along `pairAxis` itself.
 * @example
 * pairRanges(tensor("float32", [4, 1], Float32Array.of(1, 2, -3, -4)), perChannel(1), 0); // min [-7], max [3]
 */
export function pairRanges(x: Tensor<"float32">, granularity: Granularity, pairAxis: number): GroupRanges {
  const { groups } = groupLayout("pairRanges", x.shape, granularity);
  const min = new Float32Array(groups);
  const max = new Float32Array(groups);
  const { data } = x;
  const loops = vectorLoops(data.length, groups);
  let columns: ColumnRanges | undefined;
  visitPairs(
    "pairRanges",
    x.shape,
    { granularity, pairAxis },
    (first, offset, count, stride, group, step) => {
      if (loops !== undefined && step === 1) {
        columns ??= loops.columnRanges(min, max);
        const next = first + offset;
        columns.extendByPair(data.subarray(first, first + count), data.subarray(next, next + count));
      } else if (step === 0) extendGroup(data, first, offset, count, stride, min, max, group);
      else extendGroups(data, first, offset, count, min, max, group);
    },
  );
  columns?.end();
  return { min, max };
}

// float32 sums, as a graph of float32 operators computes them: storing into `low` and `high` would round too late.
function extendGroup(
  data: Float32Array,
  first: number,
  offset: number,
  count: number,
  stride: number,
  min: Float32Array,
  max: Float32Array,
  group: number,
): void {
  let low = min[group] as number;
  let high = max[group] as number;
  for (let i = 0, at = first; i < count; i++, at += stride) {
    const sum = Math.fround((data[at] as number) + (data[at + offset] as number));
    if (sum < low) low = sum;
    else if (sum > high) high = sum;
  }
  min[group] = low;
  max[group] = high;
}

function extendGroups(
  data: Float32Array,
  first: number,
  offset: number,
  count: number,
  min: Float32Array,
  max: Float32Array,
  firstGroup: number,
): void {
  for (let i = 0, at = first, g = firstGroup; i < count; i++, at++, g++) {
    const sum = Math.fround((data[at] as number) + (data[at + offset] as number));
    if (sum < (min[g] as number)) min[g] = sum;
    else if (sum > (max[g] as number)) max[g] = sum;
  }
}

/**
 * Quantization parameters of an int8 weight whose products are exact on every processor: no two neighbours along a
 * summed axis, as integers, add up to more than {@link largestSafePair} in magnitude.
 *
 * ```
 * symmetric:  scale = max(max|w| / 127, max|w[2i] + w[2i+1]| / 127.9), both quotients in float32
 * asymmetric: the smallest scale for which an integer zero point leaves both the values within −128..127 and the stored pairs within ±128
 * ```
 * Uint8 weights have no such kernel, and 7-bit ones cannot saturate: both get the parameters of `parametersOf`.
 *
 * @param x a weight, float32, any shape.
 * @param pairAxes the axes that products of this weight sum over; none for a table that is only looked up in.
 * @throws CoreError as `parametersOf` and {@link pairRanges}.
 * @example
 * const w = tensor("float32", [2, 1], Float32Array.of(1, 1));
 * safePairParameters(w, { dtype: "int8", symmetric: true }, perChannel(1), [0]).scale; // [2/127.9]: 64 + 64
 */
export function safePairParameters(
  x: Tensor<"float32">,
  scheme: QuantizationScheme & { readonly dtype: "int8" },
  granularity: Granularity,
  pairAxes: readonly number[],
): QuantizationParameters<"int8"> {
  const range = quantRange(scheme);
  const { min, max } = groupRanges(x, granularity);
  const sums =
    scheme.reduceRange === true
      ? []
      : pairAxes
          .filter((axis) => axisLayout("safePairParameters", x.shape, axis).length > 1)
          .map((axis) => pairRanges(x, granularity, axis));
  const scale = new Float32Array(min.length);
  const zeroPoint = new Int32Array(min.length);
  for (let g = 0; g < min.length; g++) {
    const values = { min: min[g] as number, max: max[g] as number };
    const plain = scaleForRange(values.min, values.max, scheme, range);
    const chosen = sums.length === 0 ? plain : constrained(plain, values, sumsOf(sums, g), scheme);
    scale[g] = chosen.scale;
    zeroPoint[g] = chosen.zeroPoint;
  }
  return { dtype: scheme.dtype, granularity, scale, zeroPoint };
}

function sumsOf(sums: readonly GroupRanges[], group: number): PairSums {
  const low = Math.min(...sums.map(({ min }) => min[group] as number));
  const high = Math.max(...sums.map(({ max }) => max[group] as number));
  if (Number.isFinite(high - low)) return { low, high };
  throw new CoreError(
    "range",
    `safePairParameters: group ${group}: sum of two neighbours: expected a finite float32 number, got ${low} to ${high}`,
    { group },
  );
}

function constrained(
  plain: ScaleAndZeroPoint,
  values: Values,
  sums: PairSums,
  { symmetric }: QuantizationScheme,
): ScaleAndZeroPoint {
  return symmetric ? symmetricScale(values, sums) : asymmetricScale(plain, values, sums);
}

interface Values {
  readonly min: number;
  readonly max: number;
}

interface PairSums {
  readonly low: number;
  readonly high: number;
}

const smallestNormalFloat32 = 2 ** -126;

function symmetricScale({ min, max }: Values, { low, high }: PairSums): ScaleAndZeroPoint {
  const single = Math.fround(Math.max(-min, max) / 127);
  const pair = Math.fround(Math.max(-low, high) / safePairSteps);
  const scale = Math.max(single, pair);
  return { scale: scale < smallestNormalFloat32 ? 1 : scale, zeroPoint: 0 };
}

const growth = 1.004;

/**
 * With a zero point z the stored integers of a pair add up to (w0 + w1)/s + 2z: z must lie between two bounds that come
 * closer as s grows.
 */
function asymmetricScale(
  plain: ScaleAndZeroPoint,
  { min, max }: Values,
  { low, high }: PairSums,
): ScaleAndZeroPoint {
  // The bounds meet at the largest of these: values against values, pairs against pairs, either against the other.
  const bounds = [
    plain.scale,
    (high - low) / (2 * safePairSteps),
    (max - low / 2) / (127.5 + safePairSteps / 2),
    (high / 2 - min) / (128.5 + safePairSteps / 2),
  ];
  for (let scale = Math.fround(Math.max(...bounds)); ; scale = Math.fround(scale * growth)) {
    const least = Math.ceil(Math.max(-128.5 - min / scale, (-safePairSteps - low / scale) / 2));
    const most = Math.floor(Math.min(127.5 - max / scale, (safePairSteps - high / scale) / 2));
    if (least <= most) return { scale, zeroPoint: Math.min(most, Math.max(least, plain.zeroPoint)) };
  }
}

/** How many pairs (2i, 2i + 1) a tensor of this shape has along an axis. */
export function countPairs(shape: readonly number[], pairAxis: number): number {
  const { outer, length, inner } = axisLayout("countPairs", shape, pairAxis);
  return outer * (length >> 1) * inner;
}

/**
 * How many pairs (2i, 2i + 1) along an axis overflow 16-bit sums for some uint8 activations: |q[2i] + q[2i+1]| > 128.
 *
 * @param x int8 integers as they are stored, zero points included.
 * @param pairAxis the axis that the product sums over.
 * @throws CoreError `axis`.
 * @example
 * countUnsafePairs(tensor("int8", [4, 1], Int8Array.of(64, 64, 64, 65)), 0); // 1
 */
export function countUnsafePairs(x: Tensor<"int8">, pairAxis: number): number {
  const { data } = x;
  let unsafe = 0;
  const granularity = { kind: "per-tensor" } as const;
  const loops = vectorLoops(data.length);
  /** Whether none is unsafe, where that is seen at once. */
  const areSafe = (first: number, offset: number, count: number, stride: number): boolean => {
    // Copying a few integers takes longer than adding them.
    if (loops === undefined || count < 64) return false;
    if (stride === 2 && offset === 1)
      return !loops.areNeighboursAbove(data.subarray(first, first + 2 * count), largestSafePair);
    if (stride !== 1) return false;
    const next = data.subarray(first + offset, first + offset + count);
    return !loops.areRowsAbove(data.subarray(first, first + count), next, largestSafePair);
  };
  visitPairs("countUnsafePairs", x.shape, { granularity, pairAxis }, (first, offset, count, stride) => {
    if (areSafe(first, offset, count, stride)) return;
    for (let i = 0, at = first; i < count; i++, at += stride) {
      if (Math.abs((data[at] as number) + (data[at + offset] as number)) > largestSafePair) unsafe += 1;
    }
  });
  return unsafe;
}
