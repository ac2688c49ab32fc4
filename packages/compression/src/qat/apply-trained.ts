import type { ModelProto } from "@nasty/formats/onnx";
import { hashScales, type QuantizationRecord } from "@nasty/training";
import { CompressionError } from "../compression-error.js";
import {
  type ApplyOptions,
  finishQuantization,
  type QuantizationResult,
} from "../rewrite/finish-quantization.js";
import type { PlannedTensor, QuantizationPlan } from "../plan/plan.js";
import { quantizerOf } from "../modes/prepare.js";
import type { QuantizedWeight, WeightQuantizer } from "../rewrite/weight-quantizer.js";
import { planTrained, type TrainedPlanOptions } from "./plan-trained.js";
import { requiredRecord } from "./trained-record.js";

export interface ApplyTrainedOptions extends ApplyOptions {
  /** What training recorded; default: what the model's metadata says. */
  readonly record?: QuantizationRecord;
}

/**
 * Carries out a plan of {@link planTrained}, and checks that every scale that it writes is the one that was trained.
 *
 * @throws CompressionError `scale-mismatch` naming the weight: it has changed since the training, or was not trained this way;
 *   `no-trained-ranges`, `plan-mismatch`, `not-finite`
 */
export async function applyTrained(
  model: ModelProto,
  plan: QuantizationPlan,
  options: ApplyTrainedOptions = {},
): Promise<QuantizationResult> {
  const record = requiredRecord("qat.apply", model, options.record);
  const exported = new Set<string>();
  const quantize = await quantizerOf(model, plan, {});
  const checked: WeightQuantizer = (planned, read) => {
    const weight = quantize(planned, read);
    checkScales(planned, weight, record);
    exported.add(planned.name);
    return weight;
  };
  const result = finishQuantization("qat.apply", model, plan, options, checked);
  for (const { name } of record.weights) {
    if (exported.has(name)) continue;
    throw new CompressionError(
      "scale-mismatch",
      `qat.apply: weight ${JSON.stringify(name)}: expected to be exported as it was trained, got a plan without it`,
      { tensor: name },
    );
  }
  return result;
}

/**
 * Plans and applies at once what the model was trained for.
 *
 * @example
 * const tuned = await fineTune(base, data, "pos_tagging", { quantizationAware: true });
 * const session = await openSession(await qat.quantize(tuned.model));
 */
export async function quantizeTrained(
  model: ModelProto,
  options: ApplyTrainedOptions & TrainedPlanOptions = {},
): Promise<ModelProto> {
  return (await applyTrained(model, await planTrained(model, options), options)).model;
}

function checkScales(
  { name, op, granularity }: PlannedTensor,
  { scale }: QuantizedWeight,
  { weights }: QuantizationRecord,
): void {
  const isBlocked = granularity.kind === "per-block";
  const axis = granularity.kind === "per-tensor" ? -1 : granularity.axis;
  const blockSize = isBlocked ? granularity.blockSize : undefined;
  const hash = hashScales(scale);
  const own = weights.filter((trained) => trained.name === name);
  if (own.some((t) => t.axis === axis && t.blockSize === blockSize && t.scalesHash === hash)) return;
  const expected = own.map((t) => `${t.scales} along axis ${t.axis} (hash ${t.scalesHash})`).join(" or ");
  throw new CompressionError(
    "scale-mismatch",
    `qat.apply: weight ${JSON.stringify(name)} (${op}): scales: expected the trained ones, ${expected || "none"}, got ${scale.length} along axis ${axis} (hash ${hash}); the weights changed after the training`,
    { tensor: name },
  );
}
