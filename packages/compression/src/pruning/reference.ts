import type { ModelProto } from "@nasty/formats/onnx";
import { type Graph, type ModelGraph, splitGemm, weightSource } from "@nasty/graph";
import { openForCompression } from "../files/open-for-compression.js";
import { dropLayers } from "./drop-layers.js";
import type { PlannedVocabulary, PruningPlan } from "./plan.js";
import { spread } from "./select-units.js";
import { replaceConstant, takeAlong, zeroConstant } from "./slice.js";
import { newIdsOf } from "./vocabulary.js";
import { mismatch, zeroElements } from "./zero-elements.js";

/**
 * A model of the original's shapes that computes what carrying out a plan must give, made without cutting anything:
 * what a pruned file is compared with.
 *
 * Rows of removed heads in the output projection, and of removed neurons in the second weight, are zero: nothing of
 * these units arrives then, whatever their own weights are. Dropped rows of the vocabulary are the unknown word's.
 * Pruned elements are zero. Dropped layers are bypassed as `pruner.apply` bypasses them: of these only the writing is
 * checked.
 *
 * @param model the model that the plan was made for; not changed
 * @param plan with the vocabulary's `remap` in the graph: for `tokenizer` the two take other ids
 * @throws CompressionError `plan-mismatch`, as `pruner.apply`
 * @example
 * const reference = await referenceOf(pruningReference(model, plan), [[{ feeds: madeFeeds(model) }]]);
 * const [{ cosine }] = await measureDrift(reference, pruner.apply(model, plan).model); // 1 but for rounding
 */
export function pruningReference(model: ModelProto, plan: PruningPlan): ModelProto {
  const opened = openForCompression(plan.layers.length > 0 ? dropLayers(model, plan.layers) : model);
  const graph = opened.main;
  if (plan.heads.length + plan.neurons.length > 0) splitGemm(opened);
  for (const { node, output, remove, width } of plan.heads)
    zeroRows(graph, node, output, spread(remove, width));
  for (const { node, output, remove } of plan.neurons) zeroRows(graph, node, output, remove);
  if (plan.vocabulary === undefined) zeroElements(opened, plan.tensors);
  else withRowsOf(opened, plan.vocabulary, () => zeroElements(opened, plan.tensors));
  return opened.toModel();
}

/** Zeros rows of the weight that makes a value. */
function zeroRows(graph: Graph, label: string, output: string, rows: readonly number[]): void {
  const node = graph.producer(output);
  if (node === undefined) throw mismatch(`node ${label}`, `a product that makes ${output}`, "none");
  if (rows.length > 0) zeroConstant(graph, { node, index: 1, axis: 0 }, rows);
}

/** Plans count elements of the narrow table: it is narrow meanwhile. */
function withRowsOf(model: ModelGraph, plan: PlannedVocabulary, change: () => void): void {
  const lookup = model.main.producer(plan.output);
  const table = () => weightSource(model.main, lookup?.input[0] ?? "");
  const whole = table();
  if (whole?.name !== plan.table) throw mismatch(`tensor ${JSON.stringify(plan.table)}`, "a table", "none");
  replaceConstant(whole, takeAlong(whole.tensor, 0, plan.keep));
  change();
  const narrow = table();
  if (narrow !== undefined) replaceConstant(narrow, takeAlong(narrow.tensor, 0, newIdsOf(plan)));
}
