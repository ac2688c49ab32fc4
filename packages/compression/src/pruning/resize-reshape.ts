import { tensor } from "@nasty/core";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { nodeLabel } from "../plan/weight-sites.js";
import type { TypedGraph } from "./trace.js";

/** A Reshape one of whose sizes depends on how many units there are. */
export interface SizedReshape {
  readonly node: NodeProto;
  /** Which dimension of the result. */
  readonly position: number;
  /** Its size for each unit; undefined if a batch of unknown size is in it too. */
  readonly unit: number | undefined;
}

/** Size that lets the runtime work the dimension out. */
const inferred = -1;
/** Size that copies the dimension of the input. */
const copied = 0;

type Size = number | string | undefined;

const sizesOf = ({ graph, types }: TypedGraph, { node }: SizedReshape): readonly Size[] | undefined => {
  const sizes = types.sizesOf(graph, node.input[1] ?? "");
  const rank = types.typeOf(graph, node.output[0] ?? "")?.shape?.length;
  return sizes?.length === rank ? sizes : undefined;
};

/** Why a Reshape could not follow a change of its units, or undefined if it can. */
export function reshapeObstacle(typed: TypedGraph, reshape: SizedReshape): string | undefined {
  if (reshape.unit !== undefined) {
    return undefined;
  }
  const sizes = sizesOf(typed, reshape);
  const label = nodeLabel(reshape.node);
  if (sizes === undefined) {
    return `the sizes that ${label} reshapes to are not known`;
  }
  const isFree = sizes.every((size, index) => index === reshape.position || size !== inferred);
  return isFree
    ? undefined
    : `the sizes that ${label} reshapes to are computed in a way that cannot be followed`;
}

/** Lets a Reshape make, split into, or join another number of units. */
export function resizeReshape(typed: TypedGraph, reshape: SizedReshape, units: number): void {
  const { graph } = typed;
  const { node, position, unit } = reshape;
  const sizes = sizesOf(typed, reshape);
  if (sizes?.[position] === inferred) {
    return;
  }
  const size = unit === undefined ? inferred : unit * units;
  const constant = sizes && constantSizes(typed, reshape, sizes, size);
  const label = nodeLabel(node);
  if (constant !== undefined) {
    graph.setInput(node, 1, graph.addInitializer(`${label}_shape`, vector(constant)));
    return;
  }
  graph.setInput(node, 1, withSize(typed, reshape, size));
}

/**
 * Sizes to write in the place of those that a Reshape has, with one of them changed; undefined where no constant will
 * do.
 *
 * Sizes that are computed become 0 (copy the input's) where input and result agree.
 */
function constantSizes(
  { graph, types }: TypedGraph,
  { node, position }: SizedReshape,
  sizes: readonly Size[],
  size: number,
): number[] | undefined {
  const [from, to] = [node.input[0], node.output[0]].map((name) => types.typeOf(graph, name ?? "")?.shape);
  const isCopying = intAttribute(node, "allowzero", 0) === 0;
  const known = sizes.map((given, index) => {
    if (index === position) {
      return size;
    }
    if (typeof given === "number") {
      return given;
    }
    const isSame = to?.[index] !== undefined && to[index] === from?.[index];
    return isSame && isCopying ? copied : undefined;
  });
  const open = known.filter((given) => given === undefined).length;
  if (open > 1 || (open === 1 && known.includes(inferred))) {
    return undefined;
  }
  return known.map((given) => given ?? inferred);
}

/** The sizes as they are computed, with another one in the place of one of them. */
function withSize({ graph, types }: TypedGraph, { node, position }: SizedReshape, size: number): string {
  const label = nodeLabel(node);
  const shape = node.input[1] ?? "";
  const rank = types.typeOf(graph, node.output[0] ?? "")?.shape?.length ?? 0;
  const constant = (what: string, values: readonly number[]): string =>
    graph.addInitializer(`${label}_${what}`, vector(values));
  const taken = (what: string, first: number, end: number): string[] => {
    if (first === end) {
      return [];
    }
    const positions = Array.from({ length: end - first }, (_, index) => first + index);
    const output = graph.uniqueName(`${label}_${what}`);
    graph.addNode(
      { opType: "Gather", inputs: [shape, constant(`${what}_positions`, positions)], outputs: [output] },
      { before: node },
    );
    return [output];
  };
  const parts = [
    ...taken("sizes_before", 0, position),
    constant("size", [size]),
    ...taken("sizes_after", position + 1, rank),
  ];
  const output = graph.uniqueName(`${label}_sizes`);
  graph.addNode(
    { opType: "Concat", inputs: parts, outputs: [output], attributes: { axis: 0 } },
    { before: node },
  );
  return output;
}

const vector = (values: readonly number[]) =>
  tensor("int64", [values.length], BigInt64Array.from(values, BigInt));
