import type { Tensor } from "@nasty/core";
import type { Heap } from "../memory/heap.js";
import { checked } from "./checks.js";
import { columnFloats, type IntegerWeights, packFloats, packIntegers, zeroPointOf } from "./packing.js";

/** Products of one kind of weights, as the kernels want them. */
export type LstmWeights =
  | { readonly kind: "integer"; readonly packed: IntegerWeights; readonly scales: number }
  | { readonly kind: "float"; readonly at: number; readonly depth: number };

export interface Direction {
  readonly isBackward: boolean;
  readonly input: LstmWeights;
  readonly recurrent: LstmWeights;
  readonly bias: number;
}

export interface Sizes {
  readonly inputs: number;
  readonly units: number;
  /** Units rounded up to whole vectors. */
  readonly width: number;
}

/** The column of a gate matrix [·, 4·units] that a column of the padded one [·, 4·width] is; −1 for none. */
const columnOf = (column: number, { units, width }: Sizes): number => {
  const [gate, unit] = [Math.floor(column / width), column % width];
  return unit < units ? gate * units + unit : -1;
};

const paddedFloats = (heap: Heap, sizes: Sizes, value: (column: number) => number): number => {
  const data = Float32Array.from({ length: 4 * sizes.width }, (_, column) => {
    const own = columnOf(column, sizes);
    return own < 0 ? 0 : value(own);
  });
  return columnFloats(heap, { dtype: "float32", shape: [data.length], data }, data.length);
};

/** The biases of inputs and outputs, added up: [8·units] of one direction. */
export const biasOf = (heap: Heap, bias: Tensor | undefined, direction: number, sizes: Sizes): number => {
  const data = bias?.data as Float32Array | undefined;
  const start = direction * 8 * sizes.units;
  return paddedFloats(heap, sizes, (column) =>
    data === undefined
      ? 0
      : (data[start + column] as number) + (data[start + 4 * sizes.units + column] as number),
  );
};

/** One direction of float weights [directions, 4·units, depth]. */
export const floatWeights = (heap: Heap, weight: Tensor, direction: number, sizes: Sizes): LstmWeights => {
  const depth = weight.shape[2] as number;
  const data = weight.data as Float32Array;
  const start = direction * 4 * sizes.units * depth;
  const at = packFloats(heap, depth, 4 * sizes.width, (k, n) => {
    const own = columnOf(n, sizes);
    return own < 0 ? 0 : (data[start + own * depth + k] as number);
  });
  return { kind: "float", at, depth };
};

interface QuantizedGates {
  readonly weight: Tensor;
  readonly scale: Tensor;
  readonly zeroPoint: Tensor | undefined;
}

/** One direction of a list that is [directions] or [directions, columns]. */
const ofDirection = (tensor: Tensor, direction: number, columns: number): ((column: number) => number) => {
  const isByColumn = tensor.shape.length === 2 && tensor.shape[1] === columns;
  return (column) => Number(tensor.data[isByColumn ? direction * columns + column : direction]);
};

/**
 * One direction of quantized weights [directions, depth, 4·units], packed as 16 bits: a step of one sequence reads each
 * weight once, and widening it there would cost half as much again as the product.
 */
export const integerWeights = (
  heap: Heap,
  { weight, scale, zeroPoint }: QuantizedGates,
  direction: number,
  sizes: Sizes,
): LstmWeights => {
  const depth = weight.shape[1] as number;
  const columns = 4 * sizes.units;
  const zero = zeroPoint === undefined ? zeroPointOf(undefined) : ofDirection(zeroPoint, direction, columns);
  const places = Int32Array.from({ length: 4 * sizes.width }, (_, n) => columnOf(n, sizes));
  const matrix = {
    depth,
    columns: 4 * sizes.width,
    data: weight.data as Int8Array,
    stride: columns,
    start: direction * depth * columns,
    places,
    zeros: places.map((place) => (place < 0 ? 0 : zero(place))),
  };
  const packed = packIntegers(heap, matrix, "int16");
  return {
    kind: "integer",
    packed,
    scales: paddedFloats(heap, sizes, ofDirection(scale, direction, columns)),
  };
};

export const sizesOfGates = (inputs: number, units: number, width4: number): Sizes => {
  checked(width4 === 4 * units, `weights: expected ${4 * units} columns of gates, got ${width4}`);
  return { inputs, units, width: Math.ceil(units / 4) * 4 };
};

export const checkShape = (name: string, tensor: Tensor | undefined, shape: readonly number[]): void =>
  checked(
    tensor === undefined || tensor.shape.join() === shape.join(),
    `${name}: shape: expected [${shape.join(", ")}], got [${tensor?.shape.join(", ")}]`,
  );
