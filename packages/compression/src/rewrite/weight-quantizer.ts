import {
  chooseScale,
  convolutionRows,
  CoreError,
  type Granularity,
  parametersOf,
  type QuantizationParameters,
  quantizeMeasured,
  safePairParameters,
  type Tensor,
} from "@nasty/core";
import { CompressionError } from "../compression-error.js";
import type { PlannedTensor } from "../plan/plan.js";

/**
 * A weight as integers, in the layout of its float original; block-wise ones, unpacked, as [channels, length] with
 * blocks along `length`.
 */
export interface QuantizedWeight {
  readonly data: Int8Array | Uint8Array;
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  readonly sqnrDb: number;
}

/** Makes scales larger, for what is added to the products. */
export type FitScales = (scale: Float32Array, weight: Tensor<"float32">) => Float32Array;

/** Gives room for so many integers, the same each time. */
export type Room = (length: number) => Int8Array;

/**
 * Turns one planned weight into integers; where room is given they may lie in it, and are to be copied before the next
 * weight.
 */
export type WeightQuantizer = (
  planned: PlannedTensor,
  read: () => Tensor,
  fit?: FitScales,
  room?: Room,
) => QuantizedWeight;

interface View {
  readonly shape: readonly number[];
  readonly granularity: Granularity;
  readonly pairAxes: readonly number[];
}

/**
 * The shape, granularity and summed axes under which a weight's groups are what its kernel expects: an LSTM's channels
 * are pairs of direction and gate row, its tensors directions.
 */
export function groupsView({ op, shape, granularity, pairAxes }: PlannedTensor): View {
  if (op !== "LSTM") return { shape, granularity, pairAxes };
  const [directions = 1, gates = 1, inputs = 1] = shape;
  const perRow = { kind: "per-channel", axis: 0 } as const;
  return granularity.kind === "per-channel"
    ? { shape: [directions * gates, inputs], granularity: perRow, pairAxes: pairAxes.map(() => 1) }
    : { shape, granularity: perRow, pairAxes };
}

/** A weight's scales and zero points by its plan. */
function plannedParameters(x: Tensor<"float32">, planned: PlannedTensor): QuantizationParameters {
  const { dtype, symmetric, reduceRange, pairs } = planned;
  const { granularity, pairAxes } = groupsView(planned);
  if (dtype === "int8" && pairs === "safe") {
    const summed = planned.op === "Conv" ? convolutionRows(x) : x;
    return safePairParameters(summed, { dtype, symmetric, reduceRange }, granularity, pairAxes);
  }
  const parameters = parametersOf(x, { dtype, symmetric, reduceRange }, granularity);
  // A group of zeros gets zero point 0, but kernels of symmetric weights take one zero point for all groups: the
  // middle.
  return symmetric
    ? { ...parameters, zeroPoint: parameters.zeroPoint.map(() => middleOf(planned)) }
    : parameters;
}

function middleOf({ dtype, reduceRange }: PlannedTensor): number {
  return chooseScale(-1, 1, { dtype, symmetric: true, reduceRange }).zeroPoint;
}

function groupCount({ shape, granularity }: View): number {
  if (granularity.kind === "per-block") {
    const [rows = 0, columns = 0] = shape;
    const [channels, length] = granularity.axis === 1 ? [rows, columns] : [columns, rows];
    return channels * Math.ceil(length / granularity.blockSize);
  }
  return granularity.kind === "per-channel" ? (shape[granularity.axis] ?? 0) : 1;
}

/**
 * Quantizes with round-to-nearest to the weight's own range.
 *
 * @throws CompressionError `not-finite` naming the tensor for NaN or ±∞ in a weight
 */
export const roundToNearest: WeightQuantizer = (planned, read, fit, room) => {
  const view = groupsView(planned);
  const x: Tensor<"float32"> = { ...(read() as Tensor<"float32">), shape: view.shape };
  try {
    const own = plannedParameters(x, planned);
    const parameters = fit === undefined ? own : { ...own, scale: fit(own.scale, x) };
    const { quantized, sqnrDb } = quantizeMeasured(x, parameters, { out: room?.(x.data.length) });
    const { scale, zeroPoint } = parameters;
    return { data: quantized.data as Int8Array | Uint8Array, scale, zeroPoint, sqnrDb };
  } catch (cause) {
    if (cause instanceof CoreError && cause.code === "not-finite") {
      const index = x.data.findIndex((value) => !Number.isFinite(value));
      throw new CompressionError(
        "not-finite",
        `quantize: tensor ${JSON.stringify(planned.name)}: element ${index}: expected a finite number, got ${x.data[index]}`,
        { tensor: planned.name, cause },
      );
    }
    throw cause;
  }
};

/** Makes arrays of the right lengths without reading a weight: for predicting sizes. */
export const sizesOnly: WeightQuantizer = (planned) => {
  const view = groupsView(planned);
  const elements = planned.shape.reduce((a, b) => a * b, 1);
  const groups = groupCount(view);
  return {
    data: planned.dtype.startsWith("uint") ? new Uint8Array(elements) : new Int8Array(elements),
    // Biases are divided by them.
    scale: new Float32Array(groups).fill(1),
    // Of asymmetric weights some zero point is not 0, as a rule.
    zeroPoint: new Int32Array(groups).fill(planned.symmetric ? 0 : 1),
    sqnrDb: Number.NaN,
  };
};
