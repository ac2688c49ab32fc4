import type { Batches } from "@nasty/calibration";
import { tensor, type Tensor } from "@nasty/core";
import type { ModelProto, NodeProto } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import { channelStatistics, type ChannelStatistics } from "../activations/channel-statistics.js";
import { requireBatches, type RunOptions } from "../activations/visit-vectors.js";
import { CompressionError } from "../compression-error.js";
import { withHistory } from "../report/history.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { PlannedTensor } from "../plan/plan.js";
import { planDynamic } from "../modes/dynamic.js";
import { readWeight, resolveWeight } from "../plan/resolve-weight.js";
import { floatWeight, plannedProducts, type PlannedProduct } from "./planned-products.js";

export interface MigrationOptions extends RunOptions {
  readonly calibrationData: Batches;
  /** Share of the range that goes into the weights: 0 leaves all in the activations, 1 moves all. Default 0.5. */
  readonly strength?: number;
  /** Only activations whose largest channel is at least this many times the median one are touched. Default 8. */
  readonly outlierRatio?: number;
  readonly skipLayers?: readonly string[];
}

/** A model that computes the same in float, and which activations were evened out. */
export interface Migrated {
  readonly model: ModelProto;
  readonly activations: readonly string[];
}

const smallest = 1e-5;

function outlierRatioOf({ largest }: ChannelStatistics): number {
  const sorted = Float64Array.from(largest).sort();
  const median = sorted[sorted.length >> 1] ?? 0;
  return median === 0 ? Number.POSITIVE_INFINITY : (sorted.at(-1) ?? 0) / median;
}

/** s_k = max|x_k|^strength / max_n|W[k, n]|^(1 − strength) over all products that read the activation. */
function divisors(
  products: readonly PlannedProduct[],
  { largest }: ChannelStatistics,
  strength: number,
): Float32Array {
  const heaviest = new Float64Array(largest.length);
  for (const product of products) {
    const weight = floatWeight(product);
    const [, columns = 1] = product.planned.shape;
    for (let at = 0; at < weight.length; at++) {
      const k = product.sumAxis === 0 ? Math.floor(at / columns) : at % columns;
      heaviest[k] = Math.max(heaviest[k] as number, Math.abs(weight[at] as number));
    }
  }
  return Float32Array.from(largest, (magnitude, k) => {
    const weight = heaviest[k] as number;
    if (magnitude < smallest || weight < smallest) return 1;
    return Math.max(smallest, magnitude ** strength / weight ** (1 - strength));
  });
}

/** The weight with each row of the summed axis times its divisor, in the layout of its own. */
function scaledWeight(product: PlannedProduct, s: Float32Array): Tensor<"float32"> {
  const { planned, sumAxis } = product;
  const [, columns = 1] = planned.shape;
  const scaled = floatWeight(product).map(
    (value, at) => value * (s[sumAxis === 0 ? Math.floor(at / columns) : at % columns] as number),
  );
  return tensor("float32", planned.shape, scaled);
}

/** Puts 1/s into a normalization's own scale and shift, if nobody else reads what it makes. */
function foldIntoNormalization(
  graph: Graph,
  activation: string,
  readers: ReadonlySet<NodeProto>,
  s: Float32Array,
): boolean {
  const norm = graph.producer(activation);
  const isAlone = graph.consumers(activation).every(({ node, index }) => readers.has(node) && index === 0);
  if (norm?.opType !== "LayerNormalization" || !isAlone || graph.isOutput(activation)) return false;
  const parts = [1, 2].filter((index) => (norm.input[index] ?? "") !== "");
  const constants = parts.map((index) => resolveWeight(graph, norm.input[index] ?? ""));
  if (
    constants.some(
      (found) => found?.dtype !== "float32" || found.shape.length !== 1 || found.shape[0] !== s.length,
    )
  ) {
    return false;
  }
  for (const [at, index] of parts.entries()) {
    const found = constants[at];
    if (found === undefined) continue;
    const { data } = readWeight(found) as Tensor<"float32">;
    const divided = data.map((value, k) => value / (s[k] as number));
    graph.setInput(
      norm,
      index,
      graph.addInitializer(`${found.name}_migrated`, tensor("float32", [s.length], divided)),
    );
  }
  return true;
}

