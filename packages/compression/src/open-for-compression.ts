import type { ModelProto, NodeProto } from "@nasty/formats/onnx";
import { foldConstants, ModelGraph, type Graph } from "@nasty/graph";
import { resolveWeight } from "./resolve-weight.js";

/** Inputs that hold weights, by operator. */
const weightInputs: ReadonlyMap<string, readonly number[]> = new Map([
  ["MatMul", [1]],
  ["Gemm", [1]],
  ["Gather", [0]],
  ["Conv", [1]],
  ["LSTM", [1, 2]],
]);

/** Largest tensor that folding may make; a weight's parts are gone when it is put together. */
const limitBytes = 2 ** 28;

/** Whether a value is computed, and of constants only: a weight that an exporter sliced, joined or reshaped. */
function isComputedConstant(graph: Graph, name: string, open: Set<NodeProto>): boolean {
  const scope = graph.scopeOf(name);
  const producer = scope?.producer(name);
  if (scope === undefined || producer === undefined) {
    return scope !== undefined && scope.initializers.has(name) && !scope.isOverridable(name);
  }
  if (producer.opType === "Constant") {
    return true;
  }
  if (open.has(producer) || producer.input.length === 0) {
    return false;
  }
  open.add(producer);
  return producer.input.every((input) => input === "" || isComputedConstant(scope, input, open));
}

function needsFolding(model: ModelGraph): boolean {
  return model.allGraphs().some((graph) =>
    graph.nodes.some((node) =>
      (weightInputs.get(node.opType) ?? []).some((index) => {
        const name = node.input[index] ?? "";
        return resolveWeight(graph, name) === undefined && isComputedConstant(graph, name, new Set());
      }),
    ),
  );
}

/**
 * Opens a model for rewriting.
 *
 * Initializers that exporters also listed as inputs count as constants: a runtime does not pack, fold or fuse a weight that callers
 * may feed anew, and nobody who quantizes a model wants to. Weights that the graph computes from constants are computed here.
 */
export function openForCompression(model: ModelProto): ModelGraph {
  const graph = ModelGraph.from(model, { listedInitializers: "constant" });
  if (needsFolding(graph)) {
    foldConstants(graph, { limitBytes });
  }
  return graph;
}
