import {
  float16ToFloat32,
  float32ToFloat16,
  packBlocks,
  packBlockZeroPoints,
  packInt4,
  tensor,
} from "@nasty/core";
import { type NodeProto, TensorProto_DataType } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import type { MatrixProduct } from "../plan/matrix-product.js";
import { ownConstant, type RewriteContext, type StoredWeight } from "../rewrite/context.js";
import { blockLayout, storesHalfScales, type BlockLayout } from "./block-layout.js";

const domain = "com.microsoft";

function layoutOf({ planned }: StoredWeight): BlockLayout {
  const layout = blockLayout(planned);
  if (layout === undefined) {
    throw new TypeError(`apply: ${planned.name} is not quantized in blocks`);
  }
  return layout;
}

function blobs(stored: StoredWeight, layout: BlockLayout): string {
  const { channels, blocks, blockSize, bits } = layout;
  const { data, zeroPoint } = stored.weight;
  return ownConstant(stored, "blobs", "q", () =>
    tensor(
      "uint8",
      [channels, blocks, (blockSize * bits) / 8],
      packBlocks({ data: data as Uint8Array, zeroPoint }, layout),
    ),
  );
}

/**
 * Scales [channels, blocks], float32 as the kernels read them. Those of tables that are only gathered from are stored
 * as the float16 values that they are, behind a Cast that the runtime folds when it loads the model. Products need them
 * as they are: ONNX Runtime 1.30 computes wrong numbers at accuracy level 4 from scales that are not constants, which
 * is what a Cast leaves when graph optimization is off.
 */
function blockScales(
  graph: Graph,
  before: NodeProto,
  stored: StoredWeight,
  layout: BlockLayout & { readonly factor?: number },
): string {
  const { channels, blocks, factor = 1 } = layout;
  const { scale } = stored.weight;
  const shape = [channels, blocks];
  if (!storesHalfScales(layout) || !scale.every(isHalf)) {
    return ownConstant(stored, `block scales ${factor}`, "scale", () =>
      tensor("float32", shape, factor === 1 ? scale : scale.map((value) => value * factor)),
    );
  }
  const halves = ownConstant(stored, "half scales", "scale", () =>
    tensor("float16", shape, Uint16Array.from(scale, float32ToFloat16)),
  );
  const output = graph.uniqueName(`${stored.planned.name}_scale_f`);
  const attributes = { to: TensorProto_DataType.FLOAT };
  graph.addNode({ opType: "Cast", name: "", inputs: [halves], outputs: [output], attributes }, { before });
  return output;
}

const isHalf = (scale: number): boolean => float16ToFloat32(float32ToFloat16(scale)) === scale;

/** Nothing for symmetric weights: their zero point is the kernels' default. */
function blockZeroPoints(stored: StoredWeight, layout: BlockLayout): readonly string[] {
  if (stored.planned.symmetric) {
    return [];
  }
  const { channels, blocks, bits } = layout;
  const name = ownConstant(stored, "block zero points", "zp", () =>
    tensor(
      "uint8",
      [channels, Math.ceil((blocks * bits) / 8)],
      packBlockZeroPoints(stored.weight.zeroPoint, layout),
    ),
  );
  return [name];
}

/** A product with a weight of 4 or 8 bits in blocks, which the kernel dequantizes as it goes. */
export function emitMatMulNBits(context: RewriteContext, product: MatrixProduct, stored: StoredWeight): void {
  const layout = layoutOf(stored);
  const { graph, node, activation, factor, output } = product;
  const { channels, length, blockSize, bits } = layout;
  context.model.setOpset(domain, 1);
  const inputs = [
    activation,
    blobs(stored, layout),
    blockScales(graph, node, stored, { ...layout, factor }),
    ...blockZeroPoints(stored, layout),
  ];
  const attributes = {
    K: length,
    N: channels,
    bits,
    block_size: blockSize,
    accuracy_level: context.accuracyLevel,
  };
  graph.addNode(
    { opType: "MatMulNBits", domain, name: node.name, inputs, outputs: [output], attributes },
    { before: node },
  );
}

/**
 * The table that rows are gathered from. A product that reads it too has it in blobs, which without padding are the
 * same bytes in another shape: a Reshape that the runtime folds when it loads the model keeps them once.
 */
function tableData(graph: Graph, before: NodeProto, stored: StoredWeight, layout: BlockLayout): string {
  const { channels, length, blockSize, bits } = layout;
  const isShared = stored.planned.sites.some(({ form }) => form === "MatMulNBits");
  const width = (length * bits) / 8;
  if (!isShared || length % blockSize !== 0) {
    const data = stored.weight.data as Uint8Array;
    return ownConstant(stored, "rows", "rows", () =>
      tensor("uint8", [channels, width], bits === 8 ? data : packInt4(data)),
    );
  }
  const shape = ownConstant(stored, "rows shape", "shape", () =>
    tensor("int64", [2], BigInt64Array.of(BigInt(channels), BigInt(width))),
  );
  const output = graph.uniqueName(`${stored.planned.name}_rows`);
  graph.addNode(
    { opType: "Reshape", name: "", inputs: [blobs(stored, layout), shape], outputs: [output] },
    { before },
  );
  return output;
}

/** An embedding over a table of 4 or 8 bits in blocks along its rows; only gathered rows become float. */
export function rewriteGatherBlocks(
  context: RewriteContext,
  graph: Graph,
  node: NodeProto,
  stored: StoredWeight,
): void {
  const layout = layoutOf(stored);
  const output = node.output[0] ?? "";
  context.model.setOpset(domain, 1);
  graph.setOutput(node, 0, "");
  const inputs = [
    tableData(graph, node, stored, layout),
    node.input[1] ?? "",
    blockScales(graph, node, stored, layout),
    ...blockZeroPoints(stored, layout),
  ];
  const attributes = { bits: layout.bits, block_size: layout.blockSize, gather_axis: 0, quantize_axis: 1 };
  graph.addNode(
    { opType: "GatherBlockQuantized", domain, name: node.name, inputs, outputs: [output], attributes },
    { before: node },
  );
  graph.removeNode(node);
}
