import { cast, dataConstructor, type DType, elementCount, seededRandom, type Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { type Graph, inferShapes, type ValueTypes, weightSource } from "@nasty/graph";
import { openForCompression } from "../files/open-for-compression.js";

export interface MadeFeedsOptions {
  /** Default 1. */
  readonly seed?: number;
  /**
   * Size of the first dimension where it varies, of a recurrent state [layers, batch, hidden] the second. Default 2.
   */
  readonly batchSize?: number;
  /** Size of the other dimensions that vary. Default 8. */
  readonly length?: number;
}

/** Operators behind which integers still mean what they meant. */
const moves = new Set([
  "Identity",
  "Cast",
  "Reshape",
  "Transpose",
  "Unsqueeze",
  "Squeeze",
  "Flatten",
  "Slice",
  "Concat",
]);

/**
 * Inputs for a model of which nothing but the graph is known: the declared types and shapes, numbers from a seed.
 *
 * Integers that choose rows of a constant table are row numbers of it; lengths of sequences are the longest; those that
 * are compared with a number are that number; other integers, masks among them, are 1. Floats are near-normal.
 * Dimensions of one name have one size.
 *
 * @returns undefined for an input whose type has no numbers (strings), or whose rank is unknown
 */
export function madeFeeds(
  model: ModelProto,
  { seed = 1, batchSize = 2, length = 8 }: MadeFeedsOptions = {},
): Record<string, Tensor> | undefined {
  const opened = openForCompression(model);
  const { main } = opened;
  const types = inferShapes(opened);
  const random = seededRandom(seed);
  const named = new Map<string, number>();
  const shapes = new Map<string, readonly number[]>();
  for (const { name } of main.inputs) {
    const type = types.typeOf(main, name);
    if (type?.shape === undefined) return undefined;
    const batchAxis = isState(type.shape) ? 1 : 0;
    const shape = type.shape.map((dim, axis) => {
      if (typeof dim === "number") return dim;
      const known = dim === undefined ? undefined : named.get(dim);
      const size = known ?? (axis === batchAxis ? batchSize : length);
      if (dim !== undefined && dim !== "") named.set(dim, size);
      return size;
    });
    shapes.set(name, shape);
  }
  const sizeOf = (dim: number | string | undefined): number =>
    typeof dim === "number" ? dim : (named.get(dim ?? "") ?? length);
  const feeds = Object.create(null) as Record<string, Tensor>;
  for (const [name, shape] of shapes) {
    const { dtype = "float32" } = types.typeOf(main, name) ?? {};
    const meaning = integerTypes.has(dtype) ? meaningOf(main, types, name, sizeOf) : undefined;
    const tensor = filled(dtype, shape, () => {
      if (dtype === "bool") return 1;
      if (meaning === undefined) return random.normal();
      return meaning.kind === "rows" ? random.below(meaning.count) : meaning.value;
    });
    if (tensor === undefined) return undefined;
    feeds[name] = tensor;
  }
  return feeds;
}

/** [layers, batch, hidden], as recurrent layers keep their state: the open axis between two fixed ones is the batch. */
const isState = (shape: readonly (number | string | undefined)[]): boolean =>
  shape.length === 3 &&
  typeof shape[0] === "number" &&
  typeof shape[1] !== "number" &&
  typeof shape[2] === "number";

const integerTypes = new Set<DType>([
  "int64",
  "int32",
  "int16",
  "int8",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
]);

function filled(dtype: DType, shape: readonly number[], value: () => number): Tensor | undefined {
  if (dtype === "float16") {
    const wide = filled("float32", shape, value);
    return wide && cast(wide, dtype);
  }
  if (!integerTypes.has(dtype) && !["float32", "float64", "bool"].includes(dtype)) return undefined;
  const data = new (dataConstructor(dtype))(elementCount(shape)) as unknown as (number | bigint)[];
  const isBig = dtype === "int64" || dtype === "uint64";
  for (let i = 0; i < data.length; i++) data[i] = isBig ? BigInt(value()) : value();
  return { dtype, shape, data } as unknown as Tensor;
}

type Meaning =
  | { readonly kind: "rows"; readonly count: number }
  | { readonly kind: "constant"; readonly value: number };

/** What integers of a value stand for, by who reads them. */
function meaningOf(
  graph: Graph,
  types: ValueTypes,
  name: string,
  sizeOf: (dim: number | string | undefined) => number,
): Meaning {
  const pending = [name];
  const seen = new Set<string>();
  let rows = Number.POSITIVE_INFINITY;
  let value = 1;
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    if (seen.has(current)) continue;
    seen.add(current);
    for (const { node, index, graph: scope } of graph.consumers(current)) {
      if (scope !== graph) continue;
      if (node.opType === "Gather" && index === 1) {
        const table = weightSource(graph, node.input[0] ?? "")?.tensor.shape[0];
        if (table !== undefined) rows = Math.min(rows, table);
      } else if (node.opType === "Equal") {
        // A choice (a sampling rate, a task): one of those that the graph knows.
        const known = weightSource(graph, node.input[1 - index] ?? "")?.tensor;
        if (known !== undefined && elementCount(known.shape) === 1) value = Number(known.data[0]);
      } else if (["LSTM", "GRU", "RNN"].includes(node.opType) && index === 4) {
        value = sizeOf(types.typeOf(graph, node.input[0] ?? "")?.shape?.[0]);
      } else if (moves.has(node.opType)) {
        pending.push(...node.output);
      }
    }
  }
  return Number.isFinite(rows) ? { kind: "rows", count: rows } : { kind: "constant", value };
}
