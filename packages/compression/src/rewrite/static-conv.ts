import { quantizeBias, tensor, type Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import { boundingNode, roundingBounds } from "../plan/convolution.js";
import { readWeight, resolveWeight } from "../plan/resolve-weight.js";
import {
  plainIntegers,
  plannedActivation,
  qdqDomain,
  scales,
  staticInput,
  staticOutput,
  zeroPoints,
  type RewriteContext,
  type StoredWeight,
} from "./context.js";

/** Steps of the sum that a bias may take: half of int32's range, the rest is the products'. */
const biasSteps = 2 ** 30;

/**
 * Scales with which biases fit the int32 sums: `max(scale, |b| / (2^30 · input scale))`, for a channel without weights
 * the second alone, since any scale suits its zeros.
 */
export function scalesForBias(
  scale: Float32Array,
  weight: Tensor<"float32">,
  bias: Float32Array,
  inputScale: number,
): Float32Array {
  const length = weight.data.length / scale.length;
  return scale.map((own, group) => {
    const biases = scale.length === 1 ? bias : bias.subarray(group, group + 1);
    const largest = biases.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const least = Math.fround(largest / biasSteps / inputScale);
    const isZero = weight.data.subarray(group * length, (group + 1) * length).every((value) => value === 0);
    return isZero && least > 0 ? least : Math.max(own, least);
  });
}

function biasOf(graph: Graph, node: NodeProto): Float32Array | undefined {
  const resolved = resolveWeight(graph, node.input[2] ?? "");
  return resolved === undefined ? undefined : (readWeight(resolved).data as Float32Array);
}

/** How the scales of a convolution's weight make room for the bias of one node that reads it. */
export function biasRoom(
  context: Pick<RewriteContext, "activations">,
  graph: Graph,
  node: NodeProto,
): ((scale: Float32Array, weight: Tensor<"float32">) => Float32Array) | undefined {
  const bias = biasOf(graph, node);
  if (bias === undefined) return undefined;
  const { scale: inputScale } = plannedActivation(context, graph, node.input[0] ?? "");
  return (scale, weight) => scalesForBias(scale, weight, bias, inputScale);
}

/** The bias as int32, in steps of input scale times weight scale, and the DequantizeLinear that makes it float. */
function dequantizedBias(
  context: RewriteContext,
  graph: Graph,
  node: NodeProto,
  stored: StoredWeight,
): string | undefined {
  const bias = biasOf(graph, node);
  if (bias === undefined) return undefined;
  const { scale: inputScale } = plannedActivation(context, graph, node.input[0] ?? "");
  const { scale } = stored.weight;
  const integers = quantizeBias(tensor("float32", [bias.length], bias), inputScale, scale);
  const isPerChannel = stored.planned.granularity.kind === "per-channel";
  const steps = scale.map((own) => Math.fround(inputScale) * own);
  const name = node.input[2] ?? "";
  const inputs = [
    graph.addInitializer(`${name}_q`, integers),
    graph.addInitializer(`${name}_scale`, tensor("float32", isPerChannel ? [steps.length] : [], steps)),
  ];
  const output = graph.uniqueName(`${name}_dq`);
  graph.addNode(
    {
      opType: "DequantizeLinear",
      domain: qdqDomain(context),
      name: "",
      inputs,
      outputs: [output],
      ...(isPerChannel ? { attributes: { axis: 0 } } : {}),
    },
    { before: node },
  );
  return output;
}

/**
 * `DQ(Q(Conv(DQ(Q(x)), DQ(W), DQ(b))))`, which the runtime makes one QLinearConv of: its result is rounded, to the
 * range of what follows where that is a Relu or Clip, which then goes.
 */
export function rewriteStaticConv(
  context: RewriteContext,
  graph: Graph,
  node: NodeProto,
  stored: StoredWeight,
): void {
  const isPerChannel = stored.planned.granularity.kind === "per-channel";
  const name = node.input[0] ?? "";
  const input = staticInput(context, { graph, activation: name, source: name, node });
  const weight = graph.uniqueName(`${stored.planned.name}_dq`);
  graph.addNode(
    {
      opType: "DequantizeLinear",
      domain: qdqDomain(context),
      name: "",
      inputs: [plainIntegers(stored), scales(stored), zeroPoints(stored, true) ?? ""],
      outputs: [weight],
      ...(isPerChannel ? { attributes: { axis: 0 } } : {}),
    },
    { before: node },
  );
  const bias = dequantizedBias(context, graph, node, stored);
  graph.setInput(node, 0, input.value);
  graph.setInput(node, 1, weight);
  if (bias !== undefined) graph.setInput(node, 2, bias);
  roundResult(context, graph, node);
}

/** Rounds what a convolution makes, or the Relu or Clip behind it, which goes where rounding does the same. */
function roundResult(context: RewriteContext, graph: Graph, node: NodeProto): void {
  const isOwn = context.activations.has(`${graph.path}\0${node.output[0] ?? ""}`);
  const bounding = isOwn ? undefined : boundingNode(graph, node);
  const result = (bounding ?? node).output[0] ?? "";
  const isIdle =
    bounding !== undefined && roundingBounds(graph, bounding, plannedActivation(context, graph, result));
  if (isIdle) graph.removeNode(bounding);
  const maker = isIdle ? node : (bounding ?? node);
  const made = graph.uniqueName(`${result}_f`);
  graph.setOutput(maker, 0, made);
  staticOutput(context, graph, { made, result, maker });
}
