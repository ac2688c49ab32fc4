import { dataTypeOf, intAttribute, type NodeProto } from "@nasty/formats/onnx";

type Named = Pick<NodeProto, "opType" | "domain">;

const names = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));

const flat = names(
  "Shape Size ConstantOfShape Range OneHot NonZero ArgMax ArgMin Equal Greater GreaterOrEqual Less LessOrEqual " +
    "And Or Not Xor IsNaN IsInf Floor Ceil Round Sign",
);

const float32 = dataTypeOf("float32");

/** Types that a gradient has, by their number in ONNX. */
const smooth: ReadonlySet<number> = new Set([float32, dataTypeOf("float64")]);

const quantized = names(
  "QuantizeLinear DequantizeLinear DynamicQuantizeLinear MatMulInteger ConvInteger QLinearMatMul QLinearConv " +
    "MatMulIntegerToFloat DynamicQuantizeMatMul DynamicQuantizeLSTM MatMulNBits MatMulBnb4 GatherBlockQuantized " +
    "QAttention QGemm QEmbedLayerNormalization",
);

const fused = names(
  "Attention MultiHeadAttention GroupQueryAttention PackedAttention EmbedLayerNormalization SkipLayerNormalization " +
    "SkipSimplifiedLayerNormalization FusedMatMul FusedMatMulActivation FusedGemm FusedConv BiasGelu FastGelu QuickGelu " +
    "QAttention DynamicQuantizeMatMul MatMulIntegerToFloat",
);

/** Whether a node is of the standard's own domain, which is written as nothing or as `ai.onnx`. */
export function isStandard({ domain }: Pick<NodeProto, "domain">): boolean {
  return domain === "" || domain === "ai.onnx";
}

/** Whether a node means what the standard's operator of that name means: of the runtime's own operators Gelu does. */
export function hasStandardMeaning(node: Named): boolean {
  return isStandard(node) || (node.domain === "com.microsoft" && node.opType === "Gelu");
}

/**
 * Whether a result does not change with small changes of the input (a whole number, a truth value, a shape, a Cast to a
 * type that is neither float32 nor float64): no gradient goes through it.
 */
export function isFlat(node: NodeProto): boolean {
  if (!isStandard(node)) return false;
  return flat.has(node.opType) || (node.opType === "Cast" && !smooth.has(intAttribute(node, "to", float32)));
}

/** An operator as people write it: with its domain in front, unless that is the standard's own. */
export function operatorLabel(node: Named): string {
  return isStandard(node) ? node.opType : `${node.domain}.${node.opType}`;
}

/** Whether a node computes with, or makes, quantized values. */
export function isQuantized({ opType }: Pick<NodeProto, "opType">): boolean {
  return quantized.has(opType) || opType.startsWith("QLinear");
}

/** Whether a node is the product of a runtime's own graph optimization, made while a model is loaded. */
export function isFused({ opType, domain }: Named): boolean {
  return domain === "com.microsoft" && fused.has(opType);
}
