import type { NodeProto } from "@nasty/formats/onnx";
import { intsAttribute } from "@nasty/formats/onnx";
import { nodeLabel } from "../weight-sites.js";
import { reshapeObstacle } from "./resize-reshape.js";
import {
  isMismatch,
  isOwn,
  isScalar,
  isStandard,
  matrixOf,
  type Mismatch,
  passThrough,
  type Projection,
  projectionOf,
  soleReader,
  type TypedGraph,
  withBiasAfter,
} from "./trace.js";

/** A node's input that holds one entry a head: a constant to be sliced. */
export interface PerHeadInput {
  readonly node: NodeProto;
  readonly index: number;
  /** Position of the heads' axis from the end of the shape, from 1. */
  readonly axisFromEnd: number;
}

/** A Reshape that says how many heads there are, or how long they are together. */
export interface HeadReshape {
  readonly node: NodeProto;
  readonly kind: "split" | "merge";
}

/** Self- or cross-attention as exporters write it, and all that has a share for each head. */
export interface AttentionBlock {
  readonly heads: number;
  readonly width: number;
  /** Query, key and value: column h·width + i belongs to head h. */
  readonly projections: readonly [query: Projection, key: Projection, value: Projection];
  /** Output: row h·width + i belongs to head h. */
  readonly output: Projection;
  readonly reshapes: readonly HeadReshape[];
  readonly perHead: readonly PerHeadInput[];
}

/** A place where attention was recognised, with what is in the way of pruning it if something is. */
export interface AttentionSite {
  /** Label of the output product, or of the Softmax where none was found. */
  readonly name: string;
  readonly found: AttentionBlock | Mismatch;
}

/**
 * Finds multi-head attention: Softmax(Q·Kᵀ)·V with Q, K and V projected, split into heads, joined again and projected.
 *
 *     x → MatMul → Add → Reshape [b, s, heads, width] → Transpose ┐
 *     x → MatMul → Add → Reshape → Transpose → MatMul → scale, mask → Softmax → MatMul → Transpose → Reshape → MatMul
 *
 * Shapes decide which axis holds the heads, so constant and computed reshapes are found alike.
 */
export function findAttention(typed: TypedGraph): AttentionSite[] {
  const sites: AttentionSite[] = [];
  for (const node of typed.graph.nodes) {
    if (node.opType !== "MatMul" || !isStandard(node) || matrixOf(typed.graph, node) !== undefined) {
      continue;
    }
    const shares = softmaxBehind(typed, node.input[0] ?? "");
    if (shares === undefined) {
      continue;
    }
    const found = blockAround(typed, node, shares);
    const name = isMismatch(found) ? nodeLabel(shares.softmax) : nodeLabel(found.output.matMul);
    sites.push({ name, found });
  }
  return sites;
}

interface Shares {
  readonly softmax: NodeProto;
  /** Nodes from the Softmax to the product with the values. */
  readonly through: readonly NodeProto[];
}

/** The Softmax behind the left operand of a product, past dropout and the replacement of NaN rows. */
function softmaxBehind(typed: TypedGraph, name: string): Shares | undefined {
  const { graph } = typed;
  const through: NodeProto[] = [];
  let current = name;
  for (let node = graph.producer(current); node !== undefined; node = graph.producer(current)) {
    if (node.opType === "Softmax") {
      return { softmax: node, through };
    }
    if (through.includes(node)) {
      return undefined;
    }
    through.push(node);
    const next = node.opType === "Where" ? whereNotNan(typed, node, through) : undefined;
    if (next === undefined && !passThrough.has(node.opType)) {
      return undefined;
    }
    current = next ?? node.input[0] ?? "";
  }
  return undefined;
}

/** Where(IsNaN(x), 0, x) hands x on. */
function whereNotNan({ graph }: TypedGraph, node: NodeProto, through: NodeProto[]): string | undefined {
  const test = graph.producer(node.input[0] ?? "");
  const value = node.input[2] ?? "";
  if (test?.opType !== "IsNaN" || test.input[0] !== value) {
    return undefined;
  }
  through.push(test);
  return value;
}

const fail = (reason: string): Mismatch => ({ reason });

