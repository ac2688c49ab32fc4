import { noLabel } from "@nasty/taggers";
import { type ArchitectureName, type ArchitecturePreset, architectures } from "../neural/architecture.js";
import type { Recipe } from "../neural/training/recipe.js";
import { type TrainedTagger, trainTagger } from "../neural/training/train-tagger.js";
import type { TrainTaggerOptions } from "../neural/training/train-tagger-options.js";
import type { TrainingSentence } from "../neural/training/training-sentence.js";
import {
  checkNumber,
  type Lesson,
  scorable,
  studentReport,
  type StudentReport,
  targetsOf,
  type TeachingOptions,
} from "./lesson.js";
import type { Noise } from "../noise/noise.js";
import { scaledPreset } from "./scaled-preset.js";

type Run = Pick<
  TrainTaggerOptions,
  | "seed"
  | "threads"
  | "patience"
  | "modifiers"
  | "checkpoint"
  | "checkpointEvery"
  | "onEvent"
  | "eventEvery"
  | "signal"
  | "recipe"
  | "wordCodes"
  | "pretraining"
>;

/** How a `bilstm` or `cnn` student is distilled. */
export interface DistillTaggerOptions extends TeachingOptions, Run {
  /** Name of an architecture, or one of your own. */
  readonly student: ArchitectureName | ArchitecturePreset;
  /** Auxiliary labels, where sentences have them, are learned too. */
  readonly data: {
    readonly train: Iterable<TrainingSentence> | AsyncIterable<TrainingSentence>;
    readonly validation: Iterable<TrainingSentence> | AsyncIterable<TrainingSentence>;
  };
  /**
   * Whether label sequences get scores of their own, which learn from those of the teachers; at temperature 1. Default:
   * for entities, unless another temperature or an `alpha` of 0 is asked for.
   */
  readonly chain?: boolean;
  /** Factor of the architecture's widths. Default 1. */
  readonly studentSize?: number;
  /** Short for those of the recipe. */
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  /** How the sentences that the student sees are disturbed; its teachers read them as they are. */
  readonly noise?: Partial<Noise>;
}

/** A `bilstm` or `cnn` student. */
export interface DistilledTagger extends TrainedTagger, StudentReport {
  readonly kind: "neural";
}

/** The architecture that a student of this name and size has. */
export function studentPreset({
  student,
  studentSize = 1,
}: Pick<DistillTaggerOptions, "student" | "studentSize">): ArchitecturePreset {
  checkNumber(
    "studentSize",
    studentSize,
    studentSize > 0 && Number.isFinite(studentSize),
    "a positive number",
  );
  return scaledPreset(typeof student === "string" ? architectures[student] : student, studentSize);
}

/** Trains a `bilstm` or `cnn` on what the teachers think. */
export async function distillTagger(lesson: Lesson, options: DistillTaggerOptions): Promise<DistilledTagger> {
  const { task, labels, temperature, alpha } = lesson;
  const {
    student,
    data,
    studentSize,
    unlabelled,
    onTeaching,
    epochs,
    batchSize,
    learningRate,
    noise,
    chain: _chain,
    ...run
  } = options;
  const { temperature: _temperature, alpha: _alpha, ...rest } = run;
  const recipe: Partial<Recipe> = {
    ...options.recipe,
    ...(epochs === undefined ? {} : { epochs }),
    ...(batchSize === undefined ? {} : { batchSentences: batchSize }),
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(noise === undefined ? {} : { noise }),
  };
  const train: TrainingSentence[] = [
    ...lesson.train,
    ...lesson.unlabelled.map((words) => ({ words, labels: words.map(() => noLabel) })),
  ];
  const found = await targetsOf(lesson);
  const targets = found?.targets ?? train.map(({ words }) => new Float32Array(words.length * labels.length));
  const trained = await trainTagger({
    ...rest,
    task,
    train,
    validation: scorable(lesson.validation),
    architecture: studentPreset(options),
    recipe,
    soft: { labels, targets, pairs: found?.pairs, temperature, alpha },
    scheme: lesson.labelling.scheme ?? undefined,
    language: lesson.teachers[0].settings.language,
  });
  return { kind: "neural", ...trained, ...studentReport(lesson.teachers, trained.model) };
}
