import { elementCount, perChannel, perTensor, type Granularity } from "@nasty/core";
import { CompressionError } from "../compression-error.js";
import { layerName, type ModelGraph } from "@nasty/graph";
import { convolutionShape } from "./convolution.js";
import { refuseQuantized } from "./graph-condition.js";
import { skippedBy } from "./skipped-layers.js";
import type { KeptInFloat, Pairs, PlannedSite, PlannedTensor, QuantizableOp, QuantizedForm } from "./plan.js";
import type { ResolvedWeight } from "./resolve-weight.js";
import { findWeightSites, nodeLabel, type WeightSite } from "./weight-sites.js";

/** What every mode lets its caller choose. */
export interface WeightOptions {
  /**
   * One scale an output channel (an embedding: a row, or a column if it has fewer rows) instead of one a tensor.
   * Default true.
   */
  readonly perChannel?: boolean;
  /** Weights' zero point in the middle. Default true. */
  readonly symmetric?: boolean;
  /**
   * 7-bit weights, ±64: another way to products that are exact everywhere, which loses more than safe pairs. Default
   * false.
   */
  readonly reduceRange?: boolean;
  /** Whether products must be exact on every processor, or on those with VNNI only. Default `safe`. */
  readonly pairs?: Pairs;
  /** Layers to keep in float: exact names of nodes or weights, globs, `/regular expressions/`. */
  readonly skipLayers?: readonly string[];
  /** Operators to quantize. Default MatMul, Gemm, Gather (embeddings), in static mode Conv, in dynamic mode LSTM. */
  readonly opTypes?: readonly QuantizableOp[];
  /** Weights with fewer elements stay in float: their scales and nodes take more than they save. Default 64. */
  readonly minimumElements?: number;
}

export const quantizableOps: readonly QuantizableOp[] = ["MatMul", "Gemm", "Gather", "LSTM", "Conv"];

/** How one mode treats a site: the form it takes, or why it takes none. */
export type FormOf = (site: WeightSite) => QuantizedForm | { readonly reason: string };

export interface WeightPlan {
  readonly tensors: readonly PlannedTensor[];
  readonly keptInFloat: readonly KeptInFloat[];
  readonly warnings: readonly string[];
}

function checkOptions(operation: string, { opTypes, minimumElements, pairs }: Required<WeightOptions>): void {
  if (pairs !== "safe" && pairs !== "full") {
    throw new CompressionError(
      "invalid-option",
      `${operation}: pairs: value: expected safe or full, got ${String(pairs)}`,
    );
  }
  for (const op of opTypes) {
    if (!quantizableOps.includes(op)) {
      throw new CompressionError(
        "invalid-option",
        `${operation}: opTypes: operator: expected one of ${quantizableOps.join(", ")}, got ${String(op)}`,
      );
    }
  }
  if (!Number.isInteger(minimumElements) || minimumElements < 0) {
    throw new CompressionError(
      "invalid-option",
      `${operation}: minimumElements: value: expected an integer of at least 0, got ${String(minimumElements)}`,
    );
  }
}

/**
 * The axis, in the weight's own layout, along which its scales lie: that of output channels, and of an embedding table
 * the longer one, so that fewer values share a scale.
 */
function channelAxis(
  op: QuantizableOp,
  { transposed, shape }: ResolvedWeight,
  gemmTransposesB: boolean,
): number {
  switch (op) {
    case "MatMul":
      return transposed ? 0 : 1;
    case "Gemm":
      return transposed === gemmTransposesB ? 1 : 0;
    case "Gather":
      return (shape[0] ?? 0) > (shape[1] ?? 0) ? 0 : 1;
    case "Conv":
    case "LSTM":
      return 0;
    default: {
      const unreachable: never = op;
      throw new TypeError(`channelAxis: ${String(unreachable)}`);
    }
  }
}

/**
 * Forms whose kernels multiply uint8 activations with int8 weights, and so add neighbouring products in 16 bits on some
 * processors.
 */
const addsPairs: ReadonlySet<QuantizedForm> = new Set([
  "MatMulInteger",
  "DynamicQuantizeMatMul",
  "QDQ",
  "DynamicQuantizeLSTM",
]);

/** The axis, in the weight's own layout, that a site's kernel sums over in pairs. */
function pairAxisOf(
  { op, form }: PlannedSite,
  { node }: WeightSite,
  { shape }: ResolvedWeight,
  channels: number,
): number | undefined {
  if (!addsPairs.has(form)) return undefined;
  if (op === "Conv" && convolutionShape(node, shape).isDepthwise) return undefined;
  return op === "LSTM" ? 2 : 1 - channels;
}

function gemmTransposesB({ node }: WeightSite): boolean {
  return node.opType === "Gemm" && node.attribute.some(({ name, i }) => name === "transB" && i !== 0n);
}

interface Group {
  readonly weight: ResolvedWeight;
  readonly site: WeightSite;
  readonly granularity: Granularity;
  readonly pairAxes: Set<number>;
  readonly sites: PlannedSite[];
}