function blockAround(typed: TypedGraph, context: NodeProto, shares: Shares): AttentionBlock | Mismatch {
  const { graph, types } = typed;
  const scoreShape = types.typeOf(graph, shares.softmax.output[0] ?? "")?.shape;
  const heads = scoreShape?.[1];
  if (scoreShape?.length !== 4 || typeof heads !== "number") {
    return fail("the number of heads is not known from the shapes");
  }
  const scores = scoresBehind(typed, shares.softmax.input[0] ?? "", heads);
  if (isMismatch(scores)) {
    return scores;
  }
  const query = operandOf(typed, scores.product.input[0] ?? "", heads);
  const key = operandOf(typed, scores.product.input[1] ?? "", heads);
  const value = operandOf(typed, context.input[1] ?? "", heads);
  const end = outputOf(typed, context, heads);
  for (const part of [query, key, value, end]) {
    if (isMismatch(part)) {
      return part;
    }
  }
  const [q, k, v, e] = [query, key, value, end] as [Operand, Operand, Operand, End];
  const width = e.output.inputs / heads;
  if ([q, k].some(({ projection }) => projection.outputs % heads !== 0)) {
    return fail("projections are not a whole number of values a head long");
  }
  if (v.projection.outputs !== e.output.inputs || q.projection.outputs !== k.projection.outputs) {
    return fail("query, key, value and output have not the same heads");
  }
  const parts = [q, k, v];
  const projections = [q.projection, k.projection, v.projection] as const;
  const names = new Set([...projections, e.output].map(({ weight }) => weight.name));
  if (names.size < 4 || [...projections, e.output].some(({ weight }) => !isOwn(weight))) {
    return fail("its weights are read elsewhere too");
  }
  const inside = new Set<NodeProto>([
    ...parts.flatMap(({ nodes }) => nodes),
    ...projections.flatMap(({ matMul, bias }) => (bias === undefined ? [matMul] : [matMul, bias.node])),
    ...scores.nodes,
    scores.product,
    shares.softmax,
    ...shares.through,
    context,
    ...e.nodes,
  ]);
  const leak = leakOf(typed, inside, e.output.matMul);
  if (leak !== undefined) {
    return fail(`its inner value ${leak} is read elsewhere too`);
  }
  const reshapes: readonly HeadReshape[] = [
    ...parts.map(({ reshape }) => ({ node: reshape, kind: "split" as const })),
    { node: e.reshape, kind: "merge" as const },
  ];
  const obstacle = reshapes
    .map((reshape) => reshapeObstacle(typed, reshape))
    .find((text) => text !== undefined);
  if (obstacle !== undefined) {
    return fail(obstacle);
  }
  return { heads, width, projections, output: e.output, reshapes, perHead: scores.perHead };
}

/** A value that nodes of the block make and others compute with. */
function leakOf({ graph }: TypedGraph, inside: ReadonlySet<NodeProto>, end: NodeProto): string | undefined {
  for (const node of inside) {
    for (const output of node.output) {
      if (output !== "" && graph.isOutput(output)) {
        return output;
      }
      for (const use of graph.consumers(output)) {
        const { opType } = use.node;
        if (!inside.has(use.node) && use.node !== end && opType !== "Shape" && opType !== "Size") {
          return output;
        }
      }
    }
  }
  return undefined;
}

interface Scores {
  readonly product: NodeProto;
  readonly nodes: readonly NodeProto[];
  readonly perHead: readonly PerHeadInput[];
}

const scoreOperators = new Set(["Add", "Sub", "Mul", "Div", "Where", "Max", "Min", ...passThrough]);

/** The product of queries and keys behind the Softmax, past scaling and masks. */
function scoresBehind(typed: TypedGraph, start: string, heads: number): Scores | Mismatch {
  const { graph, types } = typed;
  const nodes: NodeProto[] = [];
  const perHead: PerHeadInput[] = [];
  let current = start;
  for (let node = graph.producer(current); node !== undefined; node = graph.producer(current)) {
    if (node.opType === "MatMul" && isStandard(node)) {
      return { product: node, nodes, perHead };
    }
    if (!scoreOperators.has(node.opType) || nodes.includes(node)) {
      return fail(
        `${node.opType} ${nodeLabel(node)} is between the product of queries and keys and the Softmax`,
      );
    }
    nodes.push(node);
    const path = node.input.findIndex((input) => leadsToScores(typed, input));
    if (path < 0) {
      break;
    }
    for (const [index, input] of node.input.entries()) {
      const shape = types.typeOf(graph, input)?.shape ?? graph.constant(input)?.shape;
      const share = shape?.[shape.length - 3];
      if (index === path || input === "" || (shape !== undefined && (shape.length < 3 || share === 1))) {
        continue;
      }
      if (shape === undefined || graph.constant(input) === undefined || share !== heads) {
        return fail(`what ${nodeLabel(node)} adds to the scores may differ by head`);
      }
      perHead.push({ node, index, axisFromEnd: 3 });
    }
    current = node.input[path] ?? "";
  }
  return fail("no product of queries and keys is behind its Softmax");
}

