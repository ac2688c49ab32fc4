import { elementCount } from "@nasty/core";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { type Graph, isFused, isQuantized, isStandard, type ModelGraph } from "@nasty/graph";
import type { KeptInFloat, QuantizableOp } from "./plan.js";
import { resolveWeight, type ResolvedWeight } from "./resolve-weight.js";

/** A node with constant weights for which an integer kernel exists. */
export interface WeightSite {
  readonly graph: Graph;
  readonly node: NodeProto;
  readonly op: QuantizableOp;
  /** One weight, or the input and the recurrent weights of an LSTM. */
  readonly weights: readonly ResolvedWeight[];
}

/** The name that people know a node by. */
export function nodeLabel(node: NodeProto): string {
  return node.name || node.output.find((output) => output !== "") || node.opType;
}

type Found = { readonly weights: readonly ResolvedWeight[] } | { readonly reason: string };

/**
 * Weights smaller than this are not worth a line among what is kept in float, when their operator never has a kernel.
 */
const notableElements = 1024;

function floatMatrix(graph: Graph, name: string | undefined, ranks: readonly number[]): Found {
  const weight = name === undefined || name === "" ? undefined : resolveWeight(graph, name);
  if (weight === undefined) {
    return { reason: "weight is not constant" };
  }
  if (weight.dtype !== "float32") {
    return { reason: `weight is ${weight.dtype}, expected float32` };
  }
  if (!ranks.includes(weight.shape.length)) {
    return { reason: `weight has rank ${weight.shape.length}, the int8 kernel takes ${ranks.join(" or ")}` };
  }
  if (elementCount(weight.shape) === 0) {
    return { reason: "weight is empty" };
  }
  return { weights: [weight] };
}

function matMulWeight(graph: Graph, node: NodeProto): Found {
  const found = floatMatrix(graph, node.input[1], [2]);
  const left = node.input[0];
  if ("reason" in found && left !== undefined && resolveWeight(graph, left) !== undefined) {
    const right = node.input[1];
    if (right === undefined || resolveWeight(graph, right) === undefined) {
      return { reason: "the constant is the left operand, the int8 kernels take a constant right operand" };
    }
  }
  if (!("reason" in found) && left !== undefined && resolveWeight(graph, left) !== undefined) {
    return { reason: "both operands are constant" };
  }
  return found;
}

function convolutionWeight(graph: Graph, node: NodeProto): Found {
  const found = floatMatrix(graph, node.input[1], [3, 4, 5]);
  const isConstant = resolveWeight(graph, node.input[0] ?? "") !== undefined;
  return isConstant && !("reason" in found) ? { reason: "its input is constant too" } : found;
}

function gatherWeight(graph: Graph, node: NodeProto): Found | undefined {
  const found = floatMatrix(graph, node.input[0], [2]);
  if ("reason" in found) {
    // Gathers of shapes, positions and activations are no embeddings.
    const table = resolveWeight(graph, node.input[0] ?? "");
    const isTable = table !== undefined && elementCount(table.shape) >= notableElements;
    return isTable && table.dtype.startsWith("float") ? found : undefined;
  }
  if (intAttribute(node, "axis", 0) !== 0 || found.weights[0]?.transposed === true) {
    return { reason: "rows are not gathered along axis 0" };
  }
  return found;
}

function lstmWeights(graph: Graph, node: NodeProto): Found {
  const weights: ResolvedWeight[] = [];
  for (const name of [node.input[1], node.input[2]]) {
    const found = floatMatrix(graph, name, [3]);
    if ("reason" in found) {
      return found;
    }
    weights.push(...found.weights);
  }
  if (intAttribute(node, "layout", 0) !== 0) {
    return { reason: "layout 1 (batch first) has no int8 kernel" };
  }
  return { weights };
}

function siteOf(graph: Graph, node: NodeProto): (Found & { readonly op: QuantizableOp }) | undefined {
  switch (node.opType) {
    case "MatMul":
      return { op: "MatMul", ...matMulWeight(graph, node) };
    case "Gemm":
      return { op: "Gemm", ...floatMatrix(graph, node.input[1], [2]) };
    case "Gather": {
      const found = gatherWeight(graph, node);
      return found === undefined ? undefined : { op: "Gather", ...found };
    }
    case "LSTM":
      return { op: "LSTM", ...lstmWeights(graph, node) };
    case "Conv":
      return { op: "Conv", ...convolutionWeight(graph, node) };
    default:
      return undefined;
  }
}

/** Operators that are listed with their reason whatever the size of their weights. */
const withoutKernel: Readonly<Record<string, string>> = {
  GRU: "ONNX Runtime has no int8 kernel for GRU (it has one for LSTM, dynamic)",
  RNN: "ONNX Runtime has no int8 kernel for RNN (it has one for LSTM, dynamic)",
};

/** Why a node of another operator keeps large constants in float, or undefined when it has none. */
function otherReason(graph: Graph, node: NodeProto): string | undefined {
  if (isFused(node)) {
    return `no int8 kernel for ${node.opType} (a runtime's fused operator)`;
  }
  if (isQuantized(node) || ["Constant", "Identity", "Transpose", "Reshape"].includes(node.opType)) {
    return undefined;
  }
  for (const input of node.input) {
    const weight = input === "" ? undefined : resolveWeight(graph, input);
    if (weight === undefined || !weight.dtype.startsWith("float")) {
      continue;
    }
    const own = withoutKernel[node.opType];
    if (own !== undefined) return own;
    if (weight.shape.length >= 2 && elementCount(weight.shape) >= notableElements) {
      return `no int8 kernel for ${node.opType}`;
    }
  }
  return undefined;
}

/**
 * Every node of a model, subgraphs included, whose constant weights could be quantized, and the matrix-like nodes for
 * which that is impossible, with the reason.
 */
export function findWeightSites(model: ModelGraph): { sites: WeightSite[]; keptInFloat: KeptInFloat[] } {
  const sites: WeightSite[] = [];
  const keptInFloat: KeptInFloat[] = [];
  for (const graph of model.main.allGraphs()) {
    for (const node of graph.nodes) {
      const standard = isStandard(node);
      const found = standard ? siteOf(graph, node) : undefined;
      if (found !== undefined && !("reason" in found)) {
        sites.push({ graph, node, op: found.op, weights: found.weights });
        continue;
      }
      const reason = found === undefined ? otherReason(graph, node) : found.reason;
      if (reason !== undefined) {
        keptInFloat.push({ name: nodeLabel(node), op: node.opType, reason });
      }
    }
  }
  return { sites, keptInFloat };
}
