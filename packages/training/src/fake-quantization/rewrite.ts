import type { NodeProto } from "@nasty/formats/onnx";
import { isStandard, type ModelGraph } from "@nasty/graph";
import { gradientWriter } from "../gradient/gradient-writer.js";
import { liftOpset } from "../gradient/lift-opset.js";
import { unclippedPrefix } from "../gradient/rules/quantization.js";
import { dynamicActivation } from "./emit-activations.js";
import { type Emitter, inBlocks, perChannel, perRow } from "./emit-weights.js";
import { exportedActivation, findSites, pairAxisOf, type ReadWeight, type Site } from "./find-sites.js";
import type { ActivationMode, ChosenOptions } from "./options.js";

/** How a rewrite rounds activations, and what it does beside. */
export interface RewritePlan {
  readonly mode: ActivationMode;
  /** Rounds a static activation; `name` is what it is exported under. */
  readonly activation: (emitter: Emitter, x: string, name: string) => string;
  /** Chooses between the rounded and the real tensor; the identity where rounding is always on. */
  readonly switched: (emitter: Emitter, kind: "weight" | "activation", choice: Choice) => string;
}

export interface Choice {
  readonly rounded: string;
  readonly real: string;
}

/** Prefix of everything that a rewrite adds. */
export const prefix = "fake-quantization/";

/** `static`, unless the model has LSTMs, whose kernel quantizes as it goes; with 4 bits `float`. */
export function activationModeOf(
  sites: readonly Site[],
  { bits, activations }: Pick<ChosenOptions, "bits" | "activations">,
): ActivationMode {
  if (activations !== undefined) return activations;
  if (bits === 4) return "float";
  return sites.some(({ kind }) => kind === "lstm") ? "dynamic" : "static";
}

/** Names of the activations of a static export, in the order of their products. */
export function activationNames(model: ModelGraph, sites: readonly Site[]): string[] {
  const names = sites.flatMap(({ kind, node }) =>
    kind === "product" ? [exportedActivation(model.main, node.input[0] ?? "")] : [],
  );
  return [...new Set(names)];
}

export function makeEmitter(model: ModelGraph): Emitter {
  const graph = model.main;
  const zeros = new Map<number, string>();
  return {
    writer: gradientWriter(graph, prefix),
    unclipped: gradientWriter(graph, unclippedPrefix),
    zeros(count) {
      let name = zeros.get(count);
      if (name === undefined) {
        name = graph.addInitializer(`${prefix}zeros`, {
          dtype: "int8",
          shape: [count],
          data: new Int8Array(count),
        });
        zeros.set(count, name);
      }
      return name;
    },
  };
}

/** Lifts a model to the operator set of training and finds what is quantized in it. */
export function openSites(model: ModelGraph, options: ChosenOptions): readonly Site[] {
  liftOpset(model);
  return findSites(model.main, options);
}

/**
 * Rounds the weights and activations of the sites in the graph itself; every other reader of a tensor keeps the real
 * one.
 *
 * Scales of weights are computed from the weights at each run, without gradients of their own.
 */
export function rewriteSites(
  model: ModelGraph,
  sites: readonly Site[],
  {
    options,
    plan,
    emitter,
  }: {
    readonly options: ChosenOptions;
    readonly plan: RewritePlan;
    readonly emitter: Emitter;
  },
): void {
  const graph = model.main;
  const weights = new Map<string, string>();
  const roundedWeight = (weight: ReadWeight, site: Site): string => {
    const key = JSON.stringify([weight.name, site.kind === "lstm", site.kind === "product" && site.axis]);
    let rounded = weights.get(key);
    if (rounded === undefined) {
      const emitted = emitWeight(emitter, weight, { site, options });
      rounded = plan.switched(emitter, "weight", { rounded: emitted, real: weight.name });
      if (weight.transposed) rounded = emitter.writer.op("Transpose", [rounded], { perm: [1, 0] });
      weights.set(key, rounded);
    }
    return rounded;
  };
  const products: NodeProto[] = [];
  const recurrent: NodeProto[] = [];
  /** Names that rounded rows are exported under. */
  const aliases = new Map<string, string>();
  for (const site of sites) {
    switch (site.kind) {
      case "product":
        graph.setInput(site.node, 1, roundedWeight(site.weight, site));
        products.push(site.node);
        break;
      case "embedding":
        aliases.set(roundRows(model, site, { options, plan, emitter }), site.node.output[0] ?? "");
        break;
      case "lstm":
        for (const [i, weight] of site.weights.entries())
          graph.setInput(site.node, i + 1, roundedWeight(weight, site));
        // Its kernel rounds the input of all steps at once, whatever else is rounded; the state of each step it rounds
        // by itself.
        recurrent.push(site.node);
        break;
      default:
        site satisfies never;
    }
  }
  if (plan.mode !== "float") roundActivations(model, products, { plan, emitter, aliases });
  if (recurrent.length > 0)
    roundActivations(model, recurrent, { plan: { ...plan, mode: "dynamic" }, emitter, aliases });
  graph.sort();
}

