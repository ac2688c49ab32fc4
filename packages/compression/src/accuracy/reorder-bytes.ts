import { TensorProto_DataType as DataType, type TensorProto } from "@nasty/formats/onnx";
import { type Graph, weightUsage } from "@nasty/graph";
import type { AxisOfInput } from "../pruning/slice.js";

const bytesOfFloat = 4;

/**
 * Puts the parts of a float32 initializer along one axis into another order, in the very bytes that it has: nothing of
 * the weight's size is made beside them.
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

/** Moves runs along the cycles of the order, each once: what a run is put over has been moved, or is kept aside. */
function reorderRuns(bytes: Uint8Array, run: number, order: readonly number[]): void {
  const aside = new Uint8Array(run);
  for (let start = 0; start < bytes.length; start += run * order.length) {
    const isPlaced = new Uint8Array(order.length);
    for (let first = 0; first < order.length; first++) {
      if (isPlaced[first] === 1) continue;
      const firstAt = start + first * run;
      aside.set(bytes.subarray(firstAt, firstAt + run));
      let place = first;
      for (let from = order[place] as number; from !== first; from = order[place] as number) {
        const fromAt = start + from * run;
        bytes.copyWithin(start + place * run, fromAt, fromAt + run);
        isPlaced[place] = 1;
        place = from;
      }
      bytes.set(aside, start + place * run);
      isPlaced[place] = 1;
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
