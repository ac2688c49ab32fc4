import type { DType } from "@nasty/core";
import { broadcastShapes, type Dim } from "../inference/dims.js";
import type { InferRule, PartialType, RuleContext } from "../inference/rule.js";

/** Output like input `index`, element type and shape. */
export const sameAs =
  (index = 0): InferRule =>
  (c) => [{ dtype: c.dtype(index), shape: c.shape(index) }];

/** All inputs broadcast together; the element type is the first one's, unless given. */
export const broadcast =
  (dtype?: DType): InferRule =>
  (c) => [
    {
      dtype: dtype ?? c.dtype(0) ?? c.dtype(1),
      shape: broadcastShapes(Array.from({ length: c.inputCount }, (_, index) => c.shape(index))),
    },
  ];

/** Shape of input 0, another element type. */
export const retyped =
  (dtype: DType): InferRule =>
  (c) => [{ dtype, shape: c.shape(0) }];

/** A negative axis counted from the end; undefined if there is no such axis. */
export function axisOf(axis: number, rank: number): number | undefined {
  const positive = axis < 0 ? axis + rank : axis;
  return Number.isInteger(positive) && positive >= 0 && positive < rank ? positive : undefined;
}

/** Axes counted from the front, or undefined if one of them does not exist. */
export function axesOf(axes: readonly number[], rank: number): readonly number[] | undefined {
  const positive: number[] = [];
  for (const axis of axes) {
    const one = axisOf(axis, rank);
    if (one === undefined) return undefined;
    positive.push(one);
  }
  return positive;
}

/** A shape with one dimension replaced. */
export function withDim(shape: readonly Dim[], axis: number, dim: Dim): readonly Dim[] {
  return shape.map((old, index) => (index === axis ? dim : old));
}

/** A shape of unknown dimensions. */
export function unknownDims(rank: number): readonly Dim[] {
  return Array.from({ length: rank }, () => undefined);
}

/** Output of unknown shape with the element type of input 0. */
export function dtypeOnly(c: RuleContext): readonly PartialType[] {
  return [{ dtype: c.dtype(0) }];
}
