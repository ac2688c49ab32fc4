import { hashScales, type QuantizationRecord } from "@nasty/training";
import { CompressionError } from "../compression-error.js";
import type { PlannedTensor, QuantizationPlan } from "../plan/plan.js";
import type { QuantizedWeight, WeightQuantizer } from "../rewrite/weight-quantizer.js";

/**
 * The quantizer, refusing weights whose scales are not the trained ones.
 *
 * @throws CompressionError `scale-mismatch` naming the weight
 */
export function withTrainedScales(quantizer: WeightQuantizer, record: QuantizationRecord): WeightQuantizer {
  return (planned, read, fit, room) => {
    const weight = quantizer(planned, read, fit, room);
    checkScales(planned, weight, record);
    return weight;
  };
}

/** @throws CompressionError `scale-mismatch` for a weight that was trained to be rounded and is not in the plan */
export function allExported({ tensors }: QuantizationPlan, { weights }: QuantizationRecord): void {
  const exported = new Set(tensors.map(({ name }) => name));
  for (const { name } of weights) {
    if (exported.has(name)) continue;
    throw new CompressionError(
      "scale-mismatch",
      `qat.apply: weight ${JSON.stringify(name)}: expected to be exported as it was trained, got a plan without it`,
      { tensor: name },
    );
  }
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
