import type { NodeProto } from "@nasty/formats/onnx";
import { isStandard } from "@nasty/graph";

/** What a node is to the audit: which arithmetic it multiplies in, or that it looks up quantized rows. */
export type KernelClass = "quantized" | "float" | "quantized-embedding";

const onnx = "";
const microsoft = "com.microsoft";
/** Where the runtime puts operators whose layout it changed to channels-last. */
const channelsLast = "com.ms.internal.nhwc";
const blocked = "com.microsoft.nchwc";

const key = (domain: string, op: string): string => `${domain === "ai.onnx" ? onnx : domain}:${op}`;

const keys = (domain: string, ...ops: string[]): string[] => ops.map((op) => key(domain, op));

/** Matrix kernels that multiply integers (ONNX 1.22 operators and ONNX Runtime 1.30 contrib operators). */
const quantized: ReadonlySet<string> = new Set([
  ...keys(onnx, "MatMulInteger", "QLinearMatMul", "QLinearConv", "ConvInteger"),
  ...keys(
    microsoft,
    "DynamicQuantizeMatMul",
    "MatMulIntegerToFloat",
    "MatMulInteger16",
    "QGemm",
    "MatMulNBits",
  ),
  ...keys(microsoft, "MatMulBnb4", "MatMulFpQ4", "DynamicQuantizeLSTM", "QLinearConv", "QAttention", "QMoE"),
  ...keys(channelsLast, "QLinearConv", "ConvInteger"),
]);

/** Table lookups that dequantize only the rows they fetch. */
const embeddings: ReadonlySet<string> = new Set(
  keys(microsoft, "GatherBlockQuantized", "QEmbedLayerNormalization"),
);

/** Either factor of a product may be the weight. */
const matrixProducts = [
  ...keys(onnx, "MatMul", "Gemm"),
  ...keys(microsoft, "FusedMatMul", "TransposeMatMul", "FusedGemm", "FusedMatMulActivation"),
];

const layers = [
  ...keys(onnx, "Conv", "ConvTranspose", "LSTM", "GRU", "RNN"),
  ...keys(microsoft, "FusedConv", "NhwcFusedConv", "Attention"),
  ...keys(channelsLast, "Conv", "FusedConv"),
  ...keys(blocked, "Conv"),
];

/** Matrix kernels that multiply floats, with the inputs that hold weights when they are constant. */
const float: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ...matrixProducts.map((name) => [name, [1, 0]] as const),
  ...layers.map((name) => [name, [1]] as const),
]);

export const isOp = (node: NodeProto, ...ops: string[]): boolean =>
  isStandard(node) && ops.includes(node.opType);

export const isQuantizedKernel = (node: NodeProto): boolean => quantized.has(key(node.domain, node.opType));

export const isQuantizedEmbedding = (node: NodeProto): boolean =>
  embeddings.has(key(node.domain, node.opType));

/** The inputs of a float matrix kernel that may be weights, or nothing for any other node. */
export const floatWeightInputs = (node: NodeProto): readonly number[] | undefined =>
  float.get(key(node.domain, node.opType));

/** Whether a node takes 8-bit activations: the matrix kernels, and `QLinearAdd` and its like. */
export const takesIntegers = (node: NodeProto): boolean =>
  isQuantizedKernel(node) || node.opType.startsWith("QLinear") || node.opType === "DynamicQuantizeLSTM";
