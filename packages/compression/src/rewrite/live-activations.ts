import { type DType, elementCount } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { type Graph, inferShapes, ModelGraph } from "@nasty/graph";

/** Tokens of a usual sentence. */
const usualLength = 32;

type Shape = readonly (number | string | undefined)[];

/**
 * One sequence of usual length: what a model leaves open is its batch where it comes first of several axes, else a
 * length.
 */
const sized = (shape: Shape): number[] =>
  shape.map((size, axis) =>
    typeof size === "number" ? size : axis === 0 && shape.length > 1 ? 1 : usualLength,
  );

const bytesPerElement = (dtype: DType): number => {
  if (dtype === "float64" || dtype === "int64" || dtype === "uint64") return 8;
  if (dtype === "float32" || dtype === "int32" || dtype === "uint32") return 4;
  return dtype === "float16" || dtype === "bfloat16" || dtype === "int16" || dtype === "uint16" ? 2 : 1;
};

/** Where each value of a graph is used for the last time; outputs of the graph never. */
function lastUses(main: Graph): Map<string, number> {
  const last = new Map<string, number>();
  for (const [at, { input }] of main.nodes.entries()) for (const name of input) last.set(name, at);
  for (const { name } of main.outputs) last.set(name, Number.POSITIVE_INFINITY);
  return last;
}

/**
 * Bytes of the values that are alive at the same time, at most, when the nodes run in their order on one sequence of 32
 * tokens.
 *
 * A value lives from its node to its last reader; fixed sizes count as the model has them. Values of unknown shape and
 * inside subgraphs count as nothing.
 */
export function liveActivationBytes(model: ModelProto): number {
  const graph = ModelGraph.from(model);
  const types = inferShapes(graph);
  const { main } = graph;
  const last = lastUses(main);
  const freed = new Map<number, number>();
  let live = 0;
  let peak = 0;
  for (const [at, { output }] of main.nodes.entries()) {
    for (const name of output) {
      const type = name === "" ? undefined : types.typeOf(main, name);
      if (type?.shape === undefined) continue;
      const bytes = elementCount(sized(type.shape)) * bytesPerElement(type.dtype ?? "float32");
      const end = last.get(name) ?? at;
      live += bytes;
      freed.set(end, (freed.get(end) ?? 0) + bytes);
    }
    peak = Math.max(peak, live);
    live -= freed.get(at) ?? 0;
  }
  return peak;
}