function multiplyBefore(
  graph: Graph,
  activation: string,
  readers: readonly NodeProto[],
  s: Float32Array,
): void {
  const first = graph.nodes.find((node) => readers.includes(node));
  if (first === undefined) return;
  const factor = graph.addInitializer(
    `${activation}_even`,
    tensor(
      "float32",
      [s.length],
      s.map((value) => 1 / value),
    ),
  );
  const output = graph.uniqueName(`${activation}_evened`);
  graph.addNode(
    { opType: "Mul", name: "", inputs: [activation, factor], outputs: [output] },
    { before: first },
  );
  for (const node of readers) graph.setInput(node, 0, output);
}

/**
 * Evens out activations with outlier channels: each channel is divided by what its weights are multiplied with, so that
 * in float nothing changes and one scale fits all channels.
 *
 * The division goes into the LayerNormalization before the products where that is possible, else into a Mul. Do it
 * before calibrating and planning: the result is a float model.
 *
 * @throws CompressionError `no-calibration-data`, `invalid-option`, `no-such-layer`
 * Source: Xiao et al. 2023 (SmoothQuant), eq. 4.
 * @example
 * const { model: even } = await migrateOutliers(model, { calibrationData: batches });
 * const quantized = await int8.quantize(even, { calibrationData: batches });
 */
export async function migrateOutliers(model: ModelProto, options: MigrationOptions): Promise<Migrated> {
  const { strength = 0.5, outlierRatio = 8, skipLayers = [], calibrationData, ...run } = options;
  const batches = requireBatches("migrateOutliers", calibrationData);
  if (!(strength >= 0 && strength <= 1)) {
    throw new CompressionError(
      "invalid-option",
      `migrateOutliers: strength: value: expected a number in 0..1, got ${strength}`,
    );
  }
  const graph = openForCompression(model);
  const { main } = graph;
  const products = plannedProducts(
    graph,
    planDynamic(model, { skipLayers, opTypes: ["MatMul", "Gemm"] }).tensors,
  );
  const byActivation = new Map<string, PlannedProduct[]>();
  for (const product of products) {
    byActivation.set(product.activation, [...(byActivation.get(product.activation) ?? []), product]);
  }
  const names = [...byActivation.keys()];
  const statistics = await channelStatistics(model, names, batches, run);
  const activations: string[] = [];
  for (const [activation, readers] of byActivation) {
    const found = statistics.get(activation);
    if (found === undefined || outlierRatioOf(found) < outlierRatio) continue;
    const s = divisors(readers, found, strength);
    const weights = new Map<PlannedTensor, string>();
    for (const product of readers) {
      const { planned, node } = product;
      const name =
        weights.get(planned) ?? main.addInitializer(`${planned.name}_migrated`, scaledWeight(product, s));
      weights.set(planned, name);
      main.setInput(node, 1, ownView(main, node, product, name));
    }
    const nodes = readers.map(({ node }) => node);
    if (!foldIntoNormalization(main, activation, new Set(nodes), s))
      multiplyBefore(main, activation, nodes, s);
    activations.push(activation);
  }
  main.pruneUnused();
  const step = { step: "migrate-outliers", options: { strength, outlierRatio, skipLayers } };
  return { model: withHistory(graph.toModel(), step), activations };
}

/** The new weight as the node reads it: behind a transposition where the old one was. */
function ownView(graph: Graph, node: NodeProto, { sumAxis }: PlannedProduct, name: string): string {
  const isSwapped =
    node.opType === "Gemm" && node.attribute.some(({ name: key, i }) => key === "transB" && i !== 0n);
  if ((sumAxis === 1) === isSwapped) return name;
  const output = graph.uniqueName(`${name}_t`);
  graph.addNode(
    { opType: "Transpose", name: "", inputs: [name], outputs: [output], attributes: { perm: [1n, 0n] } },
    { before: node },
  );
  return output;
}
