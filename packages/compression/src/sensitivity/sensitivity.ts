import { type Batches, takeBatches } from "@nasty/calibration";
import { elementCount } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { requireBatches } from "../activations/visit-vectors.js";
import { keepInFloat, layerGroups, type LayerGroup } from "../plan/layer-groups.js";
import type { QuantizationPlan } from "../plan/plan.js";
import { prepare, type ApplyOptions } from "../modes/prepare.js";
import { outputsOf, outputNoise } from "./output-noise.js";

/** What quantizing one group of weights alone does to the model. */
export interface LayerSensitivity {
  /** As `layerGroups` names it: its first weight. */
  readonly name: string;
  readonly tensors: readonly string[];
  readonly nodes: readonly string[];
  readonly op: string;
  readonly elements: number;
  /** Signal-to-noise ratio of the worst of its weights, in decibels. */
  readonly sqnrDb: number;
  /** Signal-to-noise ratio of the model's outputs, in decibels. */
  readonly outputSqnrDb: number;
  /** Loss of the task's metric, in its units, if it was measured. */
  readonly loss?: number;
}

export interface SensitivityOptions extends ApplyOptions {
  /** Batches that outputs are compared on. */
  readonly batches: Batches;
  /** Sequences of them that are used. Default 64. */
  readonly sequences?: number;
  /** Value of the task's metric for a model; larger is better. */
  readonly evaluate?: (model: ModelProto) => Promise<number>;
  /** Milliseconds after which the metric of no further group is measured; the noisiest come first. Default no limit. */
  readonly timeBudget?: number;
  /** Called after each measurement: one a group, and one more a group if there is a metric. */
  readonly onGroup?: (done: number, total: number) => void;
}

function alone(plan: QuantizationPlan, group: LayerGroup): QuantizationPlan {
  const others = layerGroups(plan).filter(({ name }) => name !== group.name);
  return keepInFloat(
    plan,
    others.map(({ name }) => name),
    "not under test",
  );
}

/**
 * How much each weight of a plan costs: every group is quantized alone and compared with the float model, one session
 * run a group (and one more for the metric).
 *
 * @param model the model that the plan was made for; not changed
 * @returns most sensitive first: by the loss of the metric where it is measured, then by the noise at the outputs
 * @throws CompressionError `no-calibration-data`, and as the mode's apply
 * @example
 * const [worst] = await sensitivity(model, plan, { batches: tagger.feedsOf(sentences) });
 */
export async function sensitivity(
  model: ModelProto,
  plan: QuantizationPlan,
  options: SensitivityOptions,
): Promise<LayerSensitivity[]> {
  const { sequences = 64, evaluate, onGroup, timeBudget = Number.POSITIVE_INFINITY } = options;
  const started = performance.now();
  const batches = await takeBatches(requireBatches("sensitivity", options.batches), sequences);
  requireBatches("sensitivity", batches.length === 0 ? undefined : batches);
  const apply = await prepare(model, plan, options);
  const reference = await outputsOf(model, batches, options);
  const groups = layerGroups(plan);
  const total = (evaluate === undefined ? 1 : 2) * groups.length;
  const rows: LayerSensitivity[] = [];
  for (const group of groups) {
    const { model: changed, report } = apply(alone(plan, group));
    const noise = outputNoise(reference, await outputsOf(changed, batches, options));
    rows.push({
      name: group.name,
      tensors: group.tensors.map(({ name }) => name),
      nodes: [...new Set(group.tensors.flatMap(({ sites }) => sites.map(({ node }) => node)))],
      op: group.tensors[0]?.op ?? "",
      elements: group.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      sqnrDb: Math.min(...report.tensors.map(({ sqnrDb }) => sqnrDb)),
      outputSqnrDb: -10 * Math.log10(noise),
    });
    onGroup?.(rows.length, total);
  }
  const byNoise = rows.sort((a, b) => a.outputSqnrDb - b.outputSqnrDb);
  if (evaluate === undefined) return byNoise;
  const byName = new Map(groups.map((group) => [group.name, group]));
  const original = await evaluate(model);
  const measured: LayerSensitivity[] = [];
  for (const row of byNoise) {
    const group = byName.get(row.name);
    const isInTime = performance.now() - started < timeBudget;
    const loss =
      isInTime && group !== undefined
        ? original - (await evaluate(apply(alone(plan, group)).model))
        : undefined;
    measured.push(loss === undefined ? row : { ...row, loss });
    onGroup?.(rows.length + measured.length, total);
  }
  return measured.sort((a, b) => (b.loss ?? 0) - (a.loss ?? 0) || a.outputSqnrDb - b.outputSqnrDb);
}
