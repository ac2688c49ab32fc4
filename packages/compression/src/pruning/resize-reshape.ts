import { tensor } from "@nasty/core";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { nodeLabel } from "../weight-sites.js";
import type { HeadReshape } from "./find-attention.js";
import type { TypedGraph } from "./trace.js";

/** Size that lets the runtime work the dimension out. */
const inferred = -1;
/** Size that copies the dimension of the input. */
const copied = 0;

interface Target {
  readonly sizes: readonly (number | string | undefined)[];
  /** Position of the size that changes. */
  readonly position: number;
}

function targetOf({ graph, types }: TypedGraph, { node, kind }: HeadReshape): Target | undefined {
  const sizes = types.sizesOf(graph, node.input[1] ?? "");
  const rank = types.typeOf(graph, node.output[0] ?? "")?.shape?.length;
  if (sizes === undefined || sizes.length !== rank) {
    return undefined;
  }
  return { sizes, position: kind === "split" ? rank - 2 : rank - 1 };
}

/**
 * Sizes to write in the place of those that a Reshape has, with one of them changed; undefined where nothing need change or no constant will do.
 *
 * Sizes that are computed become 0 (copy the input's) where input and result agree.
 */
function constantSizes(
  typed: TypedGraph,
  node: NodeProto,
  target: Target,
  size: number,
): number[] | undefined {
  const { graph, types } = typed;
  const [from, to] = [node.input[0], node.output[0]].map((name) => types.typeOf(graph, name ?? "")?.shape);
  const isCopying = intAttribute(node, "allowzero", 0) === 0;
  const sizes = target.sizes.map((known, index) => {
    if (index === target.position) {
      return size;
    }
    if (typeof known === "number") {
      return known;
    }
    const isSame = to?.[index] !== undefined && to[index] === from?.[index];
    return isSame && isCopying ? copied : undefined;
  });
  const open = sizes.filter((known) => known === undefined).length;
  if (open > 1 || (open === 1 && sizes.includes(inferred))) {
    return undefined;
  }
  return sizes.map((known) => known ?? inferred);
}

/** Why a Reshape could not follow a change of its heads, or undefined if it can. */
export function reshapeObstacle(typed: TypedGraph, reshape: HeadReshape): string | undefined {
  const target = targetOf(typed, reshape);
  const label = nodeLabel(reshape.node);
  if (target === undefined) {
    return `the sizes that ${label} reshapes to are not known`;
  }
  if (target.sizes[target.position] === inferred) {
    return undefined;
  }
  return constantSizes(typed, reshape.node, target, 1) === undefined
    ? `the sizes that ${label} reshapes to are computed in a way that cannot be followed`
    : undefined;
}

/** Lets a Reshape split into, or join, another number of heads. */
export function resizeReshape(typed: TypedGraph, reshape: HeadReshape, size: number): void {
  const { graph } = typed;
  const { node } = reshape;
  const target = targetOf(typed, reshape);
  if (target === undefined || target.sizes[target.position] === inferred) {
    return;
  }
  const sizes = constantSizes(typed, node, target, size);
  if (sizes === undefined) {
    throw new TypeError(`resizeReshape: ${nodeLabel(node)} has sizes that cannot be followed`);
  }
  const value = tensor("int64", [sizes.length], BigInt64Array.from(sizes, BigInt));
  graph.setInput(node, 1, graph.addInitializer(`${nodeLabel(node)}_shape`, value));
}
