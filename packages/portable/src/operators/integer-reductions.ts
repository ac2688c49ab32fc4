import type { DType, Tensor } from "@nasty/core";
import type { FoldName } from "../kernels/module.js";
import type { BuiltNode } from "../plan/operator.js";
import type { FoldedAxes } from "./folded-axes.js";
import { emptyTensor, onHost } from "./on-host.js";
import { spreadStrides, stridesOf, walkOffsets } from "./shapes.js";

type Fold = (sum: bigint, value: bigint) => bigint;

const folds: Readonly<Record<FoldName, Fold>> = {
  sum: (sum, value) => sum + value,
  max: (most, value) => (value > most ? value : most),
  min: (least, value) => (value < least ? value : least),
};

/** What nothing is folded to. */
const neutral = (fold: FoldName, bits: number): bigint => {
  if (fold === "sum") return 0n;
  const most = 2n ** BigInt(bits - 1);
  return fold === "max" ? -most : most - 1n;
};

/**
 * Folds integers in JavaScript: in the graphs of taggers they are lengths of rows, a few in a run. Sums keep the lowest
 * bits of the type.
 */
export const integerReduction = (
  fold: FoldName,
  dtype: Extract<DType, "int32" | "int64">,
  foldedOf: (shape: readonly number[], named: Tensor | undefined) => FoldedAxes,
): BuiltNode => {
  const bits = dtype === "int32" ? 32 : 64;
  return onHost(
    [dtype],
    ([given, named]) => {
      const x = given as Tensor;
      const { axes, shape } = foldedOf(x.shape, named);
      const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
      const walk = { sizes: x.shape, strides: [stridesOf(x.shape), spreadStrides(kept, x.shape)] };
      const [from, to] = walkOffsets(walk) as [number[], number[]];
      const result = emptyTensor(dtype, shape);
      const values = Array.from({ length: result.data.length }, () => neutral(fold, bits));
      for (const [position, place] of to.entries()) {
        const value = BigInt(x.data[from[position] as number] as number | bigint);
        values[place] = BigInt.asIntN(bits, folds[fold](values[place] as bigint, value));
      }
      for (const [i, value] of values.entries()) result.data[i] = dtype === "int32" ? Number(value) : value;
      return [result];
    },
    ([given, named]) => [foldedOf(given?.shape ?? [], named?.known).shape],
  );
};
