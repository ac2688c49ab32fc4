import { isStandard } from "@nasty/graph";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { nodeLabel } from "../plan/weight-sites.js";
import { reshaping, shapeOf } from "./head-axis.js";
import { reshapeObstacle, type SizedReshape } from "./resize-reshape.js";
import {
  isMismatch,
  isOwn,
  matrixOf,
  type Mismatch,
  passThrough,
  type Projection,
  projectionOf,
  type TypedGraph,
} from "./trace.js";
import {
  type PerHeadInput,
  type ProjectedTrace,
  type Traced,
  traceJoined,
  traceProjection,
  traceScores,
} from "./trace-heads.js";

/** Self- or cross-attention as exporters write it, and all that has a share for each head. */
export interface AttentionBlock {
  readonly heads: number;
  readonly width: number;
  /** Query, key and value: column h·width + i belongs to head h. */
  readonly projections: readonly [query: Projection, key: Projection, value: Projection];
  /** Output: row h·width + i belongs to head h. */
  readonly output: Projection;
  readonly reshapes: readonly SizedReshape[];
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
 * Names play no part. The heads are followed through every change of shape and order by how far apart they lie, so that
 * keys that are transposed by way of three dimensions, batches joined with heads, and projections of rows [b·s, hidden]
 * are found like the plain form.
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
  const product = scoresBehind(typed, shares.softmax.input[0] ?? "");
  if (product === undefined) {
    return fail("no product of queries and keys is behind its Softmax");
  }
  const heads = headsOf(typed, product, shares);
  if (typeof heads !== "number") {
    return heads;
  }
  const scores = traceScores(typed, shares.softmax, { heads, product });
  const operand = (node: NodeProto, index: number) => traceProjection(typed, node.input[index] ?? "", heads);
  const query = operand(product, 0);
  const key = operand(product, 1);
  const value = operand(context, 1);
  const end = traceJoined(typed, context, heads);
  for (const part of [scores, query, key, value, end]) {
    if (isMismatch(part)) {
      return part;
    }
  }
  const [s, q, k, v, e] = [scores, query, key, value, end] as [
    Traced,
    ProjectedTrace,
    ProjectedTrace,
    ProjectedTrace,
    ProjectedTrace,
  ];
  const output = e.projection;
  const width = output.inputs / heads;
  if (v.projection.outputs !== output.inputs || q.projection.outputs !== k.projection.outputs) {
    return fail("query, key, value and output have not the same heads");
  }
  const projections = [q.projection, k.projection, v.projection] as const;
  const names = new Set([...projections, output].map(({ weight }) => weight.name));
  if (names.size < 4 || [...projections, output].some(({ weight }) => !isOwn(weight))) {
    return fail("its weights are read elsewhere too");
  }
  const parts = [q, k, v, e, s];
  const inside = new Set<NodeProto>([
    ...parts.flatMap(({ nodes }) => nodes),
    ...projections.flatMap(({ matMul, bias }) => (bias === undefined ? [matMul] : [matMul, bias.node])),
    product,
    shares.softmax,
    ...shares.through,
    context,
  ]);
  const leak = leakOf(typed, inside, output.matMul);
  if (leak !== undefined) {
    return fail(`its inner value ${leak} is read elsewhere too`);
  }
  const reshapes = parts.flatMap((part) => part.reshapes);
  const obstacle = reshapes
    .map((reshape) => reshapeObstacle(typed, reshape))
    .find((text) => text !== undefined);
  if (obstacle !== undefined) {
    return fail(obstacle);
  }
  const perHead = parts.flatMap((part) => part.perHead);
  return { heads, width, projections, output, reshapes, perHead };
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

const onTheWay = new Set(["Add", "Sub", "Mul", "Div", "Where", "Max", "Min", ...reshaping, ...passThrough]);

/** The nearest product of two computed values behind a value, past scales, masks and changes of shape. */
function scoresBehind({ graph }: TypedGraph, start: string): NodeProto | undefined {
  const seen = new Set<string>();
  const search = (name: string, depth: number): NodeProto | undefined => {
    const node = graph.producer(name);
    if (node === undefined || depth === 0 || seen.has(name) || !isStandard(node)) {
      return undefined;
    }
    seen.add(name);
    if (node.opType === "MatMul") {
      return matrixOf(graph, node) === undefined ? node : undefined;
    }
    if (!onTheWay.has(node.opType)) {
      return undefined;
    }
    for (const input of node.input) {
      const found = search(input, depth - 1);
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  };
  return search(start, 12);
}

const notKnown = fail("the number of heads is not known from the shapes");

/**
 * How many heads there are: by the second of four dimensions of the scores, and by the length of a query, which is a
 * head's share of what the projection makes. Where both are known they must agree.
 */
function headsOf(typed: TypedGraph, product: NodeProto, { softmax }: Shares): number | Mismatch {
  const scores = shapeOf(typed, product.output[0] ?? "");
  const rank = scores?.length ?? shapeOf(typed, softmax.output[0] ?? "")?.length;
  if (rank !== 3 && rank !== 4) {
    return notKnown;
  }
  if (intAttribute(softmax, "axis", -1) >= 0) {
    const last = (shapeOf(typed, softmax.input[0] ?? "")?.length ?? 0) - 1;
    if (intAttribute(softmax, "axis", -1) !== last) {
      return fail(`${nodeLabel(softmax)} does not sum over the keys`);
    }
  }
  const byShape = rank === 4 ? scores?.[1] : undefined;
  const query = product.input[0] ?? "";
  const width = shapeOf(typed, query)?.at(-1) ?? shapeOf(typed, product.input[1] ?? "")?.at(-2);
  const outputs = projectionBehind(typed, query)?.outputs;
  const byWidth = typeof width === "number" && outputs !== undefined ? outputs / width : undefined;
  const heads = [byShape, byWidth].find((count) => typeof count === "number");
  if (typeof heads !== "number") {
    return notKnown;
  }
  if (!Number.isInteger(heads) || heads < 1) {
    return fail("projections are not a whole number of values a head long");
  }
  if (typeof byShape === "number" && byWidth !== undefined && byShape !== byWidth) {
    return fail(`its scores have ${byShape} heads, its queries ${byWidth}`);
  }
  return heads;
}

/** The projection behind an operand, wherever its heads are. */
function projectionBehind({ graph }: TypedGraph, start: string): Projection | undefined {
  let current = start;
  const seen = new Set<string>();
  while (!seen.has(current)) {
    seen.add(current);
    const projection = projectionOf(graph, current);
    if (projection !== undefined) {
      return projection;
    }
    const node = graph.producer(current);
    const isMoved =
      node !== undefined &&
      (reshaping.has(node.opType) || passThrough.has(node.opType) || node.opType === "Transpose");
    const isComputed = node !== undefined && ["Mul", "Div", "Add"].includes(node.opType);
    if (node === undefined || (!isMoved && !isComputed)) {
      return undefined;
    }
    const index = isMoved
      ? 0
      : node.input.findIndex((input) => (graph.producer(input)?.input.length ?? 0) > 0);
    current = node.input[Math.max(index, 0)] ?? "";
  }
  return undefined;
}
