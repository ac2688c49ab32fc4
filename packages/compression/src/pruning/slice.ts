import { elementCount, type Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import { type Graph, type WeightSource, weightSource } from "@nasty/graph";
import { isOwn } from "./trace.js";

/**
 * The parts of a tensor at the given positions of one axis, in that order.
 *
 * @param axis from 0; element types that are not packed into bytes
 */
export function takeAlong(tensor: Tensor, axis: number, positions: readonly number[]): Tensor {
  const size = tensor.shape[axis] ?? 0;
  const inner = elementCount(tensor.shape.slice(axis + 1));
  const outer = elementCount(tensor.shape.slice(0, axis));
  const shape = tensor.shape.with(axis, positions.length);
  const source = tensor.data as Float32Array;
  const data = new (source.constructor as Float32ArrayConstructor)(outer * positions.length * inner);
  if (inner === 1) {
    takeColumns(source, data, size, positions);
    return { dtype: tensor.dtype, shape, data } as Tensor;
  }
  for (let block = 0, at = 0; block < outer; block++) {
    for (const position of positions) {
      const from = (block * size + position) * inner;
      data.set(source.subarray(from, from + inner), at);
      at += inner;
    }
  }
  return { dtype: tensor.dtype, shape, data } as Tensor;
}

/** The columns of a matrix at the given positions: single elements, for which copying runs would cost a call each. */
function takeColumns(
  source: Float32Array,
  out: Float32Array,
  width: number,
  positions: readonly number[],
): void {
  const columns = Int32Array.from(positions);
  const count = columns.length;
  for (let row = 0, at = 0; at < out.length; row += width, at += count) {
    for (let i = 0; i < count; i++) out[at + i] = source[row + (columns[i] as number)] as number;
  }
}

/** Reads element (row, column) of a constant matrix as its reader sees it. */
export function matrixView({
  tensor,
  perm,
}: Pick<WeightSource, "tensor" | "perm">): (row: number, column: number) => number {
  const width = tensor.shape[1] ?? 0;
  const data = tensor.data as Float32Array;
  const isTransposed = perm?.[0] === 1;
  return isTransposed
    ? (row, column) => data[column * width + row] as number
    : (row, column) => data[row * width + column] as number;
}

/**
 * Makes the constant that a node reads smaller: keeps the given positions of one axis, counted as the reader sees it.
 *
 * A constant of this reader alone changes where it stands and keeps its name; of a shared one the node gets a copy.
 */
export function sliceConstant(graph: Graph, place: AxisOfInput, positions: readonly number[]): void {
  changeConstant(graph, place, (tensor, axis) => takeAlong(tensor, axis, positions));
}

/** Makes the given positions of one axis of a constant zero, as {@link sliceConstant} would take them. */
export function zeroConstant(graph: Graph, place: AxisOfInput, positions: readonly number[]): void {
  const chosen = new Set(positions);
  changeConstant(graph, place, (tensor, axis) => {
    const data = Float32Array.from(tensor.data as Float32Array);
    const [size, inner] = [tensor.shape[axis] ?? 0, elementCount(tensor.shape.slice(axis + 1))];
    for (let i = 0; i < data.length; i++) if (chosen.has(Math.floor(i / inner) % size)) data[i] = 0;
    return { dtype: "float32", shape: tensor.shape, data };
  });
}

/** An axis of the constant that a node has at one of its inputs, counted as the node sees it. */
export interface AxisOfInput {
  readonly node: NodeProto;
  readonly index: number;
  readonly axis: number;
}

function changeConstant(
  graph: Graph,
  { node, index, axis }: AxisOfInput,
  change: (tensor: Tensor, axis: number) => Tensor,
): void {
  const name = node.input[index] ?? "";
  const source = weightSource(graph, name);
  if (source === undefined) {
    throw new TypeError(`changeConstant: ${name} is not a constant`);
  }
  const stored = source.perm?.[axis] ?? axis;
  const changed = change(source.tensor, stored);
  if (isOwn(source)) {
    replaceConstant(source, changed);
    return;
  }
  if (source.perm !== undefined) {
    throw new TypeError(`changeConstant: ${name} is a shared transposed constant`);
  }
  graph.setInput(node, index, graph.addInitializer(source.name, changed));
}

/**
 * {@link sliceConstant} of the last axis, if that is as long as it should be: where one number serves all units,
 * nothing is to be taken.
 *
 * @param length of the last axis of a constant that has a number for each unit
 */
export function sliceLast(
  graph: Graph,
  place: { readonly node: NodeProto; readonly index: number },
  length: number,
  positions: readonly number[],
): void {
  const shape = graph.constant(place.node.input[place.index] ?? "")?.shape ?? [];
  if (shape.at(-1) === length) sliceConstant(graph, { ...place, axis: shape.length - 1 }, positions);
}

/** Puts a tensor in the place of a constant, under its name. */
export function replaceConstant(
  { graph, name, constantNode }: Pick<WeightSource, "graph" | "name" | "constantNode">,
  tensor: Tensor,
): void {
  if (constantNode !== undefined) {
    graph.removeNode(constantNode);
  }
  graph.setInitializer(name, tensor);
}
