import type { Tensor } from "@nasty/core";
import { intAttribute, intsAttribute, type NodeProto } from "@nasty/formats/onnx";
import { type Graph, isStandard, weightSource, type WeightSource } from "@nasty/graph";
import { matrixView, replaceConstant, sliceConstant } from "../pruning/slice.js";
import { isOwn, isScalar, type TypedGraph } from "../pruning/trace.js";
import type { Rows } from "./complementary-order.js";

/** A constant whose axis runs over the units of all directions. */
interface UnitWeight {
  readonly node: NodeProto;
  readonly index: number;
  /** As the node reads it. */
  readonly axis: number;
}

/** An LSTM whose units may stand in any order, and all that reads them. */
export interface RecurrentUnits {
  readonly node: NodeProto;
  readonly directions: number;
  readonly hidden: number;
  readonly readers: readonly UnitWeight[];
}

/** Where the units of a value are. */
type Place =
  | { readonly kind: "apart"; readonly directions: number; readonly units: number; readonly rank: number }
  /** The last axis holds the units of one direction after those of the other. */
  | { readonly kind: "joined" };

/**
 * Every LSTM of the main graph whose states only products and further LSTMs read, seen through transpositions, reshapes
 * and masks.
 */
export function findRecurrentUnits(typed: TypedGraph): RecurrentUnits[] {
  const found: RecurrentUnits[] = [];
  for (const node of typed.graph.nodes) {
    if (node.opType !== "LSTM" || !isStandard(node)) continue;
    const recurrent = ownConstant(typed.graph, node.input[2], 3);
    const [directions = 0, , hidden = 0] = recurrent?.tensor.shape ?? [];
    if (recurrent === undefined || !standsAlone(typed.graph, node)) continue;
    const readers: UnitWeight[] = [];
    const place = { kind: "apart", directions: 1, units: 3, rank: 4 } as const;
    if (collect(typed, node.output[0] ?? "", place, { width: directions * hidden, readers }))
      found.push({ node, directions, hidden, readers });
  }
  return found;
}

function ownConstant(graph: Graph, name: string | undefined, rank: number): WeightSource | undefined {
  const source = name === undefined || name === "" ? undefined : weightSource(graph, name);
  const isFit = source?.tensor.dtype === "float32" && source.tensor.shape.length === rank;
  return source !== undefined && isFit && source.perm === undefined && isOwn(source) ? source : undefined;
}

/** Whether nothing but its weights and its output sequence knows the order of an LSTM's units. */
function standsAlone(graph: Graph, node: NodeProto): boolean {
  const [, weight, , bias = "", , hidden = "", cell = "", peepholes = ""] = node.input;
  const isUnused = (output: string): boolean =>
    output === "" || (graph.consumers(output).length === 0 && !graph.isOutput(output));
  return (
    intAttribute(node, "layout", 0) === 0 &&
    hidden === "" &&
    cell === "" &&
    ownConstant(graph, weight, 3) !== undefined &&
    [bias, peepholes].every((name) => name === "" || ownConstant(graph, name, 2) !== undefined) &&
    node.output.slice(1).every(isUnused)
  );
}

interface Collected {
  readonly width: number;
  readonly readers: UnitWeight[];
}

/** Follows units forward to the weights that multiply them; false as soon as something else might know their order. */
function collect(typed: TypedGraph, name: string, place: Place, collected: Collected): boolean {
  const { graph } = typed;
  if (name === "" || graph.isOutput(name)) return false;
  return graph.consumers(name).every(({ node, index, graph: scope }) => {
    if (node.opType === "Shape" || node.opType === "Size") return true;
    if (scope !== graph || !isStandard(node)) return false;
    const reader = readerOf(graph, { node, index }, place);
    if (reader !== undefined) {
      collected.readers.push(reader);
      return true;
    }
    const next = placeAfter(typed, node, { name, place, width: collected.width });
    return next !== undefined && collect(typed, node.output[0] ?? "", next, collected);
  });
}

function readerOf(
  graph: Graph,
  { node, index }: { readonly node: NodeProto; readonly index: number },
  place: Place,
): UnitWeight | undefined {
  if (place.kind !== "joined" || index !== 0) return undefined;
  switch (node.opType) {
    case "LSTM":
      return ownConstant(graph, node.input[1], 3) && { node, index: 1, axis: 2 };
    case "MatMul":
      return ownMatrix(graph, node.input[1]) ? { node, index: 1, axis: 0 } : undefined;
    default:
      return undefined;
  }
}

function ownMatrix(graph: Graph, name = ""): boolean {
  const source = weightSource(graph, name);
  return source?.tensor.dtype === "float32" && source.tensor.shape.length === 2 && isOwn(source);
}