/** Whether a product of two computed values is behind a value, past element-wise operators. */
function leadsToScores(typed: TypedGraph, name: string, depth = 8): boolean {
  const node = typed.graph.producer(name);
  if (node === undefined || depth === 0) {
    return false;
  }
  if (node.opType === "MatMul") {
    return matrixOf(typed.graph, node) === undefined;
  }
  return (
    scoreOperators.has(node.opType) && node.input.some((input) => leadsToScores(typed, input, depth - 1))
  );
}

interface Operand {
  readonly projection: Projection;
  readonly reshape: NodeProto;
  /** Nodes from the Reshape to the product. */
  readonly nodes: readonly NodeProto[];
}

/** The projection behind an operand of a product [b, heads, …], past transposition, scaling and the split into heads. */
function operandOf(typed: TypedGraph, start: string, heads: number): Operand | Mismatch {
  const { graph, types } = typed;
  const nodes: NodeProto[] = [];
  let order = [0, 1, 2, 3];
  let current = start;
  for (let node = graph.producer(current); node !== undefined; node = graph.producer(current)) {
    if (nodes.includes(node)) {
      break;
    }
    nodes.push(node);
    let next = node.input[0] ?? "";
    if (node.opType === "Transpose") {
      const perm = intsAttribute(node, "perm", [3, 2, 1, 0]).map(Number);
      order = order.map((axis) => perm[axis] ?? 0);
    } else if (node.opType === "Mul" || node.opType === "Div") {
      const scale = node.input.findIndex((input) => isScalar(typed, input));
      if (scale < 0) {
        return fail(`${node.opType} ${nodeLabel(node)} is between a projection and its product`);
      }
      next = node.input[1 - scale] ?? "";
    } else if (node.opType === "Reshape") {
      const shape = types.typeOf(graph, node.output[0] ?? "")?.shape;
      const source = projectionOf(graph, next);
      if (source === undefined) {
        return fail(`no product with a constant matrix is behind ${nodeLabel(node)}`);
      }
      const width = source.outputs / heads;
      if (shape?.length !== 4 || shape[2] !== heads || shape[3] !== width || order[1] !== 2) {
        return fail(`${nodeLabel(node)} does not split into heads as [batch, length, heads, width]`);
      }
      return { projection: source, reshape: node, nodes };
    } else if (!passThrough.has(node.opType)) {
      return fail(`${node.opType} ${nodeLabel(node)} is between a projection and its product`);
    }
    current = next;
  }
  return fail("an operand of its products is not a projection split into heads");
}

interface End {
  readonly output: Projection;
  readonly reshape: NodeProto;
  readonly nodes: readonly NodeProto[];
}

/** The projection of the joined heads after the product with the values. */
function outputOf(typed: TypedGraph, context: NodeProto, heads: number): End | Mismatch {
  const { graph, types } = typed;
  const nodes: NodeProto[] = [];
  let reshape: NodeProto | undefined;
  let order = [0, 1, 2, 3];
  let current = context.output[0] ?? "";
  for (let node = soleReader(graph, current); node !== undefined; node = soleReader(graph, current)) {
    if (node.opType === "MatMul") {
      const output = node.input[0] === current ? withBiasAfter(graph, node) : undefined;
      if (output === undefined || reshape === undefined) {
        return fail(`${nodeLabel(node)} does not project the joined heads with a constant matrix`);
      }
      return { output, reshape, nodes };
    }
    nodes.push(node);
    if (node.opType === "Transpose" && reshape === undefined) {
      const perm = intsAttribute(node, "perm", [3, 2, 1, 0]).map(Number);
      order = perm.map((axis) => order[axis] ?? 0);
    } else if (node.opType === "Reshape" && reshape === undefined) {
      const [from, to] = [current, node.output[0] ?? ""].map((name) => types.typeOf(graph, name)?.shape);
      const width = from?.[3];
      const joined = to?.[to.length - 1];
      if (order[2] !== 1 || typeof width !== "number" || joined !== width * heads) {
        return fail(`${nodeLabel(node)} does not join heads from [batch, length, heads, width]`);
      }
      reshape = node;
    } else if (!passThrough.has(node.opType)) {
      return fail(`${node.opType} ${nodeLabel(node)} is between the heads and their projection`);
    }
    current = node.output[0] ?? "";
  }
  return fail("the heads have no single projection");
}
