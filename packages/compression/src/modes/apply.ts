import type { ModelProto } from "@nasty/formats/onnx";
import { isTrained, type QuantizationPlan } from "../plan/plan.js";
import { allExported, withTrainedScales } from "../qat/trained-scales.js";
import { requiredRecord } from "../qat/trained-record.js";
import { finishQuantization, type QuantizationResult } from "../rewrite/finish-quantization.js";
import { checkedPlan, operationOf } from "./checked-plan.js";
import { type ApplyOptions, quantizerOf } from "./prepare.js";

/**
 * Carries out a plan of any mode.
 *
 * A plan whose rounding is `gptq` runs the float model over `calibrationData` first. One of trained scales is checked:
 * every scale that is written is the one that was trained.
 *
 * @param model the model that the plan was made for; not changed
 * @param plan of `plan`, perhaps by way of JSON
 * @returns the quantized model, and a report with each weight's signal-to-noise ratio
 * @throws CompressionError `not-finite` (naming the tensor), `plan-mismatch`, `nothing-to-quantize`,
 *   `already-quantized`; with gptq `no-calibration-data`; of a trained plan `no-trained-ranges`, and `scale-mismatch`
 *   naming the weight: it has changed since the training, or was not trained this way
 * @example
 * const { model: quantized, report } = await apply(model, await plan(model, { mode: "dynamic" }));
 */
export async function apply(
  model: ModelProto,
  plan: QuantizationPlan,
  options: ApplyOptions = {},
): Promise<QuantizationResult> {
  const operation = operationOf(checkedPlan(plan));
  const record = isTrained(plan) ? requiredRecord("qat.apply", model, options.record) : options.record;
  const quantizer = await quantizerOf(model, plan, options);
  if (record === undefined) return finishQuantization(operation, model, plan, options, quantizer);
  const result = finishQuantization("qat.apply", model, plan, options, withTrainedScales(quantizer, record));
  allExported(plan, record);
  return result;
}
