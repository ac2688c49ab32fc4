import { elementCount } from "@nasty/core";
import { intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { type Graph, isStandard, weightSource } from "@nasty/graph";
import { matchLayers } from "@nasty/graph/patterns";
import { TrainingError } from "../training-error.js";
import type { ChosenOptions } from "./options.js";

/** A constant that a node reads, perhaps transposed. */
export interface ReadWeight {
  /** Name of the initializer or of the output of the Constant node. */
  readonly name: string;
  /** As it is stored. */
  readonly shape: readonly number[];
  readonly transposed: boolean;
}

/** A node whose weights become integers on export. */
export type Site =
  | {
      readonly kind: "product";
      readonly node: NodeProto;
      readonly weight: ReadWeight;
      /** Axis of the output channels in the stored weight. */
      readonly axis: number;
    }
  | {
      readonly kind: "embedding";
      readonly node: NodeProto;
      readonly weight: ReadWeight;
      /** Whether each row has a scale of its own instead of each column. */
      readonly perRow: boolean;
      /** Whether a product reads the table too. */
      readonly isTied: boolean;
    }
  | { readonly kind: "lstm"; readonly node: NodeProto; readonly weights: readonly ReadWeight[] };

/**
 * The axis along which neighbours of an int8 weight must be safe pairs, in the view that its scales are computed in
 * ([channels, inputs] of an LSTM); undefined where none need be.
 */
export function pairAxisOf(site: Site, { pairs }: Pick<ChosenOptions, "pairs">): number | undefined {
  if (pairs === "full") return undefined;
  switch (site.kind) {
    case "product":
      return 1 - site.axis;
    case "lstm":
      return 1;
    case "embedding":
      return site.isTied ? Number(site.perRow) : undefined;
    default:
      return site satisfies never;
  }
}

/**
 * The nodes of a graph that the quantizers of `@nasty/compression` turn into integer ones: MatMul and Gemm with
 * constant right operands, embeddings, LSTMs.
 *
 * @throws TrainingError `no-match` for a `skipLayers` pattern that names no such node or weight.
 */
export function findSites(
  graph: Graph,
  {
    skipLayers,
    minimumElements,
    bits,
    activations,
  }: Pick<ChosenOptions, "skipLayers" | "minimumElements" | "bits" | "activations">,
): readonly Site[] {
  const sites = graph.nodes.flatMap((node) => {
    const site = isStandard(node) ? siteOf(graph, node) : undefined;
    return site === undefined ? [] : [site];
  });
  const { matched, missing } = matchLayers(
    sites.map((site) => ({
      names: [site.node.name || (site.node.output[0] ?? ""), ...weightsOf(site).map(({ name }) => name)],
    })),
    skipLayers,
  );
  if (missing !== undefined) {
    const { pattern, near } = missing;
    const hint = near.length === 0 ? "the model has none" : `nearest: ${near.join(", ")}`;
    throw new TrainingError(
      "no-match",
      `fakeQuantization: skipLayers: ${String(pattern)}: expected a node or weight that is quantized, got none of that name (${hint})`,
    );
  }
  const found: Site[] = [];
  for (const [index, site] of sites.entries()) {
    const weights = weightsOf(site);
    const elements = Math.max(...weights.map(({ shape }) => elementCount(shape)));
    // Rows of an odd number of 4 bits do not fill bytes; static quantization has no LSTM.
    const hasKernel =
      site.kind === "embedding"
        ? bits === 8 || (site.weight.shape[1] ?? 0) % 2 === 0
        : site.kind === "product" || activations !== "static";
    if (matched[index] === undefined && elements >= minimumElements && hasKernel) found.push(site);
  }
  // One copy of a table that a product reads too serves both; alone it has scales along its longer axis.
  const tied = new Map<string, number>();
  for (const site of found) if (site.kind === "product") tied.set(site.weight.name, site.axis);
  return found.map((site) => {
    if (site.kind !== "embedding") return site;
    const [rows = 0, columns = 0] = site.weight.shape;
    const tiedAxis = tied.get(site.weight.name);
    const axis = tiedAxis ?? (rows > columns ? 0 : 1);
    return { ...site, perRow: axis === 0, isTied: tiedAxis !== undefined };
  });
}

function weightsOf(site: Site): readonly ReadWeight[] {
  return site.kind === "lstm" ? site.weights : [site.weight];
}

function siteOf(graph: Graph, node: NodeProto): Site | undefined {
  switch (node.opType) {
    case "MatMul":
    case "Gemm": {
      const weight = weightOf(graph, node.input[1], 2);
      if (weight === undefined || weightSource(graph, node.input[0] ?? "") !== undefined) return undefined;
      const turned = node.opType === "Gemm" && intAttribute(node, "transB", 0) !== 0;
      return { kind: "product", node, weight, axis: weight.transposed === turned ? 1 : 0 };
    }
    case "Gather": {
      const weight = weightOf(graph, node.input[0], 2);
      if (weight === undefined || weight.transposed || intAttribute(node, "axis", 0) !== 0) return undefined;
      return { kind: "embedding", node, weight, perRow: false, isTied: false };
    }
    case "LSTM": {
      const weights = [weightOf(graph, node.input[1], 3), weightOf(graph, node.input[2], 3)];
      const [input, recurrent] = weights;
      if (input === undefined || recurrent === undefined || intAttribute(node, "layout", 0) !== 0)
        return undefined;
      return { kind: "lstm", node, weights: [input, recurrent] };
    }
    default:
      return undefined;
  }
}

function weightOf(graph: Graph, name: string | undefined, rank: number): ReadWeight | undefined {
  const source = name === undefined || name === "" ? undefined : weightSource(graph, name);
  if (source === undefined || source.graph !== graph) return undefined;
  const { tensor, perm } = source;
  if (tensor.dtype !== "float32" || tensor.shape.length !== rank || elementCount(tensor.shape) === 0)
    return undefined;
  if (rank !== 2 && perm !== undefined) return undefined;
  return { name: source.name, shape: tensor.shape, transposed: perm !== undefined };
}

/**
 * The activation that a product reads, as the exported model has it: in front of Dropout nodes, which are no more
 * there.
 */
export function exportedActivation(graph: Graph, name: string): string {
  const node = graph.producer(name);
  return node?.opType === "Dropout" && isStandard(node)
    ? exportedActivation(graph, node.input[0] ?? "")
    : name;
}
