import type { ModelProto } from "@nasty/formats/onnx";
import { applyPlan } from "./apply-plan.js";
import { CompressionError } from "../compression-error.js";
import { refuseQuantized } from "../plan/graph-condition.js";
import { withHistory, type Provenance } from "../report/history.js";
import type { QuantizationPlan, QuantizationReport } from "../plan/plan.js";
import { openForCompression } from "../files/open-for-compression.js";
import { stripModel } from "./strip-model.js";
import { roundToNearest, type WeightQuantizer } from "./weight-quantizer.js";

/** What is written down beside the plan's own options. */
export interface ProvenanceOptions {
  /** Goes into the record of how the model was made. */
  readonly provenance?: Provenance;
  /**
   * Write each weight's integers over the floats that they are made of, and so take no memory beside them but for one
   * weight at a time: for callers who read the file themselves and have no other use for it, whose model is none
   * afterwards. Weights that more than one input reads are left as they are. Default false.
   */
  readonly inPlace?: boolean;
}

/** A quantized model and what was done. */
export interface QuantizationResult {
  readonly model: ModelProto;
  readonly report: QuantizationReport;
}

function refuseEmpty(operation: string, model: ModelProto, plan: QuantizationPlan): void {
  if (plan.tensors.length > 0) {
    return;
  }
  refuseQuantized(operation, openForCompression(model).main);
  const reasons = [...new Set(plan.keptInFloat.map(({ op, reason }) => `${op}: ${reason}`))].slice(0, 3);
  const why = reasons.length === 0 ? "the graph has no matrix weights" : reasons.join("; ");
  throw new CompressionError(
    "nothing-to-quantize",
    `${operation}: model: weights: expected at least one that can be quantized, got none (${why})`,
  );
}

/** Applies a plan, drops what a rewritten graph should not carry, and writes the step down. */
export function finishQuantization(
  operation: string,
  model: ModelProto,
  plan: QuantizationPlan,
  options: ProvenanceOptions,
  quantizer: WeightQuantizer = roundToNearest,
): QuantizationResult {
  refuseEmpty(operation, model, plan);
  const applied = applyPlan(model, plan, quantizer, options);
  const { mode, keptInFloat, warnings } = plan;
  return {
    model: withHistory(stripModel(applied.model), {
      step: "quantize",
      options: { mode, ...plan.options },
      ...options.provenance,
    }),
    report: { mode, tensors: applied.tensors, keptInFloat, warnings },
  };
}
