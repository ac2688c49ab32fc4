import type { ModelProto } from "@nasty/formats/onnx";
import { validateModel } from "@nasty/graph";
import { type Provenance, withHistory } from "../report/history.js";
import { openForCompression } from "../files/open-for-compression.js";
import { stripModel } from "../rewrite/strip-model.js";
import { type Encoder, openEncoder } from "./encoder.js";
import type { AttentionBlock } from "./find-attention.js";
import type { FeedForwardBlock } from "./find-feed-forward.js";
import { countParameters } from "./masks.js";
import type { PlannedHeads, PlannedNeurons, PruningPlan, PruningReport } from "./plan.js";
import { dropLayers } from "./drop-layers.js";
import { resizeReshape } from "./resize-reshape.js";
import { remaining, spread } from "./select-units.js";
import { sliceConstant, sliceLast } from "./slice.js";
import { applyVocabulary, newIdsOf } from "./vocabulary.js";
import { mismatch, zeroElements } from "./zero-elements.js";

/** A pruned model and what was done. */
export interface PruningResult {
  readonly model: ModelProto;
  readonly report: PruningReport;
}

/**
 * Carries out a plan of `pruner.plan`.
 *
 * @param model the model that the plan was made for; not changed
 * @returns the pruned model, its step written down in `nasty.history`, and a report
 * @throws CompressionError `plan-mismatch` when the model has not the planned nodes and weights, `not-finite` naming
 *   the tensor
 */
export async function applyPruning(
  model: ModelProto,
  plan: PruningPlan,
  options: { readonly provenance?: Provenance } = {},
): Promise<PruningResult> {
  let pruned = plan.layers.length > 0 ? dropLayers(model, plan.layers) : model;
  if (plan.heads.length + plan.neurons.length > 0) {
    pruned = pruneStructure(pruned, plan);
  }
  if (plan.vocabulary !== undefined) {
    const graph = openForCompression(pruned);
    applyVocabulary(graph, plan.vocabulary);
    pruned = graph.toModel();
  }
  let tensors: PruningReport["tensors"] = [];
  if (plan.tensors.length > 0) {
    const graph = openForCompression(pruned);
    tensors = zeroElements(graph, plan.tensors);
    pruned = graph.toModel();
  }
  const finished = withHistory(stripModel(pruned), {
    step: "prune",
    options: { importance: plan.importance, ...plan.options },
    ...options.provenance,
  });
  validateModel(finished);
  return { model: finished, report: reportOf(model, finished, plan, tensors) };
}

function reportOf(
  before: ModelProto,
  after: ModelProto,
  { heads, neurons, layers, vocabulary, notPruned, warnings }: PruningPlan,
  tensors: PruningReport["tensors"],
): PruningReport {
  const { elements, nonZero } = countParameters(after);
  return {
    parameters: { before: countParameters(before).elements, after: elements, nonZero },
    tensors,
    heads: heads.map(({ node, heads: count, remove }) => ({
      node,
      before: count,
      after: count - remove.length,
    })),
    neurons: neurons.map(({ node, neurons: count, remove }) => ({
      node,
      before: count,
      after: count - remove.length,
    })),
    layers: layers.map(({ layer }) => layer),
    vocabulary: vocabulary && {
      table: vocabulary.table,
      before: vocabulary.rows,
      after: vocabulary.keep.length,
      remap: vocabulary.remap,
      newIds: newIdsOf(vocabulary),
    },
    notPruned,
    warnings,
  };
}

function pruneStructure(model: ModelProto, plan: PruningPlan): ModelProto {
  const encoder = openEncoder(model);
  const { attention, feedForward, typed } = encoder;
  for (const planned of plan.heads) {
    const block = attention.find(({ output }) => output.matMul.output[0] === planned.output);
    if (block?.heads !== planned.heads || block.width !== planned.width) {
      throw mismatch(
        `node ${planned.node}`,
        `${planned.heads} heads of ${planned.width} values`,
        describe(block),
      );
    }
    checkUnits(planned.node, planned.remove, planned.heads);
    if (planned.remove.length > 0) {
      removeHeads(encoder, block, planned);
    }
  }
  for (const planned of plan.neurons) {
    const block = feedForward.find(({ down }) => down.matMul.output[0] === planned.output);
    if (block?.neurons !== planned.neurons) {
      throw mismatch(`node ${planned.node}`, `${planned.neurons} neurons`, String(block?.neurons ?? "none"));
    }
    checkUnits(planned.node, planned.remove, planned.neurons);
    if (planned.remove.length > 0) {
      removeNeurons(encoder, block, planned);
    }
  }
  typed.graph.pruneUnused();
  return encoder.model.toModel();
}

const describe = (block: AttentionBlock | undefined): string =>
  block === undefined ? "none" : `${block.heads} of ${block.width}`;

function checkUnits(node: string, remove: readonly number[], count: number): void {
  const wrong = remove.find((unit) => !Number.isInteger(unit) || unit < 0 || unit >= count);
  if (wrong !== undefined || new Set(remove).size >= count) {
    throw mismatch(
      `node ${node}`,
      `fewer than ${count} units from 0 to ${count - 1}`,
      `[${remove.join(", ")}]`,
    );
  }
}

function removeHeads({ typed }: Encoder, block: AttentionBlock, { heads, remove }: PlannedHeads): void {
  const { graph } = typed;
  const kept = remaining(heads, remove);
  for (const projection of block.projections) {
    const columns = spread(kept, projection.outputs / heads);
    sliceConstant(graph, { node: projection.matMul, index: 1, axis: 1 }, columns);
    if (projection.bias !== undefined) sliceLast(graph, projection.bias, projection.outputs, columns);
  }
  for (const { node, index, axisFromEnd, width } of block.perHead) {
    const rank = graph.constant(node.input[index] ?? "")?.shape.length ?? 0;
    sliceConstant(graph, { node, index, axis: rank - axisFromEnd }, spread(kept, width));
  }
  sliceConstant(graph, { node: block.output.matMul, index: 1, axis: 0 }, spread(kept, block.width));
  for (const reshape of block.reshapes) {
    resizeReshape(typed, reshape, kept.length);
  }
}

function removeNeurons(
  { typed }: Encoder,
  block: FeedForwardBlock,
  { neurons, remove }: PlannedNeurons,
): void {
  const { graph } = typed;
  const kept = remaining(neurons, remove);
  for (const up of block.ups) {
    sliceConstant(graph, { node: up.matMul, index: 1, axis: 1 }, kept);
  }
  for (const { node, index } of block.perNeuron) {
    const rank = graph.constant(node.input[index] ?? "")?.shape.length ?? 1;
    sliceConstant(graph, { node, index, axis: rank - 1 }, kept);
  }
  sliceConstant(graph, { node: block.down.matMul, index: 1, axis: 0 }, kept);
  for (const reshape of block.reshapes) {
    resizeReshape(typed, reshape, kept.length);
  }
}
