import type { NodeProto } from "@nasty/formats/onnx";
import { nodeLabel } from "../plan/weight-sites.js";
import {
  axisAfter,
  axisBefore,
  type HeadAxis,
  reshapedHeads,
  reshaping,
  shapeOf,
  shareOf,
} from "./head-axis.js";
import type { SizedReshape } from "./resize-reshape.js";
import {
  isScalar,
  type Mismatch,
  passThrough,
  type Projection,
  projectionOf,
  soleReader,
  type TypedGraph,
  withBiasAfter,
} from "./trace.js";

/** A node's input that holds values for each head: a constant to be sliced. */
export interface PerHeadInput {
  readonly node: NodeProto;
  readonly index: number;
  /** Position of the heads' axis from the end of the shape, from 1. */
  readonly axisFromEnd: number;
  /** Values a head. */
  readonly width: number;
}

/** What lies on a way that heads take through a graph, and what of it depends on how many there are. */
export interface Traced {
  readonly nodes: readonly NodeProto[];
  readonly reshapes: readonly SizedReshape[];
  readonly perHead: readonly PerHeadInput[];
}

/** A way that begins or ends at a product with a constant matrix. */
export interface ProjectedTrace extends Traced {
  readonly projection: Projection;
}

interface Way {
  readonly nodes: NodeProto[];
  readonly reshapes: SizedReshape[];
  readonly perHead: PerHeadInput[];
}

const newWay = (): Way => ({ nodes: [], reshapes: [], perHead: [] });

const fail = (reason: string): Mismatch => ({ reason });

/** A batch of matrices has the heads before its last two axes. */
const inProduct = (rank: number): HeadAxis => ({ axis: rank - 3, width: 1 });

/**
 * The projection behind an operand of a product [b, heads, …] or [b·heads, …], past transpositions, scales and changes
 * of shape.
 *
 * The heads must lie side by side in its result: column h·width + i is value i of head h.
 */
export function traceProjection(typed: TypedGraph, start: string, heads: number): ProjectedTrace | Mismatch {
  const { graph } = typed;
  const way = newWay();
  const first = shapeOf(typed, start);
  let at: HeadAxis | undefined = first === undefined ? undefined : inProduct(first.length);
  let current = start;
  while (at !== undefined) {
    const rank = shapeOf(typed, current)?.length;
    const node = graph.producer(current);
    if (rank === undefined || node === undefined || way.nodes.includes(node)) {
      break;
    }
    const projection = projectionOf(graph, current);
    if (projection !== undefined) {
      return at.axis === rank - 1 && at.width * heads === projection.outputs
        ? { ...way, projection }
        : fail(`${nodeLabel(projection.matMul)} does not make heads one after the other`);
    }
    way.nodes.push(node);
    let next = node.input[0] ?? "";
    if (node.opType === "Transpose") {
      at = { ...at, axis: axisBefore(node, at.axis, rank) };
    } else if (reshaping.has(node.opType)) {
      if (node.opType === "Reshape") {
        way.reshapes.push(sizedReshape(typed, node, at, heads));
      }
      at = reshapedHeads(at, shapeOf(typed, current), shapeOf(typed, next), heads);
      if (at === undefined) {
        return fail(`${nodeLabel(node)} does not split into heads`);
      }
    } else if (["Mul", "Div", "Add"].includes(node.opType)) {
      const index = constantOperand(typed, node);
      const share = index < 0 ? "unclear" : shareOf(typed, node.input[index] ?? "", at, { rank, heads });
      if (share === "unclear") {
        return fail(`${node.opType} ${nodeLabel(node)} is between a projection and its product`);
      }
      if (share === "each") {
        way.perHead.push({ node, index, axisFromEnd: rank - at.axis, width: at.width });
      }
      next = node.input[1 - index] ?? "";
    } else if (!passThrough.has(node.opType)) {
      return fail(`${node.opType} ${nodeLabel(node)} is between a projection and its product`);
    }
    current = next;
  }
  return fail("an operand of its products is not a projection split into heads");
}

/** Which operand of an element-wise node is a scale or a constant; -1 if none is. */
function constantOperand(typed: TypedGraph, node: NodeProto): number {
  const constant = node.input.findIndex((input) => typed.graph.constant(input) !== undefined);
  return constant >= 0 ? constant : node.input.findIndex((input) => isScalar(typed, input));
}

