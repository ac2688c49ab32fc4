import { TensorProto_DataType as DataType, type TensorProto } from "@nasty/formats/onnx";
import { type Graph, weightUsage } from "@nasty/graph";
import type { AxisOfInput } from "../pruning/slice.js";

const bytesOfFloat = 4;

/**
 * Puts the parts of a float32 initializer along one axis into another order, in the very bytes that it has: nothing of
 * the weight's size is made beside them but room for one block of it.
 *
 * @param order of all positions of the axis
 * @returns false, with nothing changed, for a constant that more than this input reads, or that is no plain float32
 *   initializer of the graph
 */
export function reorderWhereItLies(
  graph: Graph,
  { node, index, axis }: AxisOfInput,
  order: readonly number[],
): boolean {
  const name = node.input[index] ?? "";
  const proto = graph.initializers.get(name);
  if (proto === undefined || !isPlainFloat(proto) || weightUsage(graph, name).shared) return false;
  const dims = proto.dims.map(Number);
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, bytesOfFloat);
  const block = inner * order.length;
  if (dims[axis] !== order.length || block === 0) return false;
  const { rawData } = proto;
  if (inner === bytesOfFloat) reorderColumns(rawData, order);
  else reorderRuns(rawData, inner, order);
  return true;
}

const isPlainFloat = ({ dataType, rawData, dims }: TensorProto): boolean =>
  dataType === DataType.FLOAT &&
  rawData.length === dims.reduce((product, size) => product * Number(size), bytesOfFloat);

function reorderRuns(bytes: Uint8Array, run: number, order: readonly number[]): void {
  const block = new Uint8Array(run * order.length);
  for (let start = 0; start < bytes.length; start += block.length) {
    block.set(bytes.subarray(start, start + block.length));
    for (let i = 0; i < order.length; i++) {
      const from = (order[i] as number) * run;
      bytes.set(block.subarray(from, from + run), start + i * run);
    }
  }
}

/** Single elements, for which moving runs would cost a call each. */
function reorderColumns(bytes: Uint8Array, order: readonly number[]): void {
  const columns = Int32Array.from(order);
  const before = new Int32Array(columns.length);
  const after = new Int32Array(columns.length);
  const [beforeBytes, afterBytes] = [new Uint8Array(before.buffer), new Uint8Array(after.buffer)];
  for (let start = 0; start < bytes.length; start += beforeBytes.length) {
    beforeBytes.set(bytes.subarray(start, start + beforeBytes.length));
    for (let i = 0; i < columns.length; i++) after[i] = before[columns[i] as number] as number;
    bytes.set(afterBytes, start);
  }
}
