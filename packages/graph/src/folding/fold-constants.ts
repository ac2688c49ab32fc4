import { byteLength, type Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "../graph.js";
import { inferShapes, type ValueTypes } from "../inference/infer-shapes.js";
import { attempt, nodeContext } from "../inference/node-context.js";
import type { ModelGraph } from "../model-graph.js";
import { isStandard } from "../operators/traits.js";
import { topologicalOrder } from "../topological-order.js";
import { arithmeticEvaluators } from "./evaluate-arithmetic.js";
import { layoutEvaluators } from "./evaluate-layout.js";
import type { Evaluator } from "./evaluator.js";

const evaluators: ReadonlyMap<string, Evaluator> = new Map(
  Object.entries({ ...layoutEvaluators, ...arithmeticEvaluators }),
);

export interface FoldOptions {
  /**
   * Largest tensor to make, in bytes, where the tensors it is made of stay in the file (default 1 MiB). A larger one is
   * made only in the place of a constant that nothing else reads, so that the file does not grow.
   */
  readonly limitBytes?: number;
}

/**
 * Replaces nodes whose results no run can change by initializers of the same names, nested graphs included.
 *
 * Covers what lies between weights and the operators that use them (Transpose, Reshape, Squeeze, Unsqueeze, Cast,
 * Identity, Concat, Slice, Gather, Expand), shapes that are known whatever is fed, and float32, float64, int32 and
 * int64 arithmetic. Results equal the runtime's bit for bit. Graph outputs stay computed; what became unused is
 * removed.
 *
 * @returns how many nodes were replaced.
 * @throws GraphError `cycle`; FormatError if a constant's bytes are malformed.
 */
export function foldConstants(model: ModelGraph, { limitBytes = 2 ** 20 }: FoldOptions = {}): number {
  const types = inferShapes(model);
  let folded = 0;
  for (const graph of model.allGraphs()) {
    for (const node of topologicalOrder(graph)) {
      if (bypassIdentity(graph, node)) {
        folded += 1;
        continue;
      }
      const value = foldedValue(model, graph, node, types);
      const output = node.output[0] ?? "";
      if (value === undefined || !isAffordable(graph, node, value, limitBytes)) continue;
      graph.removeNode(node);
      graph.setInitializer(output, value);
      folded += 1;
    }
  }
  if (folded > 0) model.main.pruneUnused();
  return folded;
}

/** Readers of a copied constant read the constant: a second initializer would store it twice. */
const bypassIdentity = (graph: Graph, node: NodeProto): boolean => {
  const [input = "", output = ""] = [node.input[0], node.output[0]];
  if (node.opType !== "Identity" || !isStandard(node) || graph.isOutput(output)) return false;
  if (graph.initializer(input) === undefined || graph.isOverridable(input)) return false;
  const scope = graph.scopeOf(input);
  if (graph.consumers(output).some((use) => use.graph.scopeOf(input) !== scope)) return false;
  graph.bypassNode(node);
  return true;
};

const foldedValue = (
  model: ModelGraph,
  graph: Graph,
  node: NodeProto,
  types: ValueTypes,
): Tensor | undefined => {
  const output = node.output[0] ?? "";
  if (output === "" || node.output.length !== 1 || node.opType === "Constant" || graph.isOutput(output))
    return undefined;
  if (!isStandard(node)) return undefined;
  const known = knownSizes(graph, output, types);
  if (known !== undefined) return known;
  const evaluate = evaluators.get(node.opType);
  if (evaluate === undefined) return undefined;
  const inputs = node.input.map((name) => (name === "" ? undefined : graph.constant(name)));
  if (inputs.some((input, index) => input === undefined && node.input[index] !== "")) return undefined;
  const shape = types.typeOf(graph, output)?.shape;
  const complete =
    shape?.every((dim) => typeof dim === "number") === true ? (shape as readonly number[]) : undefined;
  const context = nodeContext(graph, node, {
    opset: model.opset(node.domain),
    type: (scope, name) => types.typeOf(scope, name),
    sizes: () => undefined,
    body: () => [],
  });
  return attempt(() => evaluate(inputs, context, complete));
};

/** Shapes that are the same in every run make their values constant though what they are taken from is not. */
const knownSizes = (graph: Graph, name: string, types: ValueTypes): Tensor | undefined => {
  const sizes = types.sizesOf(graph, name);
  const type = types.typeOf(graph, name);
  if (sizes === undefined || type?.dtype !== "int64" || type.shape === undefined) return undefined;
  if (type.shape.length > 1 || !sizes.every((size) => Number.isSafeInteger(size))) return undefined;
  const shape = type.shape.length === 0 ? [] : [sizes.length];
  if (shape.length === 0 && sizes.length !== 1) return undefined;
  return { dtype: "int64", shape, data: BigInt64Array.from(sizes as number[], BigInt) };
};

const isAffordable = (graph: Graph, node: NodeProto, value: Tensor, limitBytes: number): boolean => {
  const bytes = byteLength(value.dtype, value.shape);
  if (bytes <= limitBytes) return true;
  const freed = node.input
    .filter((name) => name !== "" && graph.consumers(name).length === 1 && !graph.isOutput(name))
    .map((name) => graph.constant(name))
    .reduce((sum, input) => sum + (input === undefined ? 0 : byteLength(input.dtype, input.shape)), 0);
  return bytes <= freed;
};
