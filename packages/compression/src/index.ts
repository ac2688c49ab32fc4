import { applyDynamic, planDynamic, quantizeDynamic } from "./dynamic.js";
import { applyInt8, int8Activations, planInt8, quantizeInt8 } from "./int8.js";
import { load, predict, save } from "./model-files.js";

/** Dynamic int8: weights are quantized now, activations as they come; no calibration data. */
export const dynamic = {
  plan: planDynamic,
  apply: applyDynamic,
  quantize: quantizeDynamic,
  save,
  load,
  predict,
} as const;

/** Static int8: weights and the ranges of activations are fixed now, from calibration data. */
export const int8 = {
  activations: int8Activations,
  plan: planInt8,
  apply: applyInt8,
  quantize: quantizeInt8,
  save,
  load,
  predict,
} as const;

export {
  CompressionError,
  type CompressionErrorCode,
  type CompressionErrorFields,
} from "./compression-error.js";
export type { DynamicOptions } from "./dynamic.js";
export { estimate, type EstimateOptions, type SizeEstimate } from "./estimate.js";
export type { ApplyOptions, QuantizationResult } from "./finish-quantization.js";
export { historyOf, withHistory, type HistoryStep, type Provenance } from "./history.js";
export type { CalibrationOptions, Int8Options, StaticOptions } from "./int8.js";
export { matchLayers, type NamedLayer } from "./layer-patterns.js";
export type { WeightOptions } from "./plan-weights.js";
export type {
  KeptInFloat,
  PlannedActivation,
  PlannedSite,
  PlannedTensor,
  QuantizableOp,
  QuantizationMode,
  QuantizationPlan,
  QuantizationReport,
  QuantizedForm,
  QuantizedTensor,
} from "./plan.js";
