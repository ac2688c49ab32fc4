import { CoreError, parametersOf, quantizeMeasured, type Granularity, type Tensor } from "@nasty/core";
import { CompressionError } from "./compression-error.js";
import type { PlannedTensor } from "./plan.js";

/** A weight as integers, in the layout of its float original; block-wise ones, unpacked, as [channels, length] with blocks along `length`. */
export interface QuantizedWeight {
  readonly data: Int8Array | Uint8Array;
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  readonly sqnrDb: number;
}

/** Turns one planned weight into integers. */
export type WeightQuantizer = (planned: PlannedTensor, read: () => Tensor) => QuantizedWeight;

// An LSTM's channels are pairs of direction and gate row, its tensors directions: both are rows of a matrix view.
function lstmView(shape: readonly number[], granularity: Granularity): readonly number[] {
  const [directions = 1, gates = 1, inputs = 1] = shape;
  return granularity.kind === "per-channel" ? [directions * gates, inputs] : [directions, gates * inputs];
}

interface View {
  readonly shape: readonly number[];
  readonly granularity: Granularity;
}

/** The shape and granularity under which a weight's groups are what its kernel expects. */
export function groupsView({ op, shape, granularity }: PlannedTensor): View {
  return op === "LSTM"
    ? { shape: lstmView(shape, granularity), granularity: { kind: "per-channel", axis: 0 } }
    : { shape, granularity };
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
export const roundToNearest: WeightQuantizer = (planned, read) => {
  const view = groupsView(planned);
  const x: Tensor<"float32"> = { ...(read() as Tensor<"float32">), shape: view.shape };
  const { dtype, symmetric, reduceRange } = planned;
  try {
    const parameters = parametersOf(x, { dtype: dtype as "int8", symmetric, reduceRange }, view.granularity);
    const { quantized, sqnrDb } = quantizeMeasured(x, parameters);
    const { scale, zeroPoint } = parameters;
    return { data: quantized.data, scale, zeroPoint, sqnrDb };
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
    scale: new Float32Array(groups),
    // Of asymmetric weights some zero point is not 0, as a rule.
    zeroPoint: new Int32Array(groups).fill(planned.symmetric ? 0 : 1),
    sqnrDb: Number.NaN,
  };
};
