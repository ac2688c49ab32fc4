import type { NodeProto } from "@nasty/formats/onnx";
import {
  type Graph,
  isStandard,
  type ValueTypes,
  type WeightSource,
  weightSource,
  weightUsage,
} from "@nasty/graph";

/** A graph with the types of its values, as the pattern finders read it. */
export interface TypedGraph {
  readonly graph: Graph;
  readonly types: ValueTypes;
}

/** A constant matrix [K, N] as its product reads it, and the bias that is added right after. */
export interface Projection {
  readonly matMul: NodeProto;
  readonly weight: WeightSource;
  /** K: length of what is multiplied. */
  readonly inputs: number;
  /** N: length of the result. */
  readonly outputs: number;
  readonly bias: { readonly node: NodeProto; readonly index: number } | undefined;
  /** What is multiplied. */
  readonly input: string;
  /** The result, bias included. */
  readonly output: string;
}

/** Why a pattern does not hold. */
export interface Mismatch {
  readonly reason: string;
}

export const isMismatch = (value: object): value is Mismatch => "reason" in value;

/** Operators that hand a value on as it is when a model is run. */
export const passThrough: ReadonlySet<string> = new Set(["Identity", "Dropout", "Cast", "CastLike"]);

/** The only node that computes with a value, if there is one: nodes that only ask for its shape do not count. */
export function soleReader(graph: Graph, name: string): NodeProto | undefined {
  if (graph.isOutput(name)) {
    return undefined;
  }
  const readers = graph
    .consumers(name)
    .filter(({ node }) => node.opType !== "Shape" && node.opType !== "Size");
  const [first, ...others] = readers;
  return first?.graph === graph && others.every(({ node }) => node === first.node) ? first.node : undefined;
}

/** Whether a value is one number: a constant, or computed with a known shape. */
export function isScalar({ graph, types }: TypedGraph, name: string): boolean {
  const shape = types.typeOf(graph, name)?.shape ?? graph.constant(name)?.shape;
  return shape !== undefined && shape.every((size) => size === 1);
}

/**
 * Whether a node is a Reshape whose result has the last axis of its input: rows of a batch in one list, or back in the
 * batch.
 */
export function keepsLastAxis({ graph, types }: TypedGraph, node: NodeProto): boolean {
  if (node.opType !== "Reshape" || !isStandard(node)) {
    return false;
  }
  const [from, to] = [node.input[0], node.output[0]].map((name) =>
    types.typeOf(graph, name ?? "")?.shape?.at(-1),
  );
  return from !== undefined && from === to;
}

/** The float32 matrix that a MatMul multiplies with, if it is a constant. */
export function matrixOf(graph: Graph, node: NodeProto): WeightSource | undefined {
  if (node.opType !== "MatMul" || !isStandard(node)) {
    return undefined;
  }
  const weight = weightSource(graph, node.input[1] ?? "");
  return weight?.tensor.dtype === "float32" && weight.tensor.shape.length === 2 ? weight : undefined;
}

/** The product with a constant matrix that makes a value, seen through its bias. */
export function projectionOf(graph: Graph, name: string): Projection | undefined {
  const producer = graph.producer(name);
  if (producer === undefined || graph.scopeOf(name) !== graph) {
    return undefined;
  }
  if (passThrough.has(producer.opType) && !producer.opType.startsWith("Cast")) {
    return projectionOf(graph, producer.input[0] ?? "");
  }
  if (producer.opType === "Add" && isStandard(producer)) {
    const index = producer.input.findIndex((input) => graph.constant(input) !== undefined);
    const product = graph.producer(producer.input[1 - index] ?? "");
    if (index >= 0 && product?.opType === "MatMul") {
      return projection(graph, product, { node: producer, index });
    }
  }
  return projection(graph, producer, undefined);
}

function projection(graph: Graph, matMul: NodeProto, bias: Projection["bias"]): Projection | undefined {
  const weight = matrixOf(graph, matMul);
  if (weight === undefined) {
    return undefined;
  }
  const { shape } = weight.tensor;
  const order = weight.perm ?? [0, 1];
  const [inputs = 0, outputs = 0] = order.map((axis) => shape[axis] ?? 0);
  const value = bias?.node.output[0] ?? matMul.output[0] ?? "";
  return { matMul, weight, inputs, outputs, bias, input: matMul.input[0] ?? "", output: value };
}

/** The bias that is added to a product by its only reader, if there is one. */
export function withBiasAfter(graph: Graph, matMul: NodeProto): Projection | undefined {
  const reader = soleReader(graph, matMul.output[0] ?? "");
  const sum = reader?.opType === "Add" ? reader.output[0] : undefined;
  const seen = sum === undefined ? undefined : projectionOf(graph, sum);
  return seen?.matMul === matMul ? seen : projection(graph, matMul, undefined);
}

/** Whether a constant is read once, so that it can be made smaller where it stands. */
export function isOwn(weight: WeightSource): boolean {
  return !weightUsage(weight.graph, weight.name).shared;
}
