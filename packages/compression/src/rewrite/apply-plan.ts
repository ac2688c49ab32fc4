import type { ModelProto, NodeProto } from "@nasty/formats/onnx";
import { inferShapes, type Graph, type ModelGraph, raiseOpset } from "@nasty/graph";
import { CompressionError } from "../compression-error.js";
import { emitMatMulNBits, rewriteGatherBlocks } from "../block-weights/rewrite-blocks.js";
import { replaceProduct } from "../plan/matrix-product.js";
import type {
  PlannedActivation,
  PlannedSite,
  PlannedTensor,
  QuantizationPlan,
  QuantizedTensor,
} from "../plan/plan.js";
import { readWeight, resolveWeight } from "../plan/resolve-weight.js";
import { rewriteConv } from "./conv.js";
import { biasRoom, rewriteStaticConv } from "./static-conv.js";
import type { RewriteContext, StoredWeight } from "./context.js";
import { rewriteGather } from "./gather.js";
import { rewriteLstm } from "./lstm.js";
import { emitDynamicQuantizeMatMul, emitMatMulInteger, emitQdqMatMul } from "./matmul.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { FitScales, WeightQuantizer } from "./weight-quantizer.js";
import { overFloats } from "./over-floats.js";

/** A site of the plan with the weights that it reads. */
interface SiteWork {
  readonly site: PlannedSite;
  readonly stored: readonly StoredWeight[];
}

function graphsByPath(model: ModelGraph): Map<string, Graph> {
  return new Map(model.main.allGraphs().map((graph) => [graph.path, graph]));
}

function mismatch(where: string, expected: string, got: string): CompressionError {
  return new CompressionError("plan-mismatch", `apply: ${where}: expected ${expected}, got ${got}`);
}

function ownerOf(planned: PlannedTensor, graphs: ReadonlyMap<string, Graph>): Graph {
  const owner = graphs.get(planned.graph);
  if (owner === undefined || !owner.defines(planned.name)) {
    throw mismatch(`tensor ${JSON.stringify(planned.name)}`, `a constant of graph ${planned.graph}`, "none");
  }
  return owner;
}

/**
 * The weight that a node reads at an input, among those planned for it: found by what it is, not by the order of the
 * plan.
 */
function weightAt(graph: Graph, node: NodeProto, { site, stored }: SiteWork, index: number): StoredWeight {
  const name = node.input[index] ?? "";
  const read = resolveWeight(graph, name);
  const found = stored.find(
    ({ planned }) => planned.name === read?.name && planned.graph === read.owner.path,
  );
  if (found === undefined) {
    const planned = stored.map((weight) => JSON.stringify(weight.planned.name)).join(", ");
    throw mismatch(
      `node ${site.node}: input ${index}`,
      `a planned weight (${planned})`,
      JSON.stringify(name),
    );
  }
  return found;
}

function rewriteSite(context: RewriteContext, graph: Graph, node: NodeProto, work: SiteWork): void {
  const { site } = work;
  const weight = weightAt(graph, node, work, site.op === "Gather" ? 0 : 1);
  switch (site.form) {
    case "MatMulInteger":
      replaceProduct(graph, node, (product) => {
        emitMatMulInteger(context, product, weight);
      });
      return;
    case "DynamicQuantizeMatMul":
      replaceProduct(graph, node, (product) => {
        emitDynamicQuantizeMatMul(context, product, weight);
      });
      return;
    case "QDQ":
      if (site.op === "Conv") {
        rewriteStaticConv(context, graph, node, weight);
        return;
      }
      replaceProduct(graph, node, (product) => {
        emitQdqMatMul(context, product, weight);
      });
      return;
    case "Gather":
      rewriteGather(graph, node, weight);
      return;
    case "DynamicQuantizeLSTM":
      rewriteLstm(context, graph, node, [weight, weightAt(graph, node, work, 2)]);
      return;
    case "ConvInteger":
      rewriteConv(context, graph, node, weight);
      return;
    case "MatMulNBits":
      replaceProduct(graph, node, (product) => {
        emitMatMulNBits(context, product, weight);
      });
      return;
    case "GatherBlockQuantized":
      rewriteGatherBlocks(context, graph, node, weight);
      return;
    default: {
      const unreachable: never = site.form;
      throw new TypeError(`apply: ${String(unreachable)}`);
    }
  }
}

