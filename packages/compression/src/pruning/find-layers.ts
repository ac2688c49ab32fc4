import type { NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import type { AttentionBlock } from "./find-attention.js";
import type { FeedForwardBlock } from "./find-feed-forward.js";
import { keepsLastAxis, passThrough, type Projection, soleReader, type TypedGraph } from "./trace.js";

/** One layer of an encoder on its residual stream. */
export interface EncoderLayer {
  /** The value that the layer reads. */
  readonly from: string;
  /** The value that it makes, which the next layer reads. */
  readonly to: string;
}

/** The sum of a part's result with what went into it. */
interface Residual {
  readonly node: NodeProto;
  readonly sum: string;
  /** What the part was given, before normalisation if that comes first. */
  readonly stream: string;
}

/**
 * Finds the layers of an encoder: each begins where the residual connection around an attention branches off and ends
 * where the next one's does; the last one ends after the feed-forward layer that follows, with its normalisation where
 * that comes after the sum.
 *
 * @returns undefined if the attention blocks are not layers on one residual stream
 */
export function findLayers(
  typed: TypedGraph,
  attention: readonly AttentionBlock[],
  feedForward: readonly FeedForwardBlock[],
): EncoderLayer[] | undefined {
  const residuals = attention.map(({ output }) => residualAfter(typed, output));
  const layers: EncoderLayer[] = [];
  for (const [index, residual] of residuals.entries()) {
    const block = attention[index];
    if (residual === undefined || block === undefined) {
      return undefined;
    }
    const next =
      index + 1 < residuals.length
        ? residuals[index + 1]?.stream
        : endOf(typed, residual, block, feedForward);
    if (next === undefined || next === residual.stream || !isSameType(typed, residual.stream, next)) {
      return undefined;
    }
    layers.push({ from: residual.stream, to: next });
  }
  return layers;
}

/** Follows the result of a product to the Add that brings it back to the stream. */
function residualAfter(typed: TypedGraph, { output }: Projection): Residual | undefined {
  const { graph } = typed;
  let current = output;
  for (let node = soleReader(graph, current); node !== undefined; node = soleReader(graph, current)) {
    const sum = node.output[0] ?? "";
    if (node.opType === "Add") {
      const stream = node.input[node.input[0] === current ? 1 : 0] ?? "";
      return graph.constant(stream) === undefined ? { node, sum, stream } : undefined;
    }
    if (!passThrough.has(node.opType) && !keepsLastAxis(typed, node)) {
      return undefined;
    }
    current = sum;
  }
  return undefined;
}

/** The value whose rows a product multiplies. */
function beforeReshapes(typed: TypedGraph, name: string): string {
  const node = typed.graph.producer(name);
  return node !== undefined && keepsLastAxis(typed, node) ? beforeReshapes(typed, node.input[0] ?? "") : name;
}

/** What the last layer hands on: the sum after its feed-forward layer, or that sum normalised where attention's was. */
function endOf(
  typed: TypedGraph,
  residual: Residual,
  block: AttentionBlock,
  feedForward: readonly FeedForwardBlock[],
): string | undefined {
  const { graph } = typed;
  const isNormalisedAfter = beforeReshapes(typed, block.projections[0].input) === residual.stream;
  const middle = isNormalisedAfter ? normalised(graph, residual.sum) : residual.sum;
  for (const { down } of feedForward) {
    const second = residualAfter(typed, down);
    if (second !== undefined && second.stream === middle) {
      return isNormalisedAfter ? normalised(graph, second.sum) : second.sum;
    }
  }
  return undefined;
}

/** The layer-normalised form of a value, as one operator or in the parts that older exports have. */
function normalised(graph: Graph, name: string): string | undefined {
  const readers = graph.consumers(name).map(({ node }) => node);
  const whole = readers.find(({ opType }) => opType === "LayerNormalization");
  if (whole !== undefined) {
    return whole.output[0];
  }
  let current = readers.find(({ opType, input }) => opType === "Sub" && input[0] === name)?.output[0];
  for (const opType of ["Div", "Mul", "Add"]) {
    const value = current;
    if (value === undefined) {
      return undefined;
    }
    current = graph
      .consumers(value)
      .map(({ node }) => node)
      .find((node) => node.opType === opType && (opType !== "Div" || node.input[0] === value))?.output[0];
  }
  return current;
}

function isSameType({ graph, types }: TypedGraph, a: string, b: string): boolean {
  const [first, second] = [a, b].map((name) => types.typeOf(graph, name));
  return (
    first?.shape !== undefined &&
    first.dtype === second?.dtype &&
    first.shape.length === second.shape?.length &&
    first.shape.every((size, index) => size === undefined || size === second.shape?.[index])
  );
}
