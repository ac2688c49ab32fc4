import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { type Graph, ModelGraph } from "@nasty/graph";
import { type Loss, tensorsOfLoss } from "../losses/loss.js";
import { TrainingError } from "../training-error.js";
import type { TrainingGraphOptions } from "./training-graph-options.js";
import { liftOpset } from "./lift-opset.js";

/** A forward graph as training starts from it. */
export interface ForwardModel {
  /**
   * In the operators of operator set 21, without outputs and without what neither losses nor requested tensors need.
   */
  readonly edited: ModelGraph;
  readonly losses: readonly Loss[];
  /** Tensors that are outputs as well, each once. */
  readonly outputs: readonly string[];
}

/**
 * Rewrites a model, keeps what losses and requested tensors depend on and lifts its operators to set 21.
 *
 * @throws TrainingError `invalid-option` for no loss, `unknown-tensor`, `unsupported-opset`, `unsupported-attribute`.
 */
export function prepareForward(
  model: ModelProto,
  options: Pick<TrainingGraphOptions, "loss" | "outputs" | "rewrite">,
): ForwardModel {
  const edited = ModelGraph.from(model);
  const losses = Array.isArray(options.loss) ? (options.loss as readonly Loss[]) : [options.loss as Loss];
  if (losses.length === 0)
    throw new TrainingError("invalid-option", "buildTrainingGraph: loss: expected at least one, got none");
  const outputs = [...new Set([...(options.outputs ?? []), ...(options.rewrite?.(edited) ?? [])])];
  const graph = edited.main;
  const wanted = new Set([...losses.flatMap(tensorsOfLoss), ...outputs]);
  for (const tensor of wanted) checkTensor(graph, tensor);
  keepOnly(graph, wanted);
  liftOpset(edited);
  return { edited, losses, outputs };
}

function checkTensor(graph: Graph, name: string): void {
  if (graph.defines(name)) return;
  throw new TrainingError(
    "unknown-tensor",
    `buildTrainingGraph: tensor ${JSON.stringify(name)}: expected a value of the graph, got none of that name`,
    { tensor: name },
  );
}

/** Drops what none of the tensors depends on. */
function keepOnly(graph: Graph, tensors: ReadonlySet<string>): void {
  for (const { name } of graph.outputs) graph.removeOutput(name);
  for (const name of tensors) graph.addOutput(makeValueInfo(name, "float32"));
  graph.pruneUnused();
  for (const name of tensors) graph.removeOutput(name);
}
