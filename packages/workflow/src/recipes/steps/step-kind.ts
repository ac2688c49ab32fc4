import type {
  DataName,
  RecipeStep,
  StepJob,
  StepOptions,
  StepOutcome,
  StepSchema,
} from "@nasty/compression/pipeline";
import type { LabelChoice, TaggerSettings, Task } from "@nasty/taggers";
import type { Reporter } from "../../reporter.js";
import type { RecipeTexts } from "../recipe-texts.js";

/** What the steps of one run share. */
export interface RecipeContext {
  readonly texts: RecipeTexts;
  /** Where outputs go. */
  readonly folder: string;
  /** Of the first model; undefined for a model without tagger. */
  readonly task: Task | undefined;
  /** What the recipe or its user says about the labels of the first model. */
  readonly choice: LabelChoice;
  /** Of the first model; where a step is checked, of the model that the step will be given. */
  readonly tagger: TaggerKind;
  readonly seed: number;
  readonly threads: number;
  readonly reporter: Reporter;
}

/** What names of outputs depend on beside a step's own options. */
export interface ModelFacts {
  /** Whether the recipe has a text. */
  readonly has: (name: DataName) => boolean;
  /** Of the model that the step is given. */
  readonly tagger: TaggerKind;
}

/** Undefined for a model without tagger. */
export type TaggerKind = TaggerSettings["kind"] | undefined;

/** A kind of step: what a recipe may write, how its output is called, and the work. */
export interface StepKind {
  readonly schema: StepSchema;
  /** Whether the next step works on what this one writes. */
  readonly makesModel: boolean;
  /** The kind of tagger that the step makes, where that is another than it was given. */
  taggerOf?(options: StepOptions): TaggerKind;
  /** Null for a step that writes nothing. */
  outputNameOf(options: StepOptions, input: string, facts: ModelFacts): string | null;
  /** What the operation of a step that runs one works with, given its model. */
  settingsOf?(step: RecipeStep, input: string, context: RecipeContext): object;
  /** Throws what is wrong with the options taken together. */
  check(step: RecipeStep, context: RecipeContext): Promise<void>;
  run(job: StepJob, context: RecipeContext): Promise<StepOutcome>;
}

/** Where a text of the data section is. */
export function textPath(context: RecipeContext, name: DataName): string | undefined {
  return context.texts[name]?.[0]?.path;
}
