import { elementCount } from "@nasty/core";
import { intsAttribute, type NodeProto } from "@nasty/formats/onnx";
import { type Dim, divideDims, multiplyDims } from "@nasty/graph";
import type { TypedGraph } from "./trace.js";

/**
 * Where a value holds its heads: along `axis`, each `width` positions long, in blocks of all heads if the axis is
 * longer.
 */
export interface HeadAxis {
  readonly axis: number;
  readonly width: number;
}

/** Operators that give a value another shape, the elements in the same order. */
export const reshaping: ReadonlySet<string> = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze"]);

/** How many elements lie between neighbours along an axis. */
const strideOf = (shape: readonly Dim[], axis: number): Dim =>
  shape.slice(axis + 1).reduce<Dim>((product, dim) => multiplyDims(product, dim), 1);

/**
 * Where the heads are in a value of another shape with the same elements in the same order: heads are as far apart as
 * they were.
 *
 * @returns undefined if the shapes do not tell, or if no one axis holds them
 */
export function reshapedHeads(
  { axis, width }: HeadAxis,
  from: readonly Dim[] | undefined,
  to: readonly Dim[] | undefined,
  heads: number,
): HeadAxis | undefined {
  if (from === undefined || to === undefined) {
    return undefined;
  }
  const stride = multiplyDims(strideOf(from, axis), width);
  for (let candidate = to.length - 1; candidate >= 0; candidate--) {
    const length = divideDims(stride, strideOf(to, candidate));
    if (typeof length !== "number") {
      continue;
    }
    const size = to[candidate];
    // A first dimension of unknown size is a batch, with the heads in it.
    if (divideDims(size, heads * length) !== undefined || (size === undefined && candidate === 0)) {
      return { axis: candidate, width: length };
    }
  }
  return undefined;
}

/** The axis of a Transpose's input that becomes `axis`. */
export function axisBefore(node: NodeProto, axis: number, rank: number): number {
  return orderOf(node, rank)[axis] ?? axis;
}

/** The axis of a Transpose's result that `axis` becomes. */
export function axisAfter(node: NodeProto, axis: number, rank: number): number {
  return orderOf(node, rank).indexOf(axis);
}

function orderOf(node: NodeProto, rank: number): readonly number[] {
  const reversed = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  return intsAttribute(node, "perm", reversed).map(Number);
}

export function shapeOf({ graph, types }: TypedGraph, name: string): readonly Dim[] | undefined {
  return types.typeOf(graph, name)?.shape ?? graph.constant(name)?.shape;
}

/** What the constant at an input of an element-wise node holds of the heads of its result. */
export type Share = "none" | "each" | "unclear";

/**
 * Whether an operand of an element-wise node is the same for all heads of the result, or a constant with an entry for
 * each.
 */
export function shareOf(
  typed: TypedGraph,
  name: string,
  { axis, width }: HeadAxis,
  { rank, heads }: { readonly rank: number; readonly heads: number },
): Share {
  const shape = shapeOf(typed, name);
  if (shape === undefined) {
    return "unclear";
  }
  const own = axis - (rank - shape.length);
  if (own < 0 || shape[own] === 1) {
    return "none";
  }
  const constant = typed.graph.constant(name);
  return constant !== undefined && elementCount(constant.shape) > 0 && shape[own] === heads * width
    ? "each"
    : "unclear";
}
