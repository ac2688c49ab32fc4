import type { Tensor } from "@nasty/core";
import {
  floatAttribute,
  intAttribute,
  makeValueInfo,
  type ModelProto,
  type NodeProto,
} from "@nasty/formats/onnx";
import { type Graph, inferShapes, ModelGraph, transposeTensor } from "@nasty/graph";
import { TaggerError } from "@nasty/taggers";
import { hiddenOutput } from "@nasty/taggers/encoders";

/** An encoder graph whose only output is a vector for each subword. */
export interface HeadlessEncoder {
  readonly model: ModelProto;
  /** Name of that output: float32 [batch, sequence, width]. */
  readonly hidden: string;
  readonly width: number;
  /** The linear head that was there; undefined if there was none, or if it was more than one product and a bias. */
  readonly head?: HeadWeights | undefined;
}

/** logits = hidden·weight + bias. */
export interface HeadWeights {
  /** [width, labels], row by row. */
  readonly weight: Float32Array;
  /** [labels]. */
  readonly bias: Float32Array;
}

/**
 * Takes the classification head off an encoder graph.
 *
 * The last hidden state is the output `last_hidden_state`, where there is one; else what the product of `logits` (or of
 * the only output) takes as its left operand, behind at most additions, dropout and reshapes; in a classifier of whole
 * texts what its first token is taken of.
 *
 * @param hidden name of the tensor, where it is neither
 * @throws TaggerError `model-outputs` if no such tensor of rank 3 and known width is found.
 */
export function cutHead(model: ModelProto, hidden?: string): HeadlessEncoder {
  const edited = ModelGraph.from(model);
  const graph = edited.main;
  const found = hidden ?? lastHidden(graph);
  if (found === undefined || !graph.defines(found)) {
    const outputs = graph.outputs.map(({ name }) => name).join(", ") || "none";
    throw refuse(
      hidden === undefined
        ? `an output ${hiddenOutput}, or logits made by one product with a weight`
        : `the tensor "${hidden}"`,
      hidden === undefined ? `the outputs ${outputs}` : "no such tensor",
    );
  }
  const shape = inferShapes(edited).typeOf(graph, found)?.shape;
  const width = shape?.at(-1) ?? widthByUse(graph, found);
  if ((shape !== undefined && shape.length !== 3) || typeof width !== "number")
    throw refuse(`"${found}" to be [batch, sequence, width]`, `[${shape?.join(", ") ?? "unknown"}]`);
  const head = linearHead(graph, found, width);
  for (const { name } of graph.outputs) graph.removeOutput(name);
  graph.addOutput(makeValueInfo(found, "float32", ["batch", "sequence", width]));
  graph.pruneUnused();
  return { model: edited.toModel(), hidden: found, width, head };
}

function lastHidden(graph: Graph): string | undefined {
  if (graph.outputs.some(({ name }) => name === hiddenOutput)) return hiddenOutput;
  let name = logitsOf(graph);
  while (name !== undefined) {
    const node = graph.producer(name);
    if (node === undefined) return undefined;
    if (isProduct(graph, node)) {
      const input = node.input[0] as string;
      return beforeFirstToken(graph, input) ?? beforeDropout(graph, input);
    }
    name = passedThrough(graph, node);
  }
  return undefined;
}

const activations = new Set(["Tanh", "Relu", "Gelu"]);

/** In a classifier of whole texts, what its head takes the first token of. */
function beforeFirstToken(graph: Graph, input: string): string | undefined {
  let name: string | undefined = input;
  while (name !== undefined) {
    const node = graph.producer(name);
    if (node === undefined) return undefined;
    const index = node.opType === "Gather" ? graph.constant(node.input[1] ?? "") : undefined;
    if (index !== undefined && intAttribute(node, "axis", 0) === 1 && Number(index.data[0]) === 0)
      return node.input[0];
    const isInHead = isProduct(graph, node) || activations.has(node.opType);
    name = isInHead ? node.input[0] : passedThrough(graph, node);
  }
  return undefined;
}

