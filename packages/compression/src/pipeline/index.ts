export { planPipeline, type PlannedStep, type PlanPipelineOptions } from "./plan-pipeline.js";
export {
  type PipelineReport,
  pipelineReport,
  type PipelineReportOptions,
  type StageReport,
} from "./pipeline-report.js";
export {
  type Artifact,
  type Figures,
  type FinishedStep,
  noState,
  parsePipelineState,
  type PipelineState,
  type Score,
  serializePipelineState,
} from "./pipeline-state.js";
export type { RecipeHead } from "./read-head.js";
export { readRecipe } from "./read-recipe.js";
export { checkNeeds } from "./read-step.js";
export {
  type OptionAxis,
  readSweep,
  type Sweep,
  type SweepEntry,
  type SweepStep,
} from "./read-sweep.js";
export { recipeError } from "./recipe-error.js";
export {
  type DataName,
  type DataNeed,
  type OptionSchema,
  type OptionValue,
  type Position,
  type Recipe,
  type RecipeData,
  type RecipeStep,
  type RecipeText,
  type RecipeWord,
  type StepOptions,
  type StepSchema,
  type TextPart,
} from "./recipe.js";
export {
  type PipelineRun,
  type Refusal,
  runPipeline,
  type RunPipelineOptions,
  type Stage,
  type StepFunction,
  type StepJob,
  type StepOutcome,
} from "./run-pipeline.js";
