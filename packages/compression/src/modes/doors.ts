import type { ModelProto } from "@nasty/formats/onnx";
import type { CalibrationMethod } from "@nasty/calibration";
import { pairedFor } from "../accuracy/pair-units.js";
import type { BlockOptions } from "../block-weights/weight-only.js";
import { CompressionError } from "../compression-error.js";
import { load, predict, save } from "../files/model-files.js";
import type { QuantizationPlan } from "../plan/plan.js";
import { agreement, simulate } from "../qat/agreement.js";
import type { TrainedPlanOptions } from "../qat/plan-trained.js";
import { saveTrained } from "../qat/save-trained.js";
import { requiredRecord, trainedRecord } from "../qat/trained-record.js";
import { apply } from "./apply.js";
import type { DynamicOptions } from "./dynamic.js";
import { type CalibrationOptions, int8Activations, type StaticOptions } from "./int8.js";
import { plan } from "./plan.js";
import type { ApplyOptions } from "./prepare.js";
import { quantize } from "./quantize.js";

// The guide's names for `plan` and `apply`, each with its mode. Where products are int8, `quantize` orders hidden units
// for safe pairs first.

/** Dynamic int8: weights are quantized now, activations at each run; no calibration data. */
export const dynamic = {
  plan: (model: ModelProto, options: DynamicOptions = {}) => plan(model, { ...options, mode: "dynamic" }),
  apply,
  /** @example const session = await openSession(await dynamic.quantize(model)); */
  quantize: async (model: ModelProto, options: DynamicOptions & ApplyOptions = {}) =>
    quantize(pairedFor(model, options, options).model, { ...options, mode: "dynamic" }),
  save,
  load,
  predict,
} as const;

/** What `int8.plan` takes. */
export interface Int8Options extends StaticOptions, CalibrationOptions {
  /** The guide's word for `method`; one of them is enough. */
  readonly calibrationMethod?: CalibrationMethod;
}

function withMethod<Options extends Int8Options>({ calibrationMethod, ...options }: Options) {
  if (calibrationMethod === undefined) return options;
  if (options.method !== undefined && options.method !== calibrationMethod) {
    throw new CompressionError(
      "invalid-option",
      `int8.plan: calibrationMethod: expected ${options.method}, as method says, got ${calibrationMethod}`,
    );
  }
  return { ...options, method: calibrationMethod };
}

/** Static int8: weights and the ranges of activations are fixed now, from calibration data. */
export const int8 = {
  activations: int8Activations,
  plan: async (model: ModelProto, options: Int8Options) =>
    plan(model, { ...withMethod(options), mode: "static" }),
  apply,
  /** @example const quantized = await int8.quantize(model, { calibrationData: batches, method: "entropy" }); */
  quantize: async (model: ModelProto, options: Int8Options & ApplyOptions) =>
    quantize(pairedFor(model, options, options).model, { ...withMethod(options), mode: "static" }),
  save,
  load,
  predict,
} as const;

/** Weights of 4 bits in blocks; LSTMs as int8. The smallest files. */
export const int4 = {
  plan: (model: ModelProto, options: BlockOptions = {}) => plan(model, { ...options, mode: "int4" }),
  apply,
  /** @example const quantized = await int4.quantize(model, { rounding: "gptq", calibrationData: batches }); */
  quantize: (model: ModelProto, options: BlockOptions & ApplyOptions = {}) =>
    quantize(model, { ...options, mode: "int4" }),
  save,
  load,
  predict,
} as const;

/** Weights of 8 bits in blocks, activations in float. */
export const weightOnly = {
  plan: (model: ModelProto, options: BlockOptions = {}) => plan(model, { ...options, mode: "weight-only" }),
  apply,
  quantize: (model: ModelProto, options: BlockOptions & ApplyOptions = {}) =>
    quantize(model, { ...options, mode: "weight-only" }),
  save,
  load,
  predict,
} as const;

/** The quantization that a model was trained for: its scales, nothing measured. */
export const qat = {
  record: trainedRecord,
  plan: (model: ModelProto, options: TrainedPlanOptions = {}) => plan(model, { ...options, mode: "trained" }),
  /** Compares the scales of any plan with the trained ones. */
  apply: async (model: ModelProto, of: QuantizationPlan, options: ApplyOptions = {}) =>
    apply(model, of, { ...options, record: requiredRecord("qat.apply", model, options.record) }),
  /** @example const session = await openSession(await qat.quantize(tuned.model)); */
  quantize: (model: ModelProto, options: TrainedPlanOptions & ApplyOptions = {}) =>
    quantize(model, { ...options, mode: "trained" }),
  simulate,
  agreement,
  save: saveTrained,
  load,
  predict,
} as const;
