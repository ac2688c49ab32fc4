import { elementCount, tensor, type Tensor } from "@nasty/core";
import { floatAttribute, intAttribute, type NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "../graph.js";
import type { ModelGraph } from "../model-graph.js";
import { isStandard } from "../operators/traits.js";
import { weightSource, weightUsage } from "../weights.js";

/** What a node does to each channel of its input: `y = x · factor + addend`; one number stands for all channels. */
interface ChannelMap {
  readonly factor: Float64Array;
  readonly addend: Float64Array;
}

const one = Float64Array.of(1);
const zero = Float64Array.of(0);
const defaultEpsilon = 1e-5;

const isOp = (node: NodeProto, ...ops: readonly string[]): boolean =>
  isStandard(node) && ops.includes(node.opType);

/** A float32 constant as it is stored. */
function floatConstant(graph: Graph, name: string): Tensor | undefined {
  const source = weightSource(graph, name);
  return source?.perm === undefined && source?.tensor.dtype === "float32" ? source.tensor : undefined;
}

/** The numbers of a constant that has one for each of the channels of a value of this rank, or one for all. */
function perChannelConstant(
  graph: Graph,
  name: string,
  channels: number,
  rank: number,
): Float64Array | undefined {
  const constant = floatConstant(graph, name);
  if (constant === undefined || constant.shape.length > rank) return undefined;
  const shape = [...Array.from({ length: rank - constant.shape.length }, () => 1), ...constant.shape];
  const isAlongChannels = shape.every((size, axis) => size === 1 || (axis === 1 && size === channels));
  return isAlongChannels ? Float64Array.from(constant.data as Float32Array) : undefined;
}

function normalization(graph: Graph, node: NodeProto, channels: number): ChannelMap | undefined {
  const isTraining = intAttribute(node, "training_mode", 0) !== 0 || intAttribute(node, "spatial", 1) !== 1;
  if (isTraining || node.output.filter((name) => name !== "").length > 1) return undefined;
  const parameters = [1, 2, 3, 4].map((index) => floatConstant(graph, node.input[index] ?? "")?.data);
  const [scale, bias, mean, variance] = parameters as readonly (Float32Array | undefined)[];
  if (scale === undefined || bias === undefined || mean === undefined || variance === undefined)
    return undefined;
  if (parameters.some((parameter) => parameter?.length !== channels)) return undefined;
  const epsilon = Math.fround(floatAttribute(node, "epsilon", defaultEpsilon));
  const factor = Float64Array.from(scale, (value, c) => value / Math.sqrt((variance[c] as number) + epsilon));
  const addend = Float64Array.from(bias, (value, c) => value - (mean[c] as number) * (factor[c] as number));
  return factor.every(Number.isFinite) && addend.every(Number.isFinite) ? { factor, addend } : undefined;
}

/** What a node does to the channels of `value`, if it does nothing else. */
function channelMap(
  graph: Graph,
  node: NodeProto,
  value: string,
  { channels, rank }: { readonly channels: number; readonly rank: number },
): ChannelMap | undefined {
  if (isOp(node, "BatchNormalization")) {
    return node.input[0] === value ? normalization(graph, node, channels) : undefined;
  }
  if (!isOp(node, "Mul", "Add")) return undefined;
  // Before operator set 7 an attribute said which axes meet.
  if (node.attribute.length > 0) return undefined;
  const other = node.input[0] === value ? node.input[1] : node.input[0];
  const constant = perChannelConstant(graph, other ?? "", channels, rank);
  if (constant === undefined) return undefined;
  return node.opType === "Mul" ? { factor: constant, addend: zero } : { factor: one, addend: constant };
}

const at = (values: Float64Array, channel: number): number =>
  values[values.length === 1 ? 0 : channel] as number;

/** Puts a tensor where a constant was, for one reader: in its place if nobody else reads it. */
function replaceConstant(graph: Graph, node: NodeProto, index: number, value: Tensor): void {
  const name = node.input[index] ?? "";
  const isOwn = name !== "" && graph.initializers.has(name) && !weightUsage(graph, name).shared;
  if (isOwn && !graph.isOverridable(name)) graph.setInitializer(name, value);
  else {
    const label = name === "" ? `${node.name || (node.output[0] ?? "")}_bias` : `${name}_folded`;
    graph.setInput(node, index, graph.addInitializer(label, value));
  }
}

/** Takes what the next node does to the channels into the weight and the bias; that node goes. */
function foldNext(graph: Graph, convolution: NodeProto): boolean {
  const output = convolution.output[0] ?? "";
  const uses = graph.consumers(output);
  const [use] = uses;
  if (use === undefined || uses.length > 1 || use.graph !== graph || graph.isOutput(output)) return false;
  const weight = floatConstant(graph, convolution.input[1] ?? "");
  const biasName = convolution.input[2] ?? "";
  const bias = biasName === "" ? undefined : floatConstant(graph, biasName);
  if (weight === undefined || (biasName !== "" && bias === undefined)) return false;
  const channels = weight.shape[0] ?? 0;
  const map = channelMap(graph, use.node, output, { channels, rank: weight.shape.length });
  if (map === undefined) return false;
  const { factor, addend } = map;
  const inner = elementCount(weight.shape.slice(1));
  const weights = (weight.data as Float32Array).map((w, i) => w * at(factor, Math.floor(i / inner)));
  const sums = Float32Array.from(
    { length: channels },
    (_, c) => Number(bias?.data[c] ?? 0) * at(factor, c) + at(addend, c),
  );
  // Statistics of a channel that never varied may leave the range of float32.
  if (!weights.every(Number.isFinite) || !sums.every(Number.isFinite)) return false;
  replaceConstant(graph, convolution, 1, tensor("float32", weight.shape, weights));
  replaceConstant(graph, convolution, 2, tensor("float32", [channels], sums));
  const result = use.node.output[0] ?? "";
  graph.removeNode(use.node);
  graph.setOutput(convolution, 0, result);
  return true;
}

/**
 * Takes what follows a convolution with constant weights and works on each channel alone into its weight and bias:
 * BatchNormalization, and Mul and Add with a constant that is one number or one a channel.
 *
 * `BN(W∗x + b) = (W·f)∗x + (b − mean)·f + B`, `f = scale / √(variance + ε)`, computed in float64. The convolution keeps
 * its name and takes the last result's. The runtime does the same to float convolutions when it loads a model; it
 * cannot once their weights are integers. Results differ in the last bits.
 *
 * @returns how many nodes went
 * @see ONNX 1.22, BatchNormalization-15
 */
export function foldIntoConvolutions(model: ModelGraph): number {
  let count = 0;
  for (const graph of model.allGraphs()) {
    for (const node of graph.nodes) {
      if (!isOp(node, "Conv")) continue;
      while (foldNext(graph, node)) count += 1;
    }
  }
  if (count > 0) model.main.pruneUnused();
  return count;
}