function exclusion(
  site: WeightSite,
  skippedBy: string | undefined,
  options: Required<WeightOptions>,
  unfit: string | undefined,
): string | undefined {
  if (skippedBy !== undefined) {
    return `skipped by pattern ${skippedBy}`;
  }
  if (!options.opTypes.includes(site.op)) {
    // Choosing it would not help where the mode has no form for it.
    return unfit ?? `operator ${site.op} is not among the chosen ones (${options.opTypes.join(", ")})`;
  }
  const elements = Math.max(...site.weights.map(({ shape }) => elementCount(shape)));
  return elements < options.minimumElements
    ? `smaller than ${options.minimumElements} elements (${elements})`
    : undefined;
}

/**
 * Decides which weights of a model become integers: finds the nodes, applies the options, and groups nodes that share a
 * weight, so that it is quantized and stored once.
 *
 * @throws CompressionError `already-quantized`, `no-such-layer`, `invalid-option`
 */
export function planWeights(
  model: ModelGraph,
  operation: string,
  options: Required<WeightOptions>,
  formOf: FormOf,
): WeightPlan {
  checkOptions(operation, options);
  refuseQuantized(operation, model.main, options.opTypes);
  const { sites, keptInFloat } = findWeightSites(model);
  const skipped = skippedBy(
    sites.map(({ graph, node, weights }) => ({
      names: [nodeLabel(node), ...weights.flatMap(({ name }) => [name, layerName(graph, node, name)])],
    })),
    options.skipLayers,
    operation,
  );
  const chosen: Chosen[] = [];
  for (const [index, site] of sites.entries()) {
    const form = formOf(site);
    const unfit = typeof form === "object" ? form.reason : undefined;
    const reason = exclusion(site, skipped[index], options, unfit) ?? unfit;
    if (reason !== undefined || typeof form === "object") {
      keptInFloat.push({ name: nodeLabel(site.node), op: site.op, reason: reason ?? "" });
      continue;
    }
    const planned: PlannedSite = {
      graph: site.graph.path,
      node: nodeLabel(site.node),
      op: site.op,
      form,
      output: site.node.output.find((output) => output !== "") ?? "",
    };
    chosen.push({ site, planned });
  }
  const groups = groupByWeight(chosen, options.perChannel);
  const tensors = [...groups.values()].map((group) => plannedTensor(group, options));
  return { tensors, keptInFloat, warnings: storedTwice(tensors) };
}

interface Chosen {
  readonly site: WeightSite;
  readonly planned: PlannedSite;
}

const weightKey = ({ owner, name }: ResolvedWeight): string => JSON.stringify([owner.path, name]);

/** Axes of the tables that a product reads too: with its scales, one copy of the integers serves both. */
function tiedAxes(chosen: readonly Chosen[]): Map<string, number> {
  const axes = new Map<string, number>();
  for (const { site } of chosen) {
    const [weight] = site.weights;
    if (weight !== undefined && (site.op === "MatMul" || site.op === "Gemm")) {
      axes.set(weightKey(weight), channelAxis(site.op, weight, gemmTransposesB(site)));
    }
  }
  return axes;
}

function groupByWeight(chosen: readonly Chosen[], isPerChannel: boolean): Map<string, Group> {
  const tied = tiedAxes(chosen);
  const groups = new Map<string, Group>();
  for (const { site, planned } of chosen) {
    for (const weight of site.weights) {
      const own = channelAxis(site.op, weight, gemmTransposesB(site));
      const axis = site.op === "Gather" ? (tied.get(weightKey(weight)) ?? own) : own;
      const granularity = isPerChannel ? perChannel(axis) : perTensor;
      // Forms that store other dtypes or layouts cannot share integers with the rest.
      const isOwnLayout = planned.form === "DynamicQuantizeLSTM" || planned.form === "ConvInteger";
      const key = JSON.stringify([weightKey(weight), granularity, isOwnLayout ? planned.form : "matrix"]);
      const group = groups.get(key) ?? { weight, site, granularity, pairAxes: new Set(), sites: [] };
      groups.set(key, group);
      // An LSTM may read one weight as its input and its recurrent weight.
      if (!group.sites.includes(planned)) group.sites.push(planned);
      const pairAxis = pairAxisOf(planned, site, weight, own);
      if (pairAxis !== undefined) group.pairAxes.add(pairAxis);
    }
  }
  return groups;
}

function plannedTensor(
  { weight, site, granularity, pairAxes, sites }: Group,
  options: Required<WeightOptions>,
): PlannedTensor {
  // ConvInteger takes unsigned weights only, the integer LSTM and QLinearConv ones with one zero point.
  const unsigned = sites.some(({ form }) => form === "ConvInteger");
  const middle = unsigned || site.op === "Conv" || sites.some(({ form }) => form === "DynamicQuantizeLSTM");
  return {
    name: weight.name,
    layer: layerName(site.graph, site.node, weight.name),
    graph: weight.owner.path,
    op: site.op,
    shape: weight.shape,
    dtype: unsigned ? "uint8" : "int8",
    granularity,
    symmetric: options.symmetric || middle,
    reduceRange: options.reduceRange,
    pairs: options.pairs,
    pairAxes: [...pairAxes].sort((a, b) => a - b),
    sites,
  };
}

function storedTwice(tensors: readonly PlannedTensor[]): string[] {
  const seen = new Map<string, number>();
  for (const { graph, name } of tensors) {
    seen.set(`${graph}\0${name}`, (seen.get(`${graph}\0${name}`) ?? 0) + 1);
  }
  return [...seen]
    .filter(([, count]) => count > 1)
    .map(([key]) => `${key.split("\0")[1] ?? key} is read along different axes and is stored once for each`);
}
