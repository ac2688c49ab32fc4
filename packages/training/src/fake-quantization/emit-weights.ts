import { hasHalfScales, safePairSteps } from "@nasty/core";
import { castTo, type GradientWriter } from "../gradient/gradient-writer.js";
import type { ChosenOptions } from "./options.js";

/** What the emitters of fake-quantized tensors share. */
export interface Emitter {
  readonly writer: GradientWriter;
  /** Writes QuantizeLinear nodes whose input never saturates, so that their gradient needs no mask. */
  readonly unclipped: GradientWriter;
  /** A constant of int8 zeros. */
  readonly zeros: (count: number) => string;
}

/** Above this a float32 number is an integer: rounding it changes nothing, and hands no gradient on. */
const integers = 2 ** 100;
const smallestNormal = 2 ** -126;

/** The same values without a path for gradients. Exact for what is between 2⁻⁷⁶ and 2²⁷, and for 0. */
export function stopGradient({ writer }: Emitter, x: string): string {
  const { op, scalar } = writer;
  return op("Mul", [op("Round", [op("Mul", [x, scalar(integers)])]), scalar(1 / integers)]);
}

export interface Channels {
  /** Where the largest magnitudes are taken from: the rounded tensor itself, or the whole table whose rows it is. */
  readonly range: string;
  /** Shape of `range`. */
  readonly shape: readonly number[];
  /** Axis of the scales, in both. */
  readonly axis: number;
  /** Axis of `range` whose neighbours must be safe pairs; undefined where none need be. */
  readonly pairAxis: number | undefined;
}

/**
 * Rounds to int8 with a scale for each index of an axis and back: scale = float32(max|x| / 127), with safe pairs at
 * least float32(max|x[2i] + x[2i+1]| / 127.9), q = rne(x / scale). The formula is that of core's `safePairParameters`.
 */
export function perChannel(emitter: Emitter, x: string, { range, shape, axis, pairAxis }: Channels): string {
  const { writer, unclipped } = emitter;
  const { op, scalar } = writer;
  const others = shape.map((_, i) => i).filter((i) => i !== axis);
  const largest = (values: string): string =>
    op("ReduceMax", [op("Abs", [values]), writer.ints(others)], { keepdims: 0 });
  const single = op("Div", [largest(range), scalar(127)]);
  const real =
    pairAxis === undefined
      ? single
      : withPairs(emitter, { single, length: shape[pairAxis] as number }, (length) =>
          largest(neighbourSums(emitter, range, length, pairAxis)),
        );
  const scale = op("Where", [op("Less", [real, scalar(smallestNormal)]), scalar(1), real]);
  // A row of a table ends in its columns wherever it is gathered to.
  const along = { axis: range === x ? axis : axis - shape.length };
  const zeros = emitter.zeros(shape[axis] as number);
  const q = unclipped.op("QuantizeLinear", [x, scale, zeros], along);
  return op("DequantizeLinear", [q, scale, zeros], along);
}

/** The scale of single weights, or of the pairs among `length` of them where that is larger. */
function withPairs(
  { writer }: Emitter,
  { single, length }: { readonly single: string; readonly length: number },
  largestPair: (length: number) => string,
): string {
  if (length < 2) return single;
  return writer.op("Max", [single, writer.op("Div", [largestPair(length), writer.scalar(safePairSteps)])]);
}

/** x[2i] + x[2i+1] along an axis; an odd last element is in no pair. */
function neighbourSums({ writer }: Emitter, x: string, length: number, axis: number): string {
  const { op, ints } = writer;
  const every2nd = (from: number): string =>
    op("Slice", [x, ints([from]), ints([length - (length % 2)]), ints([axis]), ints([2])]);
  return op("Add", [every2nd(0), every2nd(1)]);
}

/**
 * Rows of a table, each to the scale of its own largest magnitude, or of its largest sum of two neighbours.
 *
 * @param pairs the length of the rows if neighbours must be safe pairs, else 0
 */
export function perRow(emitter: Emitter, rows: string, pairs: number): string {
  const { writer } = emitter;
  const { op, scalar } = writer;
  const largest = (values: string): string =>
    op("ReduceMax", [op("Abs", [values]), writer.ints([-1])], { keepdims: 1 });
  const single = op("Div", [largest(rows), scalar(127)]);
  const real = stopGradient(
    emitter,
    withPairs(emitter, { single, length: pairs }, (length) =>
      largest(neighbourSums(emitter, rows, length, -1)),
    ),
  );
  const scale = op("Where", [op("Less", [real, scalar(smallestNormal)]), scalar(1), real]);
  return op("Mul", [rounded(emitter, op("Div", [rows, scale]), "int8"), scale]);
}

/** Rounds half to even; the gradient passes. */
export function rounded({ writer, unclipped }: Emitter, x: string, dtype: "int8" | "uint8"): string {
  const [one, zero] = [writer.scalar(1), writer.scalar(0, dtype)];
  return writer.op("DequantizeLinear", [unclipped.op("QuantizeLinear", [x, one, zero]), one, zero]);
}

