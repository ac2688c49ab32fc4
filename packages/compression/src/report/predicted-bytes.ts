import { FormatError, modelChunks, type ModelProto } from "@nasty/formats/onnx";
import { finishQuantization } from "../rewrite/finish-quantization.js";
import type { QuantizationPlan } from "../plan/plan.js";
import { sizesOnly } from "../rewrite/weight-quantizer.js";

/** Bytes of a model's file; its pieces are counted, not put together. */
export function fileBytes(model: ModelProto): number {
  try {
    let bytes = 0;
    for (const chunk of modelChunks(model)) {
      bytes += chunk.length;
    }
    return bytes;
  } catch (error) {
    // Too large for one file, but the error knows the size.
    if (error instanceof FormatError && error.code === "limit" && typeof error.fields.got === "number") {
      return error.fields.got;
    }
    throw error;
  }
}

/**
 * Bytes of the file that applying a plan would write, of any mode: counted on the very graph that it writes, without
 * reading a weight.
 *
 * Asymmetric weights count as if some zero point of each were not 0.
 *
 * @param plan a plan of this model; one without tensors leaves the model as it is
 * @throws CompressionError `plan-mismatch`
 * @example predictedBytes(model, int4.plan(model, { blockSize: 64 }))
 */
export function predictedBytes(model: ModelProto, plan: QuantizationPlan): number {
  return plan.tensors.length === 0
    ? fileBytes(model)
    : fileBytes(finishQuantization("estimate", model, plan, {}, sizesOnly).model);
}