/** Where the units are behind a node, or undefined if it may do more than move them. */
function placeAfter(
  typed: TypedGraph,
  node: NodeProto,
  { name, place, width }: { readonly name: string; readonly place: Place; readonly width: number },
): Place | undefined {
  const { graph, types } = typed;
  const output = types.typeOf(graph, node.output[0] ?? "")?.shape;
  const isJoined = output?.at(-1) === width;
  switch (node.opType) {
    case "Identity":
    case "Dropout":
      return place;
    case "Transpose": {
      const perm = intsAttribute(node, "perm", []).map(Number);
      if (place.kind === "joined") return perm.at(-1) === perm.length - 1 ? place : undefined;
      const [directions, units] = [perm.indexOf(place.directions), perm.indexOf(place.units)];
      return directions < 0 || units < 0 ? undefined : { ...place, directions, units };
    }
    case "Reshape":
      if (!isJoined) return undefined;
      return place.kind === "joined" || isLast(place) ? { kind: "joined" } : undefined;
    case "Squeeze":
      // Of one direction.
      return place.kind === "apart" &&
        isJoined &&
        output.length === place.rank - 1 &&
        place.units === place.rank - 1
        ? { kind: "joined" }
        : undefined;
    case "Mul": {
      const mask = node.input.find((input) => input !== name) ?? "";
      const isSame = types.typeOf(graph, mask)?.shape?.at(-1) === 1 || isScalar(typed, mask);
      return place.kind === "joined" && isSame ? place : undefined;
    }
    default:
      return undefined;
  }
}

const isLast = ({ directions, units, rank }: Extract<Place, { kind: "apart" }>): boolean =>
  directions === rank - 2 && units === rank - 1;

/** Part of what a direction's units are multiplied with. */
interface UnitView {
  readonly rows: number;
  readonly columns: number;
  readonly at: (row: number, column: number) => number;
}

/** All weights that one direction's units are multiplied with, side by side: a row a unit. */
export function unitRows(
  { graph }: TypedGraph,
  { node, hidden, readers }: RecurrentUnits,
  direction: number,
): Rows {
  const { data, shape } = constantOf(graph, node, 2).tensor as Tensor<"float32">;
  const gates = shape[1] as number;
  const parts: UnitView[] = [
    {
      rows: hidden,
      columns: gates,
      at: (unit, gate) => data[(direction * gates + gate) * hidden + unit] as number,
    },
    ...readers.map((reader) => readRows(graph, reader, direction * hidden, hidden)),
  ];
  const starts: number[] = [];
  let columns = 0;
  for (const part of parts) {
    starts.push(columns);
    columns += part.columns;
  }
  const values = new Float32Array(hidden * columns);
  for (const [p, part] of parts.entries()) {
    for (let unit = 0; unit < hidden; unit++) {
      const at = unit * columns + (starts[p] as number);
      for (let column = 0; column < part.columns; column++) values[at + column] = part.at(unit, column);
    }
  }
  return { rows: hidden, columns, values };
}

function readRows(graph: Graph, { node, index, axis }: UnitWeight, first: number, rows: number): UnitView {
  const source = constantOf(graph, node, index);
  const { shape, data } = source.tensor as Tensor<"float32">;
  if (axis === 0) {
    const view = matrixView(source);
    const columns = (source.perm === undefined ? shape[1] : shape[0]) as number;
    return { rows, columns, at: (unit, column) => view(first + unit, column) };
  }
  const length = shape[2] as number;
  return {
    rows,
    columns: data.length / length,
    at: (unit, column) => data[column * length + first + unit] as number,
  };
}

function constantOf(graph: Graph, node: NodeProto, index: number): WeightSource {
  const source = weightSource(graph, node.input[index] ?? "");
  if (source === undefined) throw new TypeError(`recurrent units: input ${index} is not a constant`);
  return source;
}

/**
 * Puts the units of an LSTM into another order, in its own weights and in those that read them.
 *
 * @param orders unit by new place, for each direction
 */
export function orderUnits(
  { graph }: TypedGraph,
  { node, hidden, readers }: RecurrentUnits,
  orders: readonly (readonly number[])[],
): void {
  // W and R have a row a unit in each gate, B one of either's bias, P one peephole.
  for (const index of [1, 2, 3, 7]) {
    if ((node.input[index] ?? "") === "") continue;
    const source = constantOf(graph, node, index);
    replaceConstant(source, inOrder(source.tensor as Tensor<"float32">, orders, hidden, index === 2));
  }
  const positions = orders.flatMap((order, direction) => order.map((unit) => direction * hidden + unit));
  for (const reader of readers) sliceConstant(graph, reader, positions);
}

/** [directions, gates · hidden, …] with the rows of each gate in order; of recurrent weights the columns too. */
function inOrder(
  { shape, data }: Tensor<"float32">,
  orders: readonly (readonly number[])[],
  hidden: number,
  withColumns: boolean,
): Tensor<"float32"> {
  const [, rows = 0, width = 1] = shape;
  const ordered = new Float32Array(data.length);
  for (const [direction, order] of orders.entries()) {
    for (let row = 0; row < rows; row++) {
      const gate = row - (row % hidden);
      const from = (direction * rows + gate + (order[row % hidden] as number)) * width;
      const to = (direction * rows + row) * width;
      for (let i = 0; i < width; i++)
        ordered[to + i] = data[from + (withColumns ? (order[i] as number) : i)] as number;
    }
  }
  return { dtype: "float32", shape, data: ordered };
}
