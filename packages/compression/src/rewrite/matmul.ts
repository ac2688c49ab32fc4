import type { MatrixProduct } from "../plan/matrix-product.js";
import {
  dynamicInput,
  matrixIntegers,
  scales,
  staticInput,
  zeroPoints,
  qdqDomain,
  type RewriteContext,
  type StaticInput,
  type StoredWeight,
} from "./context.js";

const floatDataType = 1;

/**
 * `Cast(MatMulInteger(q(x), W)) · (sx · sw)`: the pattern that ONNX Runtime fuses into MatMulIntegerToFloat, and
 * further into DynamicQuantizeMatMul when nobody else reads q(x).
 */
export function emitMatMulInteger(
  context: RewriteContext,
  product: MatrixProduct,
  stored: StoredWeight,
): void {
  const { graph, node, activation, transposed, factor, output } = product;
  const before = { before: node };
  const input = dynamicInput(context, graph, activation, node);
  const weight = matrixIntegers(stored, transposed, graph, node);
  const zeroPoint = zeroPoints(stored);
  const sum = graph.uniqueName(`${output}_i`);
  const real = graph.uniqueName(`${output}_f`);
  const scale = graph.uniqueName(`${output}_s`);
  const inputs = [input.value, weight, input.zeroPoint, ...(zeroPoint === undefined ? [] : [zeroPoint])];
  // The fused kernel takes the name of the integer product: it is the layer's name in profiles and audits.
  graph.addNode({ opType: "MatMulInteger", name: node.name, inputs, outputs: [sum] }, before);
  const to = { to: floatDataType };
  graph.addNode({ opType: "Cast", name: "", inputs: [sum], outputs: [real], attributes: to }, before);
  const factors = [input.scale, scales(stored, factor)];
  graph.addNode({ opType: "Mul", name: "", inputs: factors, outputs: [scale] }, before);
  graph.addNode({ opType: "Mul", name: "", inputs: [real, scale], outputs: [output] }, before);
}

/** The fused operator itself, which no operator set is too old for. */
export function emitDynamicQuantizeMatMul(
  context: RewriteContext,
  product: MatrixProduct,
  stored: StoredWeight,
): void {
  const { graph, node, activation, transposed, factor, output } = product;
  const weight = matrixIntegers(stored, transposed, graph, node);
  const zeroPoint = zeroPoints(stored);
  const inputs = [
    activation,
    weight,
    scales(stored, factor),
    ...(zeroPoint === undefined ? [] : [zeroPoint]),
  ];
  const domain = "com.microsoft";
  context.model.setOpset(domain, 1);
  graph.addNode(
    { opType: "DynamicQuantizeMatMul", domain, name: node.name, inputs, outputs: [output] },
    { before: node },
  );
}

/**
 * Dequantized activation and weight in front of a float product: the runtime fuses the three into one integer kernel.
 *
 * Of a matrix (rank 2) the product is a Gemm: the runtime joins a MatMul and a following Add to a Gemm before it looks
 * for quantized operands, and then misses a quantized bias.
 */
export function emitQdqMatMul(context: RewriteContext, product: MatrixProduct, stored: StoredWeight): void {
  const { graph, node, transposed, factor, output } = product;
  const before = { before: node };
  const input = staticInput(context, product);
  const integers = matrixIntegers(stored, transposed, graph, node);
  const isMatrix = node.opType === "Gemm" || context.rankOf(graph, product.source) === 2;
  if ((isMatrix && context.opset < gemmWithoutBias) || isReadBothWays(context, product)) {
    emitMatMulIntegerToFloat(context, product, stored, { ...input, weight: integers });
    return;
  }
  const weight = graph.uniqueName(`${stored.planned.name}_dq`);
  const isPerChannel = stored.planned.granularity.kind === "per-channel";
  graph.addNode(
    {
      opType: "DequantizeLinear",
      domain: qdqDomain(context),
      name: "",
      inputs: [integers, scales(stored, factor), zeroPoints(stored, true) ?? ""],
      outputs: [weight],
      ...(isPerChannel ? { attributes: { axis: 1 } } : {}),
    },
    before,
  );
  const opType = isMatrix ? "Gemm" : "MatMul";
  graph.addNode({ opType, name: node.name, inputs: [input.value, weight], outputs: [output] }, before);
}

/** A Gemm may lack its C from opset 11 on. */
const gemmWithoutBias = 11;

/**
 * Whether integer products and float nodes read the result: the runtime sees a quantized output that it cannot drop the
 * float form of, and leaves the product in float between its pairs.
 */
function isReadBothWays(context: RewriteContext, { graph, output }: MatrixProduct): boolean {
  if (!context.activations.has(`${graph.path}\0${output}`)) return false;
  if (graph.isOutput(output)) return true;
  return graph.consumers(output).some((use) => use.graph !== graph || !context.isPlanned(graph, use.node));
}

/**
 * The fused kernel itself: for results read both ways, and for matrices in graphs whose Gemm cannot do without a float
 * C.
 */
function emitMatMulIntegerToFloat(
  context: RewriteContext,
  { graph, node, factor, output }: MatrixProduct,
  stored: StoredWeight,
  { integers, scale, zeroPoint, weight }: StaticInput & { readonly weight: string },
): void {
  const domain = "com.microsoft";
  context.model.setOpset(domain, 1);
  const inputs = [integers, weight, scale, scales(stored, factor), zeroPoint, zeroPoints(stored, true) ?? ""];
  graph.addNode(
    { opType: "MatMulIntegerToFloat", domain, name: node.name, inputs, outputs: [output] },
    { before: node },
  );
}