interface Rewriting {
  readonly plan: RewritePlan;
  readonly emitter: Emitter;
}

function emitWeight(
  emitter: Emitter,
  { name, shape }: ReadWeight,
  { site, options }: { readonly site: Site; readonly options: ChosenOptions },
): string {
  const { writer } = emitter;
  if (site.kind === "lstm") {
    const [directions = 1, gates = 1, inputs = 1] = shape;
    const rows = writer.op("Reshape", [name, writer.ints([directions * gates, inputs])]);
    const rounded = perChannel(emitter, rows, {
      range: rows,
      shape: [directions * gates, inputs],
      axis: 0,
      pairAxis: pairAxisOf(site, options),
    });
    return writer.op("Reshape", [rounded, writer.ints(shape)]);
  }
  const axis = site.kind === "product" ? site.axis : 1;
  if (options.bits === 8)
    return perChannel(emitter, name, { range: name, shape, axis, pairAxis: pairAxisOf(site, options) });
  const [length, others] = [shape[1 - axis] as number, shape[axis] as number];
  return inBlocks(emitter, name, {
    ...options,
    length,
    channels: others,
    others,
    axis: (1 - axis) as 0 | 1,
  });
}

/** Rounds the rows that are looked up, so that their gradient stays one of rows. */
function roundRows(
  model: ModelGraph,
  site: Extract<Site, { kind: "embedding" }>,
  { options, plan, emitter }: Rewriting & { readonly options: ChosenOptions },
): string {
  const graph = model.main;
  const { node, weight } = site;
  const rows = node.output[0] ?? "";
  const pairAxis = pairAxisOf(site, options);
  const readers = graph.consumers(rows).map(({ node: reader, index }) => ({ reader, index }));
  const { name, shape } = weight;
  const rounded =
    options.bits === 4
      ? inBlocks(emitter, rows, {
          ...options,
          length: shape[1] as number,
          channels: shape[0] as number,
          others: undefined,
          axis: 1,
        })
      : site.perRow
        ? perRow(emitter, rows, pairAxis === undefined ? 0 : (shape[1] as number))
        : perChannel(emitter, rows, { range: name, shape, axis: 1, pairAxis });
  const chosen = plan.switched(emitter, "weight", { rounded, real: rows });
  for (const { reader, index } of readers) graph.setInput(reader, index, chosen);
  return chosen;
}

/**
 * Rounds what products read. Dropout in between is none of the exported model: the tensor in front of it is rounded,
 * for its products alone.
 */
function roundActivations(
  model: ModelGraph,
  products: readonly NodeProto[],
  { plan, emitter, aliases }: Rewriting & { readonly aliases: ReadonlyMap<string, string> },
): void {
  const graph = model.main;
  const isProduct = new Set(products);
  const rounded = new Map<string, string>();
  const dropped = new Map<string, string>();
  const roundedOf = (name: string): string => {
    const known = rounded.get(name);
    if (known !== undefined) return known;
    const emitted =
      plan.mode === "dynamic"
        ? dynamicActivation(emitter, name)
        : plan.activation(emitter, name, aliases.get(name) ?? name);
    const chosen = plan.switched(emitter, "activation", { rounded: emitted, real: name });
    rounded.set(name, chosen);
    return chosen;
  };
  const throughDropout = (name: string): string => {
    const node = graph.producer(name);
    if (node?.opType !== "Dropout" || !isStandard(node)) return roundedOf(name);
    const known = dropped.get(name);
    if (known !== undefined) return known;
    const input = throughDropout(node.input[0] ?? "");
    const serves = graph.consumers(name).every(({ node: reader }) => isProduct.has(reader));
    let output = name;
    if (serves && !graph.isOutput(name)) {
      graph.setInput(node, 0, input);
    } else {
      output = graph.uniqueName(`${name}/quantized`);
      graph.addNode({
        opType: "Dropout",
        name: `${node.name || name}/quantized`,
        inputs: [input, ...node.input.slice(1)],
        outputs: [output],
        ...copiedRatio(node),
      });
    }
    dropped.set(name, output);
    return output;
  };
  // All names first: moving a Dropout node's input must not change what the next product is found to read.
  const reads = products.map((node) => ({ node, name: node.input[0] ?? "" }));
  for (const { node, name } of reads) graph.setInput(node, 0, throughDropout(name));
}

/** Until operator set 11 the ratio was an attribute. */
function copiedRatio(node: NodeProto): {
  readonly attributes?: Record<string, { kind: "float"; value: number }>;
} {
  const ratio = node.attribute.find(({ name }) => name === "ratio");
  return ratio === undefined ? {} : { attributes: { ratio: { kind: "float", value: ratio.f } } };
}