function sizedReshape(
  typed: TypedGraph,
  node: NodeProto,
  { axis, width }: HeadAxis,
  heads: number,
): SizedReshape {
  const size = shapeOf(typed, node.output[0] ?? "")?.[axis];
  const blocks = typeof size === "number" ? size / (heads * width) : undefined;
  return { node, position: axis, unit: blocks === undefined ? undefined : blocks * width };
}

/** The projection of the joined heads after the product with the values. */
export function traceJoined(typed: TypedGraph, context: NodeProto, heads: number): ProjectedTrace | Mismatch {
  const { graph } = typed;
  const way = newWay();
  let current = context.output[0] ?? "";
  const first = shapeOf(typed, current);
  let at: HeadAxis | undefined = first === undefined ? undefined : inProduct(first.length);
  for (let node = soleReader(graph, current); node !== undefined; node = soleReader(graph, current)) {
    const rank = shapeOf(typed, current)?.length;
    if (at === undefined || rank === undefined) {
      break;
    }
    const next = node.output[0] ?? "";
    if (node.opType === "MatMul") {
      const projection = node.input[0] === current ? withBiasAfter(graph, node) : undefined;
      return projection !== undefined && at.axis === rank - 1 && at.width * heads === projection.inputs
        ? { ...way, projection }
        : fail(`${nodeLabel(node)} does not project the joined heads with a constant matrix`);
    }
    way.nodes.push(node);
    if (node.opType === "Transpose") {
      at = { ...at, axis: axisAfter(node, at.axis, rank) };
    } else if (reshaping.has(node.opType)) {
      at = reshapedHeads(at, shapeOf(typed, current), shapeOf(typed, next), heads);
      if (at === undefined) {
        return fail(`${nodeLabel(node)} does not join heads`);
      }
      if (node.opType === "Reshape") {
        way.reshapes.push(sizedReshape(typed, node, at, heads));
      }
    } else if (!passThrough.has(node.opType)) {
      return fail(`${node.opType} ${nodeLabel(node)} is between the heads and their projection`);
    }
    current = next;
  }
  return fail("the heads have no single projection");
}

const scoreOperators = new Set(["Add", "Sub", "Mul", "Div", "Where", "Max", "Min", ...passThrough]);

/** The way from the product of queries and keys to the Softmax, past scaling and masks. */
export function traceScores(
  typed: TypedGraph,
  softmax: NodeProto,
  { heads, product }: { readonly heads: number; readonly product: NodeProto },
): Traced | Mismatch {
  const { graph } = typed;
  const way = newWay();
  let current = softmax.input[0] ?? "";
  const first = shapeOf(typed, current);
  let at: HeadAxis | undefined = first === undefined ? undefined : inProduct(first.length);
  for (let node = graph.producer(current); node !== undefined; node = graph.producer(current)) {
    const rank = shapeOf(typed, current)?.length;
    if (node === product) {
      return at?.axis === (rank ?? 0) - 3 ? way : fail("its scores are not a matrix a head");
    }
    if (at === undefined || rank === undefined || way.nodes.includes(node)) {
      break;
    }
    way.nodes.push(node);
    const path = node.input.findIndex((input) => leadsTo(typed, input, product));
    const next = node.input[path] ?? "";
    if (path === 0 && reshaping.has(node.opType)) {
      if (node.opType === "Reshape") {
        way.reshapes.push(sizedReshape(typed, node, at, heads));
      }
      at = reshapedHeads(at, shapeOf(typed, current), shapeOf(typed, next), heads);
    } else if (!scoreOperators.has(node.opType)) {
      return fail(
        `${node.opType} ${nodeLabel(node)} is between the product of queries and keys and the Softmax`,
      );
    } else {
      for (const [index, input] of node.input.entries()) {
        if (index === path || input === "") {
          continue;
        }
        const share = shareOf(typed, input, at, { rank, heads });
        if (share === "unclear") {
          return fail(`what ${nodeLabel(node)} adds to the scores may differ by head`);
        }
        if (share === "each") {
          way.perHead.push({ node, index, axisFromEnd: rank - at.axis, width: at.width });
        }
      }
    }
    current = next;
  }
  return fail("no product of queries and keys is behind its Softmax");
}

/** Whether a node is behind a value, past element-wise operators and changes of shape. */
function leadsTo(typed: TypedGraph, name: string, product: NodeProto, depth = 12): boolean {
  const node = typed.graph.producer(name);
  if (node === product) {
    return true;
  }
  return (
    node !== undefined &&
    depth > 0 &&
    (scoreOperators.has(node.opType) || reshaping.has(node.opType)) &&
    node.input.some((input) => leadsTo(typed, input, product, depth - 1))
  );
}
