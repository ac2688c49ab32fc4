import type { ModelProto, NodeProto } from "@nasty/formats/onnx";
import {
  foldConstants,
  foldIntoConvolutions,
  type Graph,
  type LiftedFloats,
  liftToFloat32,
  ModelGraph,
  standardForm,
} from "@nasty/graph";
import { resolveWeight } from "../plan/resolve-weight.js";

/** Inputs that hold weights, by operator. */
export const weightInputs: ReadonlyMap<string, readonly number[]> = new Map([
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

/** A float32 model of operators that every step understands, and what was done to get it, in sentences. */
export interface PreparedModel {
  readonly model: ModelProto;
  readonly changes: readonly string[];
}

// Plans, measurements and rewrites each open the model that they are given: what is made of it is made once.
const prepared = new WeakMap<ModelProto, PreparedModel>();

/**
 * The model that a step really works on: functions expanded, operator sets below 7 raised, float16 and bfloat16 lifted
 * to float32, and what follows a convolution channel by channel folded into its weights.
 *
 * Inputs and outputs keep names and types. All steps do this themselves; call it to know what was changed, or to let go
 * of the original.
 *
 * @returns the model itself, without changes, where nothing is to be done
 * @throws GraphError for functions that call themselves or expand without bound, and operators that no later operator
 *   set has
 * @example
 * const { model, changes } = prepareModel(parseModel(bytes)); // ["float16 was lifted to float32: …"]
 */
export function prepareModel(given: ModelProto): PreparedModel {
  const known = prepared.get(given);
  if (known !== undefined) return known;
  const { model: standard, changes } = standardForm(given);
  const lifted = liftToFloat32(standard);
  const made = withFoldedConvolutions(
    lifted === undefined
      ? { model: standard, changes }
      : { model: lifted.model, changes: [...changes, liftedText(lifted)] },
  );
  prepared.set(given, made);
  if (made.model !== given) prepared.set(made.model, { model: made.model, changes: made.changes });
  return made;
}

/** An integer convolution cannot take in what the runtime would put into the weights of a float one. */
function withFoldedConvolutions(prepared: PreparedModel): PreparedModel {
  const opened = ModelGraph.from(prepared.model, { listedInitializers: "constant" });
  if (!opened.allGraphs().some(({ nodes }) => nodes.some(({ opType }) => opType === "Conv"))) return prepared;
  const count = foldIntoConvolutions(opened);
  if (count === 0) return prepared;
  const what = count === 1 ? "1 normalization or constant" : `${count} normalizations and constants`;
  return {
    model: opened.toModel(),
    changes: [...prepared.changes, `${what} behind convolutions went into their weights`],
  };
}

function liftedText({ from, tensors }: LiftedFloats): string {
  const what = tensors === 0 ? "" : ` (${tensors} ${tensors === 1 ? "tensor" : "tensors"})`;
  return `${from.join(" and ")} was lifted to float32${what}: inputs and outputs keep their types, by a cast`;
}

/**
 * Opens a model for rewriting, as {@link prepareModel} makes it.
 *
 * Initializers that exporters also listed as inputs count as constants: a runtime does not pack, fold or fuse a weight
 * that callers may feed anew, and nobody who quantizes a model wants to. Weights that the graph computes from constants
 * are computed here.
 */
export function openForCompression(model: ModelProto): ModelGraph {
  const graph = ModelGraph.from(prepareModel(model).model, { listedInitializers: "constant" });
  if (needsFolding(graph)) {
    foldConstants(graph, { limitBytes });
  }
  return graph;
}
