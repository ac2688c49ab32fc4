import { elementCount, roundHalfEven } from "@nasty/core";
import { floatAttribute, intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { type Graph, isStandard } from "@nasty/graph";
import type { PlannedActivation } from "./plan.js";
import { readWeight, resolveWeight } from "./resolve-weight.js";
import type { WeightSite } from "./weight-sites.js";

/** How the channels of a convolution are connected. */
export interface ConvolutionShape {
  readonly group: number;
  /** Input channels of each group. */
  readonly channels: number;
  readonly kernel: readonly number[];
  /** One input and one output channel a group: its kernel adds no pairs of products. */
  readonly isDepthwise: boolean;
}

export function convolutionShape(node: NodeProto, shape: readonly number[]): ConvolutionShape {
  const [outputs = 0, channels = 0, ...kernel] = shape;
  const group = intAttribute(node, "group", 1);
  return { group, channels, kernel, isDepthwise: channels === 1 && group === outputs };
}

/**
 * Why a convolution is left in float in static mode, or undefined: its int8 kernel was measured slower at such shapes,
 * or there is none.
 */
export function floatConvolutionReason({ graph, node, weights }: WeightSite): string | undefined {
  const [weight] = weights;
  if (weight === undefined) return "it has no constant weight";
  if (graph.parent !== undefined)
    return "its activations are inside a subgraph, where no range can be measured";
  const bias = node.input[2] ?? "";
  const resolved = bias === "" ? undefined : resolveWeight(graph, bias);
  if (bias !== "" && resolved?.dtype !== "float32")
    return `its bias is ${resolved === undefined ? "not constant" : resolved.dtype}, the int8 kernel takes a constant float32 one`;
  return slowerThanFloat(convolutionShape(node, weight.shape));
}

/** Fewest products a value, and input channels a group, for which the int8 kernel was not slower. */
const fewestProducts = 64;
const fewestGroupChannels = 32;

/** Shapes whose int8 kernel was slower than the float one (bench/convolutions.mjs, docs/decisions/140). */
function slowerThanFloat({ group, channels, kernel, isDepthwise }: ConvolutionShape): string | undefined {
  const slower = "its int8 kernel was measured slower than the float one";
  if (isDepthwise)
    return kernel.length === 1 ? undefined : `${slower} (depthwise over ${kernel.length} axes)`;
  if (group > 1 && channels < fewestGroupChannels)
    return `${slower} (${channels} input channels a group, fewer than ${fewestGroupChannels})`;
  const products = channels * elementCount(kernel);
  return products < fewestProducts
    ? `${slower} (${products} products a value, fewer than ${fewestProducts})`
    : undefined;
}

/**
 * Lowest and highest value that a node lets through and above or below which it says the bound; undefined otherwise.
 */
function bounds(graph: Graph, node: NodeProto): { readonly low: number; readonly high: number } | undefined {
  if (!isStandard(node)) return undefined;
  if (node.opType === "Relu") return { low: 0, high: Number.POSITIVE_INFINITY };
  if (node.opType !== "Clip") return undefined;
  const bound = (index: number, attribute: string, otherwise: number): number | undefined => {
    const name = node.input[index] ?? "";
    if (name === "") return floatAttribute(node, attribute, otherwise);
    const constant = resolveWeight(graph, name);
    return constant?.dtype === "float32" ? Number(readWeight(constant).data[0]) : undefined;
  };
  const low = bound(1, "min", Number.NEGATIVE_INFINITY);
  const high = bound(2, "max", Number.POSITIVE_INFINITY);
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** The Relu or Clip that alone reads what a convolution makes. */
export function boundingNode(graph: Graph, convolution: NodeProto): NodeProto | undefined {
  const output = convolution.output[0] ?? "";
  const uses = graph.consumers(output);
  const [use] = uses;
  if (use === undefined || uses.length > 1 || use.graph !== graph || graph.isOutput(output)) return undefined;
  return use.index === 0 && bounds(graph, use.node) !== undefined ? use.node : undefined;
}

/**
 * Whether rounding to 8 bits does what a Relu or Clip does, so that it can go: all that it would cut off is beyond the
 * lowest and highest integer, or is that integer.
 */
export function roundingBounds(graph: Graph, node: NodeProto, activation: PlannedActivation): boolean {
  const found = bounds(graph, node);
  if (found === undefined) return false;
  const { scale, zeroPoint, dtype } = activation;
  const [least, most] = dtype === "uint8" ? [0, 255] : [-128, 127];
  const integer = (value: number): number => roundHalfEven(Math.fround(value / scale)) + zeroPoint;
  return integer(found.low) <= least && integer(found.high) >= most;
}

/**
 * The value of which a static convolution's result is rounded: behind its Relu or Clip where the range of the integers
 * can end where that does, which symmetric ranges never do.
 */
export function convolutionResult(graph: Graph, node: NodeProto, isSymmetric: boolean): string {
  const bounding = isSymmetric ? undefined : boundingNode(graph, node);
  return (bounding ?? node).output[0] ?? "";
}
