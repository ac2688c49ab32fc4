import { intAttribute, type ModelProto, type NodeProto } from "@nasty/formats/onnx";
import { isFused, isStandard } from "@nasty/graph";
import type { Audit } from "./audit.js";

const nodesOf = (model: ModelProto): readonly NodeProto[] => model.graph?.node ?? [];

/**
 * Operator sets below this have no DynamicQuantizeLinear: the fused kernel is the only dynamic form, so nothing was
 * fused.
 */
const dynamicSince = 11n;

/** Of static quantization, MatMulIntegerToFloat is a form that is written where the runtime would not fuse one. */
const wasFused = (source: ModelProto): ((node: NodeProto) => boolean) => {
  const opset = source.opsetImport.find(isStandard)?.version ?? 0n;
  const isWritten = ({ opType }: NodeProto): boolean =>
    opType === "MatMulIntegerToFloat" || (opType === "DynamicQuantizeMatMul" && opset < dynamicSince);
  return (node) => isFused(node) && !isWritten(node);
};

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** `4-bit weights`, `4- and 8-bit weights`; without bits where the file was too large to be read. */
const blockWeights = (source: ModelProto | undefined): string => {
  const products =
    source === undefined ? [] : nodesOf(source).filter(({ opType }) => opType === "MatMulNBits");
  const bits = [...new Set(products.map((node) => intAttribute(node, "bits", 4)))].sort((a, b) => a - b);
  return bits.length === 0 ? "weights in blocks" : `${bits.join("- and ")}-bit weights`;
};

/**
 * What the figures mean, in words; empty when nothing stands out.
 *
 * @param source the model as it was before the runtime optimized it, if it could be read
 */
export const auditWarnings = (audit: Omit<Audit, "warnings">, source: ModelProto | undefined): string[] => {
  const warnings: string[] = [];
  const fused = source === undefined ? [] : nodesOf(source).filter(wasFused(source));
  // The runtime makes Gemm of a float MatMul and Add, and of Gemm between integers a quantized kernel.
  const gemms = audit.floatKernels.filter(
    ({ op, node }) => op === "Gemm" && !node.endsWith("MatMulAddFusion"),
  );
  const has = (op: string): boolean => audit.kernels.some((kernel) => kernel.op === op);

  if (fused.length > 0) {
    const ops = [...new Set(fused.map((node) => node.opType))].join(", ");
    warnings.push(
      `the file was optimized before (${plural(fused.length, "fused node")}: ${ops}): quantize the graph as it was exported, the session fuses it when it loads`,
    );
  }
  if (audit.quantizedKernels > 0 && gemms.length > 0) {
    warnings.push(
      `${plural(gemms.length, "Gemm")} stayed in the file: rewrite it as MatMul and Add, or it stays float`,
    );
  }
  if (audit.quantizedKernels > 0 && audit.floatMatMuls > 0) {
    warnings.push(
      `${plural(audit.floatMatMuls, "float matrix kernel")} with constant weights beside ${audit.quantizedKernels} quantized: see the reasons`,
    );
  }
  if (audit.strayQdq > 0) {
    warnings.push(
      `${plural(audit.strayQdq, "QuantizeLinear/DequantizeLinear node")} around float operators cost time and accuracy: quantize only products and convolutions with constant weights`,
    );
  }
  if (has("ConvInteger")) {
    warnings.push(
      "ConvInteger has no fast kernel on CPU: convolutions are faster in float or with static int8",
    );
  }
  if (has("MatMulNBits")) {
    warnings.push(
      `${blockWeights(source)} save size, not time: on CPU 8-bit dynamic quantization is the faster one`,
    );
  }
  const { unsafePairs, unsafeProducts } = audit;
  if (unsafePairs !== null && unsafeProducts !== null && unsafePairs > 0) {
    warnings.push(
      `${plural(unsafePairs, "pair")} of neighbouring int8 weights in ${unsafeProducts.unsafe} of ${plural(unsafeProducts.all, "product")} can overflow 16-bit sums: on processors without int8 dot products (x86 without VNNI) the file computes other numbers; quantize with safe pairs`,
    );
  }
  return warnings;
};
