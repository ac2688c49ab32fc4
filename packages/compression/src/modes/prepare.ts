import type { ModelProto } from "@nasty/formats/onnx";
import type { QuantizationRecord } from "@nasty/training";
import { blockRounding } from "../block-weights/block-rounding.js";
import { compensatedQuantizer, type CompensationOptions } from "../block-weights/compensate.js";
import {
  finishQuantization,
  type ProvenanceOptions,
  type QuantizationResult,
} from "../rewrite/finish-quantization.js";
import type { PlannedTensor, QuantizationPlan } from "../plan/plan.js";
import { roundToNearest, type QuantizedWeight, type WeightQuantizer } from "../rewrite/weight-quantizer.js";
import { checkedPlan, operationOf } from "./checked-plan.js";

/** What applying a plan takes, whatever its mode. */
export interface ApplyOptions extends ProvenanceOptions, CompensationOptions {
  /**
   * What a quantization-aware training recorded: scales are compared with it. Default, for a plan of trained scales:
   * what the model's metadata says.
   */
  readonly record?: QuantizationRecord;
}

/** What makes the integers of a plan, whatever its mode. */
export async function quantizerOf(
  model: ModelProto,
  plan: QuantizationPlan,
  options: CompensationOptions,
): Promise<WeightQuantizer> {
  switch (plan.options["rounding"]) {
    case "gptq":
      return compensatedQuantizer(model, plan, options);
    case "mse":
    case "nearest":
      return blockRounding(plan.options["rounding"]);
    default:
      return roundToNearest;
  }
}

function keyOf({ sites: _, ...scheme }: PlannedTensor): string {
  return JSON.stringify(scheme);
}

/** Quantizes each weight once, however often it is asked for; the integers are kept. */
export function memoized(quantizer: WeightQuantizer): WeightQuantizer {
  const known = new Map<string, QuantizedWeight>();
  return (planned, read, fit) => {
    const key = keyOf(planned);
    const weight = known.get(key) ?? quantizer(planned, read, fit);
    known.set(key, weight);
    return weight;
  };
}

/**
 * Gets ready to apply a plan, or parts of it, several times: weights are quantized once.
 *
 * @returns applies the plan or one with fewer of its tensors
 * @throws CompressionError as `apply`
 */
export async function prepare(
  model: ModelProto,
  plan: QuantizationPlan,
  options: ApplyOptions = {},
): Promise<(part: QuantizationPlan) => QuantizationResult> {
  const operation = operationOf(checkedPlan(plan));
  const quantizer = memoized(await quantizerOf(model, plan, options));
  // Floats are needed each time.
  const kept = { ...options, inPlace: false };
  return (part) => finishQuantization(operation, model, part, kept, quantizer);
}
