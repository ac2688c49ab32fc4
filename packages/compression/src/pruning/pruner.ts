import type { ModelProto } from "@nasty/formats/onnx";
import { CompressionError } from "../compression-error.js";
import { conditionWarnings, graphCondition } from "../plan/graph-condition.js";
import type { Provenance } from "../report/history.js";
import { skippedBy } from "../plan/skipped-layers.js";
import { load, predict, save } from "../files/model-files.js";
import { openForCompression } from "../files/open-for-compression.js";
import { modelWarnings } from "../plan/plan-options.js";
import { applyPruning } from "./apply.js";
import { dropLayers } from "./drop-layers.js";
import { openEncoder } from "./encoder.js";
import { checkFinite, zerosByWeight } from "./masks.js";
import { type ChosenPruning, chosenPruning, type PruneOptions, recordedOptions } from "./options.js";
import { type StructurePlan, planLayers, planStructure } from "./plan-structure.js";
import type { NotPruned, PlannedVocabulary, PlannedZeros, PruningPlan } from "./plan.js";
import { prunableWeights } from "./prunable-weights.js";
import { applyVocabulary, planVocabulary } from "./vocabulary.js";

const unstructuredRemark =
  "zeros of unstructured pruning make neither the run faster nor the uncompressed file smaller: compress it (gzip, brotli), or remove whole heads and neurons (structured)";

/**
 * Plans what to prune.
 *
 * Without `structured`, the smallest elements of weights become zeros. With it, whole attention heads and feed-forward
 * neurons are taken out, by their importance on `data` or else by magnitude. `layers` and `vocabulary` may be added to
 * either, or stand alone.
 *
 * @param model a float32 graph that no runtime optimized; not changed
 * @throws CompressionError `invalid-option`, `no-such-layer`, `unsupported` (no layers of the wanted kind, a tied
 *   table), `already-quantized`, `no-calibration-data`, `not-finite`
 * @example
 * const plan = await pruner.plan(model, { sparsity: 0.3, structured: true, data: { loss, batches } });
 */
export async function planPruning(model: ModelProto, options: PruneOptions): Promise<PruningPlan> {
  const chosen = chosenPruning(options);
  const isStructured =
    chosen.elements === undefined && options.structured !== undefined && options.structured !== false;
  const layers = options.layers === undefined ? [] : planLayers(openEncoder(model), options.layers);
  // The rest is chosen among what is left.
  const shallow = layers.length === 0 ? model : dropLayers(model, layers);
  const structure: StructurePlan = isStructured
    ? await planStructure(shallow, openEncoder(shallow), chosen, options.data)
    : { heads: [], neurons: [], notPruned: [] };
  const vocabulary =
    options.vocabulary === undefined
      ? undefined
      : planVocabulary(openForCompression(shallow), options.vocabulary);
  const elements = planElements(
    vocabulary === undefined ? shallow : withoutRows(shallow, vocabulary),
    chosen,
  );
  return {
    schemaVersion: 1,
    options: recordedOptions(chosen, options),
    importance: options.data === undefined ? "magnitude" : "first-order",
    tensors: elements.tensors,
    heads: structure.heads,
    neurons: structure.neurons,
    layers,
    vocabulary,
    notPruned: [...structure.notPruned, ...elements.notPruned],
    warnings: [
      ...modelWarnings(model),
      ...conditionWarnings(graphCondition(openForCompression(model).main)),
      ...(chosen.elements === undefined ? [] : [unstructuredRemark]),
      ...(elements.isDone ? [sparseAlready(chosen.elements ?? 0)] : []),
      ...(isStructured && options.data === undefined
        ? ["importance is taken from magnitudes of weights: give data (labelled text) to measure it"]
        : []),
    ],
  };
}

const sparseAlready = (share: number): string =>
  `nothing is left to do: ${Number((share * 100).toFixed(2))} % of the elements and more are zero already; ask for more to prune this model further`;

function zerosIn(values: Float32Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) count++;
  return count;
}

function withoutRows(model: ModelProto, vocabulary: PlannedVocabulary): ModelProto {
  const graph = openForCompression(model);
  applyVocabulary(graph, vocabulary);
  return graph.toModel();
}

function planElements(
  model: ModelProto,
  { elements: share, scope, skipLayers, opTypes, minimumElements }: ChosenPruning,
): {
  tensors: PlannedZeros[];
  notPruned: readonly NotPruned[];
  /** Whether as many elements are zero as are asked for. */
  isDone: boolean;
} {
  if (share === undefined) {
    return { tensors: [], notPruned: [], isDone: false };
  }
  const found = prunableWeights(openForCompression(model));
  const skipped = skippedBy(found.weights, skipLayers, "pruner.plan");
  const notPruned: NotPruned[] = [...found.notPruned];
  const weights = found.weights.filter(({ name, op, elements }, index) => {
    const pattern = skipped[index];
    const reason =
      (pattern !== undefined && `skipped by pattern ${pattern}`) ||
      (!opTypes.includes(op) && `operator ${op} is not among the chosen ones (${opTypes.join(", ")})`) ||
      (elements < minimumElements && `smaller than ${minimumElements} elements (${elements})`);
    if (reason !== false) {
      notPruned.push({ name, op, reason });
    }
    return reason === false;
  });
  if (weights.length === 0) {
    const { quantized } = graphCondition(openForCompression(model).main);
    throw new CompressionError(
      quantized.size > 0 ? "already-quantized" : "unsupported",
      `pruner.plan: model: weights: expected at least one float32 weight to prune, got none of ${notPruned.length} candidates`,
    );
  }
  for (const { name, values } of weights) {
    checkFinite("pruner.plan", name, values());
  }
  const zeros = zerosByWeight(weights, share, scope);
  const isDone =
    share > 0 && weights.every(({ values }, index) => zerosIn(values()) >= (zeros[index] as number));
  return {
    notPruned,
    isDone,
    tensors: weights.map(({ name, owner, op, shape, elements }, index) => ({
      name,
      graph: owner.path,
      op,
      shape,
      elements,
      zeros: zeros[index] as number,
    })),
  };
}

/**
 * Prunes a model; the result can be run or written at once.
 *
 * @throws CompressionError as {@link planPruning} and {@link applyPruning}
 * @example const smaller = await pruner.prune(model, { sparsity: 0.3, structured: true })
 */
export async function prune(
  model: ModelProto,
  options: PruneOptions & { readonly provenance?: Provenance },
): Promise<ModelProto> {
  return (await applyPruning(model, await planPruning(model, options), options)).model;
}

/** Pruning: single elements, attention heads, feed-forward neurons, encoder layers, rows of the vocabulary. */
export const pruner = { plan: planPruning, apply: applyPruning, prune, save, load, predict } as const;