export interface AppliedPlan {
  readonly model: ModelProto;
  readonly tensors: readonly QuantizedTensor[];
}

/**
 * Carries out a plan on the model it was made for.
 *
 * @param given makes a weight's integers; called once a planned tensor
 * @param options.inPlace writes integers over the floats that they are made of, where nobody else reads those
 * @throws CompressionError `plan-mismatch` when the model has not the planned nodes and weights
 */
export function applyPlan(
  model: ModelProto,
  plan: QuantizationPlan,
  given: WeightQuantizer,
  { inPlace = false }: { readonly inPlace?: boolean } = {},
): AppliedPlan {
  const graph = openForCompression(model);
  const quantize = inPlace ? overFloats(graph, given) : given;
  const graphs = graphsByPath(graph);
  const works = new Map<string, SiteWork>();
  const tensors: QuantizedTensor[] = [];
  const activations = activationsByName(plan.activations);
  for (const planned of plan.tensors) {
    const owner = ownerOf(planned, graphs);
    const fit = roomForBiases(planned, graphs, activations);
    const weight = quantize(planned, () => readWeight({ owner, name: planned.name }), fit);
    const { name, layer, op, dtype, granularity } = planned;
    tensors.push({ name, layer, op, dtype, granularity, sqnrDb: weight.sqnrDb });
    const stored: StoredWeight = { planned, owner, weight, names: new Map() };
    for (const site of planned.sites) {
      const key = `${site.graph}\0${site.output}`;
      const known = works.get(key)?.stored ?? [];
      works.set(key, { site, stored: [...known, stored] });
    }
  }
  const planned = new Set(works.keys());
  const context: RewriteContext = {
    model: graph,
    opset: graph.opset(),
    inputs: new Map(),
    staticInputs: new Map(),
    activations,
    accuracyLevel: Number(plan.options["accuracyLevel"] ?? 4),
    isPlanned: (scope, node) => planned.has(siteKey(scope, node)),
    rankOf: plan.mode === "static" ? ranksOf(graph) : () => undefined,
  };
  // In the order of the nodes: an input that several read is quantized in front of the first.
  for (const scope of graphs.values()) {
    for (const node of scope.nodes) {
      const key = siteKey(scope, node);
      const work = works.get(key);
      if (work !== undefined) {
        works.delete(key);
        rewriteSite(context, scope, node, work);
      }
    }
  }
  for (const { site } of works.values()) {
    throw mismatch(
      `node ${site.node}`,
      `an output ${JSON.stringify(site.output)} in graph ${site.graph}`,
      "none",
    );
  }
  graph.main.pruneUnused();
  // The runtime makes QLinearConv of a static convolution, which came with opset 10.
  const hasConvolutions = plan.tensors.some(({ op, sites }) => op === "Conv" && sites.some(isQdq));
  if (hasConvolutions) raiseOpset(graph, 10);
  return { model: graph.toModel(), tensors };
}

/** Scales of a static convolution must leave room for the biases of all nodes that read the weight. */
function roomForBiases(
  { sites }: PlannedTensor,
  graphs: ReadonlyMap<string, Graph>,
  activations: RewriteContext["activations"],
): FitScales | undefined {
  const rooms = sites.flatMap(({ op, form, graph: path, output }) => {
    const graph = graphs.get(path);
    const node = op === "Conv" && form === "QDQ" ? graph?.producer(output) : undefined;
    return graph === undefined || node === undefined ? [] : (biasRoom({ activations }, graph, node) ?? []);
  });
  if (rooms.length === 0) return undefined;
  return (scale, weight) => rooms.reduce((fitting, room) => room(fitting, weight), scale);
}

const isQdq = ({ form }: PlannedSite): boolean => form === "QDQ";

function siteKey({ path }: Graph, node: NodeProto): string {
  return `${path}\0${node.output.find((output) => output !== "") ?? ""}`;
}

/** Ranks as they are before any rewrite. */
function ranksOf(model: ModelGraph): RewriteContext["rankOf"] {
  const types = inferShapes(model);
  return (graph, name) => types.typeOf(graph, name)?.shape?.length;
}

function activationsByName(activations: readonly PlannedActivation[]): Map<string, PlannedActivation> {
  return new Map(activations.map((activation) => [`${activation.graph}\0${activation.name}`, activation]));
}