/**
 * Rounds to 4 bits in blocks and back, as MatMulNBits' own quantizer does:
 *
 * ```
 * symmetric:  scale = −(signed value of largest magnitude) / 8, zero point 8
 * asymmetric: scale = (max − min) / 15, zero point = clamp(roundHalfAway(−min / scale))
 * q = clamp(roundHalfAway(x·(1/scale) + zero point), 0, 15); x̂ = (q − zero point)·scale
 * ```
 *
 * @param x with an axis that is one block
 * @param axis that axis
 */
export function perBlock(
  emitter: Emitter,
  x: string,
  {
    axis,
    symmetric,
    half,
  }: { readonly axis: number; readonly half: boolean } & Pick<ChosenOptions, "symmetric">,
): string {
  const { writer } = emitter;
  const { op, scalar } = writer;
  const bound = (opType: string): string => {
    const extreme = op(opType, [x, writer.ints([axis])], { keepdims: 1 });
    return op(opType === "ReduceMin" ? "Min" : "Max", [extreme, scalar(0)]);
  };
  const [low, high] = [bound("ReduceMin"), bound("ReduceMax")];
  const signed = op("Where", [op("Greater", [op("Abs", [high]), op("Abs", [low])]), high, low]);
  const real = symmetric ? op("Div", [signed, scalar(-8)]) : op("Div", [op("Sub", [high, low]), scalar(15)]);
  const scale = stopGradient(emitter, half ? halfScale(emitter, real) : real);
  const isZero = op("Equal", [scale, scalar(0)]);
  const safe = op("Where", [isZero, scalar(1), scale]);
  const reciprocal = op("Where", [isZero, scalar(0), op("Div", [scalar(1), safe])]);
  const zeroPoint = symmetric
    ? scalar(8)
    : op("Where", [
        isZero,
        scalar(0),
        op("Clip", [
          op("Floor", [op("Add", [op("Div", [op("Neg", [low]), safe]), scalar(0.5)])]),
          scalar(0),
          scalar(15),
        ]),
      ]);
  const steps = op("Clip", [op("Add", [op("Mul", [x, reciprocal]), zeroPoint]), scalar(0), scalar(15)]);
  // Half-way values go up here, to even there: without gradients, the difference is added.
  const up = op("Sub", [op("Floor", [op("Add", [steps, scalar(0.5)])]), op("Round", [steps])]);
  const q = op("Add", [rounded(emitter, steps, "uint8"), up]);
  return op("Mul", [op("Sub", [q, zeroPoint]), scale]);
}

const smallestNormalHalf = 2 ** -14;
const largestHalf = 65504;

/** The nearest float16 value where that has full precision: what files keep of many scales. */
function halfScale({ writer }: Emitter, scale: string): string {
  const { op, scalar } = writer;
  const magnitude = op("Abs", [scale]);
  const fits = op("And", [
    op("GreaterOrEqual", [magnitude, scalar(smallestNormalHalf)]),
    op("LessOrEqual", [magnitude, scalar(largestHalf)]),
  ]);
  const half = op("Cast", [op("Cast", [scale], castTo("float16"))], castTo("float32"));
  return op("Where", [fits, half, scale]);
}

/** Blocks along an axis of a matrix: a dimension of blocks and one inside them, the last block filled with zeros. */
export function inBlocks(
  emitter: Emitter,
  x: string,
  {
    length,
    channels,
    others,
    axis,
    blockSize,
    symmetric,
  }: {
    readonly length: number;
    /** Channels of the stored weight. */
    readonly channels: number;
    /** Size of the other axis, or undefined if it is whatever is in front (rows). */
    readonly others: number | undefined;
    readonly axis: 0 | 1;
  } & Pick<ChosenOptions, "blockSize" | "symmetric">,
): string {
  const { writer } = emitter;
  const { op, ints } = writer;
  const blocks = Math.ceil(length / blockSize);
  const missing = blocks * blockSize - length;
  const flat = others === undefined ? op("Reshape", [x, ints([-1, length])]) : x;
  const filled =
    missing === 0 ? flat : op("Pad", [flat, ints(axis === 0 ? [0, 0, missing, 0] : [0, 0, 0, missing])]);
  const cut = axis === 0 ? [blocks, blockSize, others ?? -1] : [-1, blocks, blockSize];
  const rounded4 = perBlock(emitter, op("Reshape", [filled, ints(cut)]), {
    axis: axis + 1,
    symmetric,
    half: hasHalfScales(channels, blocks),
  });
  const joined = axis === 0 ? [blocks * blockSize, others ?? -1] : [-1, blocks * blockSize];
  const whole = op("Reshape", [rounded4, ints(joined)]);
  const sliced = missing === 0 ? whole : op("Slice", [whole, ints([0]), ints([length]), ints([axis])]);
  return others === undefined ? op("Reshape", [sliced, writer.shape(x)]) : sliced;
}
