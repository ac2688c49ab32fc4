import type { DType } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import { tensorOf } from "../constant-value.js";
import type { Graph } from "../graph.js";
import type { ModelGraph } from "../model-graph.js";
import { schemaOf } from "../operators/table.js";
import { topologicalOrder } from "../topological-order.js";
import { declaredType, storedType } from "./declared-type.js";
import { type Dim, mergeDim } from "./dims.js";
import { attempt, type KnownValues, nodeContext } from "./node-context.js";
import type { PartialType, SizeValue } from "./rule.js";

/** Element type and shape of a value; the shape is undefined if not even the rank is known. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: readonly Dim[] | undefined;
}

/** Types of a model's values, as they were when `inferShapes` ran. */
export interface ValueTypes {
  /**
   * Type of `name` as `graph` sees it; undefined if unknown, or of an element type without a dtype here.
   */
  typeOf(graph: Graph, name: string): ValueType | undefined;
  /** Sizes that an integer scalar or vector carries, such as the target of a Reshape, as far as they are known. */
  sizesOf(graph: Graph, name: string): readonly Dim[] | undefined;
}

/** Integer tensors up to this many elements are followed as sizes: twice the rank of anything real. */
const sizeLimit = 64;

/**
 * Infers element type and shape of every value, nested graphs included.
 *
 * Dimensions are numbers, the model's own symbols, products and sums of them (`4*batch`), or undefined. Where the file
 * declares a type (inputs, outputs, value_info) it fills what the rules leave open. Operators without a rule and
 * malformed attributes give unknown types, never an error.
 *
 * @throws GraphError `cycle` if the nodes of a graph cannot be ordered.
 * @see ONNX 1.22 operator specification, operator sets 7 to 25; ONNX Runtime 1.30 contrib operators
 * @example
 * ```ts
 * const types = inferShapes(model);
 * types.typeOf(model.main, "logits"); // { dtype: "float32", shape: ["batch", "sequence", 17] }
 * ```
 */
export function inferShapes(model: ModelGraph): ValueTypes {
  const types = new Map<Graph, Map<string, PartialType>>();
  const sizes = new Map<Graph, Map<string, SizeValue>>();
  const known = (opset: number): KnownValues => ({
    opset,
    type: lookUpType,
    sizes: lookUpSizes,
    body: inferBody,
  });

  function lookUpType(graph: Graph, name: string): PartialType | undefined {
    const scope = graph.scopeOf(name) ?? graph;
    return types.get(scope)?.get(name);
  }

  function lookUpSizes(graph: Graph, name: string): SizeValue | undefined {
    const scope = graph.scopeOf(name) ?? graph;
    return sizes.get(scope)?.get(name);
  }

  function inferBody(graph: Graph, inputs: readonly (PartialType | undefined)[]): readonly PartialType[] {
    const graphTypes = new Map<string, PartialType>();
    const graphSizes = new Map<string, SizeValue>();
    types.set(graph, graphTypes);
    sizes.set(graph, graphSizes);
    for (const [index, info] of graph.inputs.entries()) {
      graphTypes.set(info.name, merge(inputs[index], declaredType(info)));
    }
    for (const [name, proto] of graph.initializers) {
      const stored = storedType(proto);
      // What a caller may feed instead has the declared shape, not that of the default.
      if (graph.isOverridable(name)) continue;
      graphTypes.set(name, stored);
      if (!isSizeLike(stored)) continue;
      const value = constantSizes(graph, name);
      if (value !== undefined) graphSizes.set(name, value);
    }
    for (const node of topologicalOrder(graph)) inferNode(graph, node, graphTypes, graphSizes);
    return graph.outputs.map(({ name }) => lookUpType(graph, name) ?? {});
  }

  function inferNode(
    graph: Graph,
    node: NodeProto,
    graphTypes: Map<string, PartialType>,
    graphSizes: Map<string, SizeValue>,
  ): void {
    const schema = schemaOf(node);
    const context = nodeContext(graph, node, known(model.opset(node.domain)));
    const inferred = schema === undefined ? [] : (attempt(() => schema.infer(context)) ?? []);
    for (const [index, name] of node.output.entries()) {
      if (name !== "") graphTypes.set(name, merge(inferred[index], declaredType(graph.declaredType(name))));
    }
    // A rule that does not look into a node's graphs leaves them without types.
    for (const child of graph.subgraphs(node)) if (!types.has(child)) inferBody(child, []);
    const first = node.output[0] ?? "";
    if (first === "") return;
    const value =
      node.opType === "Constant" ? constantSizes(graph, first) : attempt(() => schema?.sizes?.(context));
    if (value !== undefined && value.elements.length <= sizeLimit) graphSizes.set(first, value);
  }

  inferBody(model.main, []);
  return {
    typeOf: (graph, name) => {
      const type = lookUpType(graph, name);
      return type?.dtype === undefined ? undefined : { dtype: type.dtype, shape: type.shape };
    },
    sizesOf: (graph, name) => lookUpSizes(graph, name)?.elements,
  };
}

const isSizeLike = ({ dtype, shape }: PartialType): boolean => {
  if (dtype !== "int64" && dtype !== "int32" && dtype !== "bool") return false;
  if (shape === undefined || shape.length > 1) return false;
  return shape.length === 0 || (typeof shape[0] === "number" && shape[0] <= sizeLimit);
};

/** A small integer constant as sizes. */
const constantSizes = (graph: Graph, name: string): SizeValue | undefined => {
  const proto = graph.initializers.get(name);
  const value = attempt(() => (proto === undefined ? graph.constant(name) : tensorOf(proto)));
  if (value === undefined || !isSizeLike(value)) return undefined;
  return {
    scalar: value.shape.length === 0,
    elements: Array.from(value.data as ArrayLike<number | bigint>, Number),
  };
};

const merge = (inferred: PartialType | undefined, declared: PartialType | undefined): PartialType => {
  const dtype = inferred?.dtype ?? declared?.dtype;
  const shape = inferred?.shape;
  const stated = declared?.shape;
  if (shape === undefined) return { dtype, shape: stated };
  // A declaration of another rank is stale: the rule saw the graph as it is now.
  if (stated === undefined || stated.length !== shape.length) return { dtype, shape };
  return { dtype, shape: shape.map((dim, axis) => mergeDim(dim, stated[axis])) };
};
