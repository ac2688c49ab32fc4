export { compress, type CompressionResult } from "./compressing/compress.js";
export { compare, type CompareOptions } from "./comparison/compare.js";
export type { Comparison, PairComparison } from "./comparison/compare-models.js";
export { GateError, InputError, UsageError } from "./errors.js";
export { evaluate, type EvaluationResult } from "./evaluation/evaluate.js";
export { score, type ScoreResult } from "./evaluation/score.js";
export { type Explanation, explain } from "./explanation/explain.js";
export {
  type DirectoryExport,
  exportModel,
  type ExportResult,
  type ModuleExport,
} from "./exporting/export-model.js";
export { importModel, type ImportResult } from "./importing/import-model.js";
export { inspect, type InspectionResult } from "./inspection/inspect.js";
export { benchmark } from "./measurement/benchmark.js";
export type { BenchmarkResult } from "./measurement/benchmark-result.js";
export { type GivenTexts, type Model, openModel, type OpenOptions } from "./models/model.js";
export { type ModelLike } from "./models/model-like.js";
export type { PruneOptions } from "./pruning/given-options.js";
export { prune } from "./pruning/prune.js";
export type { PruningResult } from "./pruning/pruning-result.js";
export { estimate, type EstimateResult } from "./quantization/estimate.js";
export {
  quantize,
  type QuantizeOptions,
  quantizeParts,
  type QuantizeResult,
} from "./quantization/quantize.js";
export type { PartsResult, UnchangedPart } from "./quantization/quantize-parts.js";
export type { QuantizePlan } from "./quantization/quantize-plan.js";
export { type RecipePlan, type RecipeResult, runRecipe } from "./recipes/run-recipe.js";
export type { Pace, ProgressEvent, RunOptions } from "./reporter.js";
export { sweep, type SweepOptions } from "./sweep/sweep.js";
export type {
  FrontierRecipe,
  RecipeEnd,
  RungResult,
  SelectedRecipe,
  SweepPlan,
  SweepResult,
  SweptRecipe,
  SweptStep,
} from "./sweep/sweep-result.js";
export { tag, type TagResult } from "./tagging/tag.js";
export {
  type FailedText,
  type LackingShard,
  mergeCorpus,
  type MergeResult,
  tagCorpus,
  type TagCorpusResult,
} from "./tagging/tag-corpus.js";
export { type Text, text } from "./texts/text.js";
export { distill, type DistillResult } from "./training/distill.js";
export { fineTune, type FineTuneResult } from "./training/fine-tune.js";
export type { TextTrainingResult } from "./training/text-training.js";
export { train, type TrainResult } from "./training/train.js";
export type { Engine } from "./verification/engine.js";
export type { FirstDifference } from "./verification/first-difference.js";
export type { OutputError } from "./verification/output-error.js";
export type {
  BrokenLayer,
  EngineStatus,
  EngineVerdict,
  VerificationResult,
} from "./verification/verification-result.js";
export { verify, type VerifyOptions } from "./verification/verify.js";
