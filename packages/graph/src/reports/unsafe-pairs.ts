import { convolutionRows, countPairs, countUnsafePairs, type Tensor } from "@nasty/core";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { transposeTensor } from "../folding/strided-copy.js";
import type { Graph } from "../graph.js";
import { inferShapes } from "../inference/infer-shapes.js";
import type { ModelGraph } from "../model-graph.js";
import { type WeightSource, weightSource } from "../weights.js";

/** Pairs of neighbours of an int8 weight that an integer product adds up. */
export interface WeightPairs {
  /** Name of the constant. */
  readonly weight: string;
  /** The first node that reads it so: its name, or its first output. */
  readonly node: string;
  readonly op: string;
  /** Pairs (2i, 2i + 1) along the summed axis. */
  readonly pairs: number;
  /**
   * Those whose sum leaves ±128: on processors without int8 dot products they overflow 16 bits for some activations.
   */
  readonly unsafe: number;
}

/** Where a kernel of uint8 activations has its int8 weights. */
interface Kernel {
  /** Inputs that hold weights. */
  readonly weights: readonly number[];
  /** Input whose integers the weights are multiplied with; undefined where the kernel quantizes it itself, as uint8. */
  readonly activation?: number;
  /** Axis that the kernel sums over, as it reads the weight; from the end if negative. */
  readonly axis: number;
  /** Attribute that swaps the last two axes. */
  readonly transposed?: string;
}

const microsoft = "com.microsoft";
const channelsLast = "com.ms.internal.nhwc";

/**
 * Kernels of ONNX 1.22 and ONNX Runtime 1.30 that multiply uint8 with int8; ConvInteger and weights in blocks are exact
 * everywhere.
 */
const kernels: ReadonlyMap<string, Kernel> = new Map<string, Kernel>([
  [":MatMulInteger", { weights: [1], activation: 0, axis: -2 }],
  [":QLinearMatMul", { weights: [3], activation: 0, axis: -2 }],
  [":QLinearConv", { weights: [3], activation: 0, axis: 1 }],
  [`${microsoft}:QLinearConv`, { weights: [3], activation: 0, axis: 1 }],
  [`${channelsLast}:QLinearConv`, { weights: [3], activation: 0, axis: 1 }],
  [`${microsoft}:MatMulIntegerToFloat`, { weights: [1], activation: 0, axis: -2 }],
  [`${microsoft}:DynamicQuantizeMatMul`, { weights: [1], axis: -2 }],
  [`${microsoft}:QGemm`, { weights: [3], activation: 0, axis: -2, transposed: "transB" }],
  [`${microsoft}:QAttention`, { weights: [1], activation: 0, axis: -2 }],
  [`${microsoft}:DynamicQuantizeLSTM`, { weights: [1, 2], axis: 1 }],
]);

/**
 * Float operators that the runtime turns into such kernels between QuantizeLinear and DequantizeLinear, whatever 8 bits
 * the activations have.
 */
const dequantized: ReadonlyMap<string, Kernel> = new Map<string, Kernel>([
  [":MatMul", { weights: [1], activation: 0, axis: -2 }],
  [":Gemm", { weights: [1], activation: 0, axis: -2, transposed: "transB" }],
  [":Conv", { weights: [1], activation: 0, axis: 1 }],
]);

const keyOf = ({ domain, opType }: NodeProto): string => `${domain === "ai.onnx" ? "" : domain}:${opType}`;

/** The DequantizeLinear that makes a value, seen through nodes that only move it. */
function dequantizer(graph: Graph, name: string): NodeProto | undefined {
  const seen = new Set<NodeProto>();
  for (let node = graph.producer(name); node !== undefined && !seen.has(node); ) {
    if (node.opType === "DequantizeLinear") return node;
    if (!["Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten"].includes(node.opType))
      return undefined;
    seen.add(node);
    node = graph.producer(node.input[0] ?? "");
  }
  return undefined;
}

/** The integers that a DequantizeLinear makes a float weight of. */
function integersOf(graph: Graph, name: string): string | undefined {
  const node = graph.producer(name);
  return node?.opType === "DequantizeLinear" ? node.input[0] : undefined;
}

