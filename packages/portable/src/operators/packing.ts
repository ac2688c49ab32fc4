import { elementCount, type Tensor } from "@nasty/core";
import type { PackedWeights } from "../kernels/integer-product.js";
import type { Heap } from "../memory/heap.js";
import { Refusal } from "../plan/operator.js";

/** Weights of a product, ready for its kernel. */
export interface IntegerWeights {
  readonly at: number;
  readonly weights: PackedWeights;
  /** Pairs along the depth. */
  readonly pairs: number;
  readonly depth: number;
  readonly columns: number;
}

const bytesOfPair = { int8: 16, int16: 32 } as const;

/** A matrix [depth, columns] of whole numbers, out of a larger one. */
export interface WholeMatrix {
  readonly depth: number;
  readonly columns: number;
  readonly data: Int8Array | Uint8Array | Int16Array;
  /** Elements from row to row, and of the first. */
  readonly stride: number;
  readonly start: number;
  /** Where in a row each column stands; −1 for a column of zeros. */
  readonly places: Int32Array;
  /** What is taken off the values of each column. */
  readonly zeros: Int32Array;
}

/**
 * Packs whole numbers into panels of eight columns, two rows of a column beside each other. An odd last row has a row
 * of zeros beside it.
 *
 * @param weights bits a number: by default 8 if all fit, else 16
 */
export const packIntegers = (
  heap: Heap,
  matrix: WholeMatrix,
  weights: PackedWeights = fitsInBytes(matrix) ? "int8" : "int16",
): IntegerWeights => {
  const { depth, columns } = matrix;
  const pairs = Math.max(1, Math.ceil(depth / 2));
  const panels = Math.ceil(columns / 8);
  const address = heap.reserve(panels * pairs * bytesOfPair[weights]);
  const count = panels * pairs * 16;
  if (weights === "int8") fillPanels(new Int8Array(heap.memory.buffer, address, count), matrix, pairs);
  else fillPanels(new Int16Array(heap.memory.buffer, address, count), matrix, pairs);
  return { at: address, weights, pairs, depth, columns };
};

const fitsInBytes = ({ depth, columns, data, stride, start, places, zeros }: WholeMatrix): boolean => {
  if (data instanceof Int8Array && zeros.every((zero) => zero === 0)) return true;
  for (let k = 0; k < depth; k++)
    for (let n = 0; n < columns; n++) {
      const place = places[n] as number;
      if (place < 0) continue;
      const value = (data[start + k * stride + place] as number) - (zeros[n] as number);
      if (value < -128 || value > 127) return false;
    }
  return true;
};

const fillPanels = (
  packed: Int8Array | Int16Array,
  { depth, columns, data, stride, start, places, zeros }: WholeMatrix,
  pairs: number,
): void => {
  for (let n = 0; n < columns; n++) {
    const place = places[n] as number;
    if (place < 0) continue;
    const zero = zeros[n] as number;
    const to = (n >> 3) * pairs * 16 + (n & 7) * 2;
    for (let k = 0, from = start + place; k < depth; k++, from += stride)
      packed[to + (k >> 1) * 16 + (k & 1)] = (data[from] as number) - zero;
  }
};

/** Zero points of a weight: one, or one a column. */
export const zeroPointOf = (zeroPoint: Tensor | undefined): ((column: number) => number) => {
  if (zeroPoint === undefined) return () => 0;
  const isOne = elementCount(zeroPoint.shape) === 1;
  return (column) => Number(zeroPoint.data[isOne ? 0 : column]);
};

/** The matrix of a weight less its zero points. */
export const centredMatrix = (weight: Tensor, zeroPoint: Tensor | undefined): WholeMatrix => {
  const [depth, columns] = weight.shape;
  if (depth === undefined || columns === undefined || weight.shape.length !== 2)
    throw new Refusal(`weight: expected a matrix, got shape [${weight.shape.join(", ")}]`);
  const zero = zeroPointOf(zeroPoint);
  return {
    depth,
    columns,
    data: weight.data as Int8Array,
    stride: columns,
    start: 0,
    places: Int32Array.from({ length: columns }, (_, n) => n),
    zeros: Int32Array.from({ length: columns }, (_, n) => zero(n)),
  };
};

/** Floats of a list, one for all or one a column, filled up to whole panels. */
export const columnFloats = (heap: Heap, values: Tensor, columns: number): number => {
  const count = elementCount(values.shape);
  if (count !== 1 && count !== columns) throw new Refusal(`scales: expected 1 or ${columns}, got ${count}`);
  const at = heap.reserve(Math.ceil(columns / 8) * 32);
  const data = values.data as Float32Array;
  for (let n = 0; n < columns; n++) heap.f32[at / 4 + n] = data[count === 1 ? 0 : n] as number;
  return at;
};

/** A float32 matrix [depth, columns] in panels; element (k, n) is given. */
export const packFloats = (
  heap: Heap,
  depth: number,
  columns: number,
  at: (k: number, n: number) => number,
): number => {
  const address = heap.reserve(Math.max(1, depth) * Math.ceil(columns / 8) * 32);
  const packed = heap.f32;
  for (let n = 0; n < columns; n++)
    for (let k = 0; k < depth; k++) packed[address / 4 + ((n >> 3) * depth + k) * 8 + (n & 7)] = at(k, n);
  return address;
};
