import type { Tensor } from "@nasty/core";
import { intsAttribute, type NodeProto, type TensorProto } from "@nasty/formats/onnx";
import { dtypeOf } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";

/** A constant, traced back to where its bytes are. */
export interface ResolvedWeight {
  /** Name of the initializer, or of the Constant node's output. */
  readonly name: string;
  /** The graph that holds it: the reader's own or an outer one. */
  readonly owner: Graph;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The reader sees the transpose of the (rank 2) constant. */
  readonly transposed: boolean;
}

function constantProto(scope: Graph, name: string, producer: NodeProto | undefined): TensorProto | undefined {
  if (producer !== undefined) {
    const value = producer.attribute.find((attribute) => attribute.name === "value");
    return producer.opType === "Constant" ? value?.t : undefined;
  }
  return scope.isOverridable(name) ? undefined : scope.initializers.get(name);
}

function dtypeName(dataType: number): string {
  try {
    return dtypeOf(dataType);
  } catch {
    return `data type ${dataType}`;
  }
}

function swapsMatrix(node: NodeProto): boolean {
  const permutation = intsAttribute(node, "perm", []).map(Number);
  // Without a permutation the axes are reversed, which for a matrix is the same.
  return (
    permutation.length === 0 || (permutation.length === 2 && permutation[0] === 1 && permutation[1] === 0)
  );
}

/**
 * Follows a name through Identity, Constant and the transposition of a matrix to the constant behind it, without
 * reading its values.
 *
 * Two names that lead to one constant give the same `name` and `owner`, which is how shared and tied weights are found.
 *
 * @returns undefined when the value depends on the model's inputs
 */
export function resolveWeight(graph: Graph, name: string): ResolvedWeight | undefined {
  let current = name;
  let transposed = false;
  const seen = new Set<NodeProto>();
  for (let scope = graph.scopeOf(current); scope !== undefined; scope = scope.scopeOf(current)) {
    const producer = scope.producer(current);
    const proto = constantProto(scope, current, producer);
    if (proto !== undefined) {
      const shape = proto.dims.map(Number);
      if (transposed && shape.length !== 2) {
        return undefined;
      }
      return { name: current, owner: scope, dtype: dtypeName(proto.dataType), shape, transposed };
    }
    const input = producer?.input[0];
    if (producer === undefined || input === undefined || producer.domain !== "" || seen.has(producer)) {
      return undefined;
    }
    seen.add(producer);
    if (producer.opType === "Transpose" && swapsMatrix(producer)) {
      transposed = !transposed;
    } else if (producer.opType !== "Identity") {
      return undefined;
    }
    current = input;
  }
  return undefined;
}

/**
 * The values of a resolved weight, in its own layout: a view of the model's bytes where alignment allows, else a copy.
 */
export function readWeight(weight: Pick<ResolvedWeight, "owner" | "name">): Tensor {
  const tensor = weight.owner.constant(weight.name);
  if (tensor === undefined) {
    throw new TypeError(`readWeight: ${weight.name} is not a constant`);
  }
  return tensor;
}
