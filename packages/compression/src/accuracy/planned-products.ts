import type { Tensor } from "@nasty/core";
import { floatAttribute, intAttribute, type NodeProto } from "@nasty/formats/onnx";
import type { Graph, ModelGraph } from "@nasty/graph";
import { blockLayout } from "../block-weights/block-layout.js";
import type { PlannedTensor } from "../plan/plan.js";
import { readWeight, resolveWeight } from "../plan/resolve-weight.js";
import type { QuantizedWeight } from "../rewrite/weight-quantizer.js";

/** A product of the main graph whose weight is planned to become integers. */
export interface PlannedProduct {
  readonly planned: PlannedTensor;
  readonly graph: Graph;
  readonly node: NodeProto;
  readonly activation: string;
  readonly output: string;
  /** Axis of the weight's own layout that the product sums over. */
  readonly sumAxis: 0 | 1;
  /** A Gemm's factor of the product; 1 otherwise. */
  readonly alpha: number;
}

/** The MatMul and Gemm nodes of a plan, except those that transpose their activation and those inside subgraphs. */
export function plannedProducts(model: ModelGraph, tensors: readonly PlannedTensor[]): PlannedProduct[] {
  const { main } = model;
  const products: PlannedProduct[] = [];
  for (const planned of tensors) {
    for (const { op, output, graph } of planned.sites) {
      const node =
        graph === main.path && (op === "MatMul" || op === "Gemm") ? main.producer(output) : undefined;
      const [activation = "", weight = ""] = node?.input ?? [];
      const resolved = node === undefined ? undefined : resolveWeight(main, weight);
      if (node === undefined || resolved === undefined) continue;
      if (op === "Gemm" && intAttribute(node, "transA", 0) !== 0) continue;
      const isSwapped = op === "Gemm" && intAttribute(node, "transB", 0) !== 0;
      products.push({
        planned,
        graph: main,
        node,
        activation,
        output,
        sumAxis: resolved.transposed === isSwapped ? 0 : 1,
        alpha: op === "Gemm" ? floatAttribute(node, "alpha", 1) : 1,
      });
    }
  }
  return products;
}

/** The float weight of a product, in its own layout. */
export function floatWeight({ planned, graph }: PlannedProduct): Float32Array {
  const owner = graph.allGraphs().find(({ path }) => path === planned.graph) ?? graph;
  return (readWeight({ owner, name: planned.name }) as Tensor<"float32">).data;
}

/** The real weight that integers stand for, in the layout of the float original. */
export function realWeight(planned: PlannedTensor, weight: QuantizedWeight): Float32Array {
  const { data, scale, zeroPoint } = weight;
  const [rows = 1, columns = 1] = planned.shape;
  const real = new Float32Array(rows * columns);
  const layout = blockLayout(planned);
  const { granularity } = planned;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let at = row * columns + column;
      let group = 0;
      if (layout !== undefined) {
        const [channel, k] = layout.transposed ? [column, row] : [row, column];
        group = channel * layout.blocks + Math.floor(k / layout.blockSize);
        at = channel * layout.length + k;
      } else if (granularity.kind === "per-channel") {
        group = granularity.axis === 0 ? row : column;
      }
      real[row * columns + column] =
        ((data[at] as number) - (zeroPoint[group] as number)) * (scale[group] as number);
    }
  }
  return real;
}
