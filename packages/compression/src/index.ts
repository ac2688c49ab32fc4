export { CompressionError, type CompressionErrorCode, type CompressionErrorFields } from "./compression-error.js";
export type {
  ActivationRange,
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
export { applyDynamic, planDynamic, quantizeDynamic } from "./dynamic.js";
export { dynamic, type DynamicOptions } from "./dynamic.js";
