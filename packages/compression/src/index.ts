import {
  applyBlocks,
  planInt4,
  planWeightOnly,
  quantizeInt4,
  quantizeWeightOnly,
} from "./block-weights/weight-only.js";
import { applyDynamic, planDynamic, quantizeDynamic } from "./modes/dynamic.js";
import { applyInt8, int8Activations, planInt8, quantizeInt8 } from "./modes/int8.js";
import { load, predict, save } from "./files/model-files.js";
import { agreement, simulate } from "./qat/agreement.js";
import { applyTrained, quantizeTrained } from "./qat/apply-trained.js";
import { planTrained } from "./qat/plan-trained.js";
import { saveTrained } from "./qat/save-trained.js";
import { trainedRecord } from "./qat/trained-record.js";

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

/** Weights of 4 bits in blocks; LSTMs as int8. The smallest files. */
export const int4 = {
  plan: planInt4,
  apply: applyBlocks,
  quantize: quantizeInt4,
  save,
  load,
  predict,
} as const;

/** Weights of 8 bits in blocks, activations in float. */
export const weightOnly = {
  plan: planWeightOnly,
  apply: applyBlocks,
  quantize: quantizeWeightOnly,
  save,
  load,
  predict,
} as const;

/** The quantization that a model was trained for: its scales, nothing measured. */
export const qat = {
  record: trainedRecord,
  plan: planTrained,
  apply: applyTrained,
  quantize: quantizeTrained,
  simulate,
  agreement,
  save: saveTrained,
  load,
  predict,
} as const;

export type { BlockOptions, BlockQuantizeOptions, BlockRounding } from "./block-weights/weight-only.js";
export type { CompensationOptions } from "./block-weights/compensate.js";
export { prepareModel, type PreparedModel } from "./files/open-for-compression.js";
export type { Batches } from "@nasty/calibration";
export {
  compressor,
  type CompressedFile,
  type CompressFileOptions,
  type CompressOptions,
} from "./files/compressor.js";
export {
  CompressionError,
  type CompressionErrorCode,
  type CompressionErrorFields,
} from "./compression-error.js";
export type { DynamicOptions } from "./modes/dynamic.js";
export { estimate, type EstimateOptions, type SizeEstimate } from "./report/estimate.js";
export type { ApplyOptions, QuantizationResult } from "./rewrite/finish-quantization.js";
export {
  type Departure,
  type DriftOptions,
  firstDeparture,
  measureDrift,
  type OutputDrift,
  type Reference,
  referenceOf,
  sessionDrift,
} from "./drift/drift.js";
export { weightsInFile } from "./drift/weights-in-file.js";
export { madeFeeds, type MadeFeedsOptions } from "./drift/made-feeds.js";
export { pruningReference } from "./pruning/reference.js";
export { pairedFor, pairUnits, type PairedUnits } from "./accuracy/pair-units.js";
export { correctBiases, type Corrected } from "./accuracy/bias-correction.js";
export { migrateOutliers, type Migrated, type MigrationOptions } from "./accuracy/migrate-outliers.js";
export { type Saturation, saturation, type SaturationOptions } from "./accuracy/saturation.js";
export { keepInFloat, layerGroups, type LayerGroup } from "./plan/layer-groups.js";
export {
  gate,
  type GateAttempt,
  type GateCandidate,
  type GateOptions,
  type GateResult,
  type GateState,
  withinLoss,
} from "./gate/gate.js";
export { prepare, type PrepareOptions } from "./modes/prepare.js";
export { type Agreement, type AgreementOptions, requiredAgreement } from "./qat/agreement.js";
export type { ApplyTrainedOptions } from "./qat/apply-trained.js";
export { trainedTable, type TrainedPlanOptions } from "./qat/plan-trained.js";
export { sensitivity, type LayerSensitivity, type SensitivityOptions } from "./sensitivity/sensitivity.js";
export { planTargetSize, type TargetSizeOptions } from "./plan/target-size.js";
export { timeShares, type TimeShares } from "./report/time-shares.js";
export { predictedBytes } from "./report/predicted-bytes.js";
export {
  historyOf,
  withEarlierHistory,
  withHistory,
  type HistoryStep,
  type Provenance,
} from "./report/history.js";
export type { CalibrationOptions, Int8Options, StaticOptions } from "./modes/int8.js";
export { matchLayers } from "./plan/layer-patterns.js";
export type { WeightOptions } from "./plan/plan-weights.js";
export type {
  KeptInFloat,
  Pairs,
  PlannedActivation,
  PlannedSite,
  PlannedTensor,
  QuantizableOp,
  QuantizationMode,
  QuantizationPlan,
  QuantizationReport,
  QuantizedForm,
  QuantizedTensor,
} from "./plan/plan.js";
export type { PruningResult } from "./pruning/apply.js";
export type { ImportanceData } from "./pruning/importance.js";
export { applyMasks, magnitudeMasks, masksOf, type PruningMasks } from "./pruning/masks.js";
export type { PruneOptions } from "./pruning/options.js";
export type {
  NotPruned,
  PlannedHeads,
  PlannedLayer,
  PlannedNeurons,
  PlannedVocabulary,
  PlannedZeros,
  PruningPlan,
  PruningReport,
  PruningScope,
} from "./pruning/plan.js";
export { pruner } from "./pruning/pruner.js";
export { gradualPruning, type GradualPruningOptions, keepZeros } from "./pruning/pruning-modifier.js";
export { sparsityAt, type SparsitySchedule } from "./pruning/schedule.js";
export type { VocabularyOptions } from "./pruning/vocabulary.js";
