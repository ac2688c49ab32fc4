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

/** The matrix [depth, columns] of whole numbers, value by value. */
export interface WholeMatrix {
  readonly depth: number;
  readonly columns: number;
  at(k: number, n: number): number;
}

/**
 * Packs whole numbers into panels of eight columns, two rows of a column beside each other; 8 bits a number if all fit,
 * else 16. An odd last row has a row of zeros beside it.
 */
export const packIntegers = (heap: Heap, { depth, columns, at }: WholeMatrix): IntegerWeights => {
  let isNarrow = true;
  for (let k = 0; k < depth; k++)
    for (let n = 0; n < columns; n++) {
      const value = at(k, n);
      if (value < -128 || value > 127) isNarrow = false;
    }
  const weights: PackedWeights = isNarrow ? "int8" : "int16";
  const pairs = Math.max(1, Math.ceil(depth / 2));
  const panels = Math.ceil(columns / 8);
  const address = heap.reserve(panels * pairs * bytesOfPair[weights]);
  const count = panels * pairs * 16;
  const packed = isNarrow
    ? new Int8Array(heap.memory.buffer, address, count)
    : new Int16Array(heap.memory.buffer, address, count);
  for (let n = 0; n < columns; n++)
    for (let k = 0; k < depth; k++)
      packed[((n >> 3) * pairs + (k >> 1)) * 16 + (n & 7) * 2 + (k & 1)] = at(k, n);
  return { at: address, weights, pairs, depth, columns };
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
  const zeros = Int16Array.from({ length: columns }, (_, n) => zero(n));
  const data = weight.data as Int8Array;
  return {
    depth,
    columns,
    at: (k, n) => (data[k * columns + n] as number) - (zeros[n] as number),
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
