import type { Tensor } from "@nasty/core";
import { intsAttribute, type NodeProto } from "@nasty/formats/onnx";
import { constantNodeValue } from "./constant-value.js";
import type { Graph, Use } from "./graph.js";
import { isStandard } from "./operators/traits.js";

/** How a use reads a constant: as it is, or with its axes in another order. */
export interface WeightUse extends Use {
  /** Name that the node reads: the constant's own, or the last one of `through`. */
  readonly name: string;
  /** Order of the axes as the node sees them; undefined if the constant is read as it is. */
  readonly perm: readonly number[] | undefined;
  /** Identity and Transpose nodes between the constant and the use, in order. */
  readonly through: readonly NodeProto[];
}

/** All that reads a constant, and whether it can be replaced for one reader alone. */
export interface WeightUsage {
  readonly uses: readonly WeightUse[];
  /** True if more than one input reads it, or a graph output does. */
  readonly shared: boolean;
}

/**
 * Everywhere that a constant is read, nested graphs included, followed through Identity and Transpose nodes.
 *
 * @param name of an initializer or of the output of a Constant node.
 * @example
 * ```ts
 * // Tied embeddings: one Gather reads [vocabulary, hidden], one MatMul the transpose.
 * weightUsage(graph, "embeddings").uses.map(({ node, perm }) => [node.opType, perm]); // [["Gather", undefined], ["MatMul", [1, 0]]]
 * ```
 */
export function weightUsage(graph: Graph, name: string): WeightUsage {
  const uses: WeightUse[] = [];
  let escapes = false;
  const follow = (
    scope: Graph,
    value: string,
    perm: readonly number[] | undefined,
    through: readonly NodeProto[],
  ): void => {
    if (scope.isOutput(value)) escapes = true;
    for (const use of scope.consumers(value)) {
      const next = use.node.output[0] ?? "";
      const order = isPlain(use.node) ? permutation(use.node, scope, name, perm) : undefined;
      // The chain ends if it came round to itself: validation names the cycle.
      if (order === undefined || through.includes(use.node))
        uses.push({ ...use, name: value, perm, through });
      else follow(use.graph, next, order.perm, [...through, use.node]);
    }
  };
  follow(graph, name, undefined, []);
  return { uses, shared: escapes || uses.length > 1 };
}

/** Where a node's constant input comes from. */
export interface WeightSource {
  /** Name of the initializer, or of the output of the Constant node. */
  readonly name: string;
  /** The graph that defines it. */
  readonly graph: Graph;
  /** The Constant node; undefined for an initializer. */
  readonly constantNode: NodeProto | undefined;
  /** The stored tensor, before any transposition. */
  readonly tensor: Tensor;
  /** Order in which the reader sees the stored axes; undefined if as they are. */
  readonly perm: readonly number[] | undefined;
  /** Identity and Transpose nodes from the constant to the reader, in order. */
  readonly through: readonly NodeProto[];
}

/**
 * The constant that a value is, if it is one, through Identity and Transpose nodes.
 *
 * @returns undefined for computed values and for initializers that a caller may override.
 */
export function weightSource(graph: Graph, name: string): WeightSource | undefined {
  const through: NodeProto[] = [];
  let scope = graph.scopeOf(name);
  let current = name;
  while (scope !== undefined) {
    const node = scope.producer(current);
    if (node === undefined || node.opType === "Constant") {
      const tensor = node === undefined ? scope.constant(current) : constantNodeValue(node);
      if (tensor === undefined) return undefined;
      const perm = through.reduce<readonly number[] | undefined>((order, one) => {
        if (one.opType !== "Transpose") return order;
        return compose(order, intsAttribute(one, "perm") ?? reversed(tensor.shape.length));
      }, undefined);
      return { name: current, graph: scope, constantNode: node, tensor, perm, through };
    }
    if (!isPlain(node) || through.includes(node)) return undefined;
    through.unshift(node);
    current = node.input[0] ?? "";
    scope = scope.scopeOf(current);
  }
  return undefined;
}

const isPlain = (node: NodeProto): boolean =>
  (node.opType === "Identity" || node.opType === "Transpose") && isStandard(node);

const reversed = (rank: number): readonly number[] =>
  Array.from({ length: rank }, (_, axis) => rank - 1 - axis);

const compose = (
  first: readonly number[] | undefined,
  second: readonly number[],
): readonly number[] | undefined => {
  const order = first === undefined ? second : second.map((axis) => first[axis] as number);
  return order.every((axis, index) => axis === index) ? undefined : order;
};

const permutation = (
  node: NodeProto,
  graph: Graph,
  name: string,
  before: readonly number[] | undefined,
): { readonly perm: readonly number[] | undefined } | undefined => {
  if (node.opType === "Identity") return { perm: before };
  const given = intsAttribute(node, "perm");
  if (given !== undefined) return { perm: compose(before, given) };
  const rank = before?.length ?? graph.constant(name)?.shape.length;
  return rank === undefined ? undefined : { perm: compose(before, reversed(rank)) };
};