function logitsOf(graph: Graph): string | undefined {
  const names = graph.outputs.map(({ name }) => name);
  return names.includes("logits") ? "logits" : names.length === 1 ? names[0] : undefined;
}

const isProduct = (graph: Graph, { opType, input }: NodeProto): boolean =>
  (opType === "MatMul" || opType === "Gemm") && graph.constant(input[1] ?? "") !== undefined;

/** The product and bias between the last hidden state and the logits, if that is all there is. */
function linearHead(graph: Graph, hidden: string, width: number): HeadWeights | undefined {
  let name = logitsOf(graph);
  let bias: Float32Array | undefined;
  while (name !== undefined) {
    const node = graph.producer(name);
    if (node === undefined) return undefined;
    if (isProduct(graph, node)) {
      const isGemm = node.opType === "Gemm";
      const weight = float32(graph, node.input[1]);
      if (weight?.shape.length !== 2 || beforeDropout(graph, node.input[0] as string) !== hidden)
        return undefined;
      if (isGemm && !(alphaOf(node) === 1 && betaOf(node) === 1)) return undefined;
      const own = isGemm ? float32(graph, node.input[2]) : undefined;
      const isTransposed = isGemm && intAttribute(node, "transB", 0) === 1;
      const turned = isTransposed ? transposeTensor(weight, [1, 0]) : weight;
      const labels = turned.shape[1] as number;
      if (turned.shape[0] !== width || (own !== undefined && bias !== undefined)) return undefined;
      bias ??= own?.data ?? new Float32Array(labels);
      if (bias.length !== labels) return undefined;
      return { weight: turned.data as Float32Array, bias };
    }
    if (node.opType === "Add") {
      const added = node.input.map((input) => float32(graph, input)).find((value) => value !== undefined);
      if (bias !== undefined || added === undefined) return undefined;
      bias = added.data;
    }
    name = passedThrough(graph, node);
  }
  return undefined;
}

const alphaOf = (node: NodeProto): number => floatAttribute(node, "alpha", 1);
const betaOf = (node: NodeProto): number => floatAttribute(node, "beta", 1);

function float32(graph: Graph, name = ""): Tensor<"float32"> | undefined {
  const value = graph.constant(name);
  return value?.dtype === "float32" ? (value as Tensor<"float32">) : undefined;
}

/** The operand that goes through a node of a head unchanged but for a bias, a mask or its shape. */
function passedThrough(graph: Graph, { opType, input }: NodeProto): string | undefined {
  if (["Identity", "Dropout", "Reshape", "Cast"].includes(opType)) return input[0];
  if (opType !== "Add") return undefined;
  return input.find((name) => graph.constant(name) === undefined);
}

/** Dropout and the reshape into rows that a Gemm needs belong to the head. */
function beforeDropout(graph: Graph, name: string): string {
  const node = graph.producer(name);
  if (node === undefined || !["Identity", "Dropout", "Reshape"].includes(node.opType)) return name;
  return beforeDropout(graph, node.input[0] as string);
}

/** Width of a tensor by the rows of a weight that it is multiplied with, where shapes cannot be inferred. */
function widthByUse(graph: Graph, name: string): number | undefined {
  for (const { node, index } of graph.consumers(name)) {
    const weight = graph.constant(node.input[1] ?? "");
    if (index !== 0 || weight?.shape.length !== 2) continue;
    if (node.opType === "MatMul") return weight.shape[0];
    if (node.opType === "Gemm") return weight.shape[intAttribute(node, "transB", 0)];
  }
  return undefined;
}

function refuse(expected: string, got: string): TaggerError {
  return new TaggerError(
    "model-outputs",
    `fineTune: base model: last hidden state: expected ${expected}, got ${got}`,
  );
}
