// What `@nasty/compression` is on a page: all but what reads and writes compressed files.
export { dynamic, int4, int8, type Int8Options, qat, weightOnly } from "./modes/doors.js";
export { apply } from "./modes/apply.js";
export { type ModeOptions, type ModePlans, plan, type PlanMode, type PlanOptions } from "./modes/plan.js";
export type { ApplyOptions } from "./modes/prepare.js";
export type { BlockOptions, BlockRounding } from "./block-weights/weight-only.js";
export type { CompensationOptions } from "./block-weights/compensate.js";
export { prepareModel, type PreparedModel } from "./files/open-for-compression.js";
export type { Batches } from "@nasty/calibration";
export {
  CompressionError,
  type CompressionErrorCode,
  type CompressionErrorFields,
} from "./compression-error.js";
export type { DynamicOptions } from "./modes/dynamic.js";
export { estimate, type EstimateOptions, type SizeEstimate } from "./report/estimate.js";
export type { QuantizationResult } from "./rewrite/finish-quantization.js";
export {
  type DriftOptions,
  measureDrift,
  type OutputDrift,
  type Reference,
  referenceOf,
  sessionDrift,
  sessionReference,
} from "./drift/drift.js";
export { type Departure, firstDeparture } from "./drift/departure.js";
export { isMisscaled } from "./drift/likeness.js";
export { collapsedLayer, layerNoise, type LayerNoise, type LayerNoiseOptions } from "./drift/layer-noise.js";
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
export { type Agreement, type AgreementOptions, requiredAgreement } from "./qat/agreement.js";
export { trainedTable, type TrainedPlanOptions } from "./qat/plan-trained.js";
export { sensitivity, type LayerSensitivity, type SensitivityOptions } from "./sensitivity/sensitivity.js";
export type { TargetSizeOptions } from "./plan/target-size.js";
export { timeShares, type TimeShares } from "./report/time-shares.js";
export { predictedBytes } from "./report/predicted-bytes.js";
export {
  historyOf,
  withEarlierHistory,
  withHistory,
  type HistoryStep,
  type Provenance,
} from "./report/history.js";
export type { CalibrationOptions, StaticOptions } from "./modes/int8.js";
export type { WeightOptions } from "./plan/plan-weights.js";
export type {
  DynamicPlan,
  Int4Plan,
  KeptInFloat,
  MixedPlan,
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
  StaticPlan,
  TrainedPlan,
  WeightOnlyPlan,
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