interface Read {
  readonly kernel: Kernel;
  /** Names of the integers. */
  readonly integers: readonly string[];
}

function readsOf(
  graph: Graph,
  node: NodeProto,
  typeOf: (graph: Graph, name: string) => string | undefined,
): Read | undefined {
  const kernel = kernels.get(keyOf(node));
  if (kernel !== undefined) {
    const activation = kernel.activation === undefined ? undefined : node.input[kernel.activation];
    // Products of two int8 operands have kernels of their own, which are exact.
    if (activation !== undefined && typeOf(graph, activation) === "int8") return undefined;
    return { kernel, integers: kernel.weights.map((index) => node.input[index] ?? "") };
  }
  const float = dequantized.get(keyOf(node));
  if (float === undefined || dequantizer(graph, node.input[float.activation ?? 0] ?? "") === undefined)
    return undefined;
  const integers = float.weights.flatMap((index) => integersOf(graph, node.input[index] ?? "") ?? []);
  return { kernel: float, integers };
}

/** The summed axis in the layout that pairs are counted in, which is the stored one unless a convolution reads it. */
function storedAxis(node: NodeProto, { axis, transposed }: Kernel, { tensor, perm }: WeightSource): number {
  if (isConvolution(node)) return axis;
  const rank = tensor.shape.length;
  let seen = axis < 0 ? rank + axis : axis;
  if (transposed !== undefined && intAttribute(node, transposed, 0) !== 0) seen = rank - 1;
  return perm?.[seen] ?? seen;
}

const isConvolution = ({ opType }: NodeProto): boolean => opType === "Conv" || opType === "QLinearConv";

/** The kernel of one input and one output channel a group adds no pairs. */
function isDepthwise(node: NodeProto, { tensor, perm }: WeightSource): boolean {
  const { shape } = tensor;
  const isPlain = isConvolution(node) && perm === undefined;
  return isPlain && shape[1] === 1 && shape[0] === intAttribute(node, "group", 1);
}

/** A convolution sums kernel positions one after the other, at each its channels; matrices are summed as they lie. */
function summedLayout(node: NodeProto, { tensor, perm }: WeightSource): Tensor {
  if (!isConvolution(node) || tensor.shape.length < 3) return tensor;
  return convolutionRows(perm === undefined ? tensor : transposeTensor(tensor, perm));
}

/**
 * Counts, in every int8 weight that is multiplied with uint8 activations, the pairs that overflow 16-bit sums for some
 * activations.
 *
 * x86 processors without VNNI add two neighbouring products in saturating int16: 255·(q[2i] + q[2i+1]) must stay within
 * it, so the sum of the two weights within ±128. A model without unsafe pairs computes the same integers on every
 * processor.
 *
 * @returns one row a weight and summed axis, in the order of the nodes; an odd last row is in no pair
 * @throws FormatError `external-data` for weights that were not loaded
 * @example
 * const unsafe = unsafePairs(model).filter((row) => row.unsafe > 0);
 */
export function unsafePairs(model: ModelGraph): readonly WeightPairs[] {
  const rows = new Map<string, WeightPairs>();
  let types: ReturnType<typeof inferShapes> | undefined;
  const typeOf = (graph: Graph, name: string): string | undefined => {
    types ??= inferShapes(model);
    return types.typeOf(graph, name)?.dtype;
  };
  for (const graph of model.main.allGraphs()) {
    for (const node of graph.nodes) {
      const read = readsOf(graph, node, typeOf);
      if (read === undefined) continue;
      for (const name of read.integers) {
        const source = weightSource(graph, name);
        if (source?.tensor.dtype !== "int8") continue;
        const axis = storedAxis(node, read.kernel, source);
        const key = JSON.stringify([source.graph.path, source.name, axis]);
        if (axis >= source.tensor.shape.length || rows.has(key) || isDepthwise(node, source)) continue;
        const tensor = summedLayout(node, source) as Tensor<"int8">;
        rows.set(key, {
          weight: source.name,
          node: node.name || (node.output[0] ?? ""),
          op: node.opType,
          pairs: countPairs(tensor.shape, axis),
          unsafe: countUnsafePairs(tensor, axis),
        });
      }
    }
  }
  return [...rows.values()];
}
