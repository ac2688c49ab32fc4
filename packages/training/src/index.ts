export { TrainingError, type TrainingErrorCode, type TrainingErrorFields } from "./training-error.js";
export { mixWords, type Random, type RandomState, seededRandom, shuffled } from "@nasty/core";
export {
  buildTrainingGraph,
  type TrainingGraph,
  type WeightGradient,
} from "./gradient/build-training-graph.js";
export type { TrainingGraphOptions } from "./gradient/training-graph-options.js";
export { type ForwardModel, prepareForward } from "./gradient/prepare-forward.js";
export type { RowGradient } from "./gradient/backpropagate.js";
export { type DropoutSetting, type DropoutSite, dropoutSites } from "./gradient/dropout.js";
export { differentiableOperators } from "./gradient/rules/table.js";
export type {
  ChainLoss,
  CrossEntropyLoss,
  KullbackLeiblerLoss,
  Loss,
  MeanSquaredErrorLoss,
  SoftChainLoss,
} from "./losses/loss.js";
export type { GradientOfWeight, RowsOfGradient } from "./optimizers/gradient-buffer.js";
export {
  createOptimizer,
  optimizerMemory,
  type Optimizer,
  type OptimizerResult,
  type OptimizerState,
  type OptimizerWeight,
} from "./optimizers/optimizer.js";
export type { OptimizerOptions, ParameterGroup } from "./optimizers/optimizer-options.js";
export { type Schedule, scheduleFactor } from "./optimizers/schedule.js";
export type { Batch } from "./engine/batch.js";
export type { Engine, EngineOptions, StepResult, Trainer, TrainerState } from "./engine/engine.js";
export {
  type Modifier,
  type ModifierState,
  type ModifierStep,
  rewriteOf,
} from "./engine/modifier.js";
export { onnxEngine } from "./engine/onnx-engine.js";
export {
  type Pass,
  type Passes,
  trainerOf,
  type TrainerParts,
  type WeightToTrain,
} from "./engine/trainer.js";
export { withWeights } from "./engine/with-weights.js";
export {
  type Checkpoint,
  type CheckpointStore,
  type EpochRecord,
  type LoopPosition,
} from "./loop/checkpoint.js";
export type { Progress, StopReason, TrainingEvent } from "./loop/events.js";
export {
  type EpochContext,
  trainLoop,
  type TrainLoopOptions,
  type TrainLoopResult,
} from "./loop/train-loop.js";
export {
  type FakeQuantization,
  fakeQuantization,
} from "./fake-quantization/fake-quantization.js";
export type { ActivationMode, FakeQuantizationOptions, RangeMode } from "./fake-quantization/options.js";
export {
  hashScales,
  pairsOf,
  parseQuantizationRecord,
  type QuantizationRecord,
  quantizationRecordKey,
  serializeQuantizationRecord,
  type TrainedActivation,
  type TrainedWeight,
} from "./fake-quantization/record.js";
export { simulateQuantization } from "./fake-quantization/simulate.js";
