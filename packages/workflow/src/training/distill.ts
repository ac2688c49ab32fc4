import {
  type ArchitectureName,
  distill as distillTagger,
  type DistillTaggerOptions,
  openTeachers,
  studentPreset,
  type Teacher,
} from "@nasty/tagger-training";
import type { Task } from "@nasty/taggers";
import type { Written } from "../files/candidate.js";
import type { ModelLike } from "../models/model-like.js";
import type { NamedPaths } from "../models/provenance.js";
import { distillOperation } from "../operations/training.js";
import { type GivenBeside, perform } from "../perform.js";
import type { Reporter } from "../reporter.js";
import { UsageError } from "../errors.js";
import { given } from "../schema/given-settings.js";
import type { SettingsOf } from "../schema/option.js";
import { choiceOf } from "../texts/label-choice.js";
import { trainingSentences } from "../texts/training-sentences.js";
import { readWords } from "../texts/unlabelled-text.js";
import { classifierRecipe, labelledData } from "./classifier-settings.js";
import { keepDirectory, keepFile } from "./keep-trained.js";
import { wordCodesOf } from "./word-codes.js";
import { noiseSettings } from "./noise-settings.js";
import { directoryPlace, filePlace } from "./place.js";
import { runOf } from "./run-settings.js";
import { type Student, studentOf } from "./student.js";
import {
  describedModel,
  describedTraining,
  type TrainingResult,
  type WrittenDirectory,
} from "./training-result.js";

export type { TrainingResult } from "./training-result.js";

type Settings = SettingsOf<typeof distillOperation.options>;

/** A student. */
export interface DistillResult extends TrainingResult {
  /** A model file for `cnn` and `bilstm`, a Hugging Face directory for an encoder. */
  readonly output: Written | WrittenDirectory;
  readonly student: ArchitectureName | "transformer";
  /** In the order of the model's outputs. */
  readonly labels: readonly string[];
  /** Numbers in the weights of all teachers together and of the student. */
  readonly parameters: { readonly teacher: number; readonly student: number };
  /** What is odd about the job, such as a student that is not smaller. */
  readonly warnings: readonly string[];
}

/**
 * Trains a smaller tagger on what larger ones think of each word, and on the labels where there are any. The task is
 * the teachers'.
 *
 * A training that was ended, by its signal or otherwise, goes on from its checkpoint (`OUTPUT.checkpoint`, or
 * `OUTPUT/checkpoint` for a directory) when the same call is made again.
 *
 * @param teachers one model or several, of any kind: what they think is averaged; all have the same labels
 * @throws UsageError for options that do not fit together; InputError for a place that cannot be written and texts that
 *   cannot be read; TaggerError for teachers that disagree about labels and texts that cannot be learned from;
 *   GateError for a file that does not compute what was trained
 *
 * @example
 * ```ts
 * const tiny = await distill([model, small], {
 *   student: "cnn",
 *   train: text("train.conllu"),
 *   validation: text("dev.conllu"),
 *   output: "tiny.onnx",
 * });
 * ```
 */
export function distill(
  teachers: ModelLike | readonly ModelLike[],
  options: GivenBeside<typeof distillOperation.options, "teachers">,
): Promise<DistillResult> {
  const list = Array.isArray(teachers) ? teachers : [teachers];
  return perform(distillOperation, { teachers: list, ...options }, runDistillation);
}

/** What every kind of student is made from. */
interface Job {
  readonly settings: Settings;
  readonly teachers: readonly [Teacher, ...Teacher[]];
  readonly task: Task;
  readonly reporter: Reporter;
  /** The settings of the teaching that were given. */
  readonly teaching: { readonly temperature?: number; readonly alpha?: number };
}

/** {@link distill} from checked settings. */
export async function runDistillation(settings: Settings, reporter: Reporter): Promise<DistillResult> {
  if (settings.teacher.length === 0)
    throw new UsageError("distill: --teacher: expected at least one model, got none");
  const teachers = await openTeachers(settings.teacher, { ...choiceOf(settings), isSchemeOfText: true });
  const { task } = teachers[0].settings;
  const student = await studentOf(settings, teachers[0]);
  const teaching = given(settings, "temperature", "alpha");
  const job: Job = { settings, teachers, task, reporter, teaching };
  switch (student.kind) {
    case "network":
      return distillNetwork(student, job);
    case "encoder":
      return distillEncoder(student, job);
    default:
      return student satisfies never;
  }
}

async function distillEncoder(
  { directory }: Extract<Student, { readonly kind: "encoder" }>,
  job: Job,
): Promise<DistillResult> {
  const { settings, teachers, task, reporter, teaching } = job;
  const named = directory === undefined ? {} : { student: directory };
  const place = await directoryPlace(settings.output, [...settings.teacher, ...Object.values(named)]);
  const recipe = {
    ...classifierRecipe(settings),
    ...teaching,
    ...(directory === undefined && {
      studentSize: settings.studentSize ?? 0.5,
      by: settings.by ?? ("depth" as const),
    }),
    ...given(settings, "hidden"),
  };
  const started = performance.now();
  const distilled = await distillTagger(teachers, {
    ...recipe,
    ...runOf(settings, place, reporter),
    ...named,
    data: labelledData(settings, task),
    ...lessons(job),
  });
  const seconds = (performance.now() - started) / 1000;
  if (distilled.kind !== "transformer") throw new TypeError(`distill: student: ${distilled.kind}`);
  const { parameters, warnings } = distilled;
  for (const warning of warnings) reporter.note(`warning: ${warning}`);
  const { output, drift } = await keepDirectory({
    operation: "distill",
    place,
    trained: distilled,
    options: { task: distilled.settings.task, ...recipe, student: "transformer" },
    paths: { ...pathsOf(settings), ...named },
    settings,
    signal: reporter.signal,
  });
  return {
    ...describedModel(distilled.settings, output, true),
    labels: distilled.settings.labels,
    ...describedTraining({ ...distilled, value: distilled.bestMetric, seconds }, task),
    drift,
    student: "transformer",
    parameters,
    warnings,
  };
}

async function distillNetwork(
  { architecture: student }: Extract<Student, { readonly kind: "network" }>,
  job: Job,
): Promise<DistillResult> {
  const { settings, teachers, task, reporter, teaching } = job;
  const { teacher, train, validation = "", unlabelled } = settings;
  const place = await filePlace({
    operation: "distill",
    output: settings.output,
    isQuantized: false,
    read: [...teacher, train, validation, unlabelled, settings.vectors],
  });
  const recipe = {
    ...classifierRecipe(settings),
    ...teaching,
    ...noiseSettings(settings),
    student,
    studentSize: settings.studentSize ?? (settings.student === undefined ? 0.5 : 1),
  };
  const started = performance.now();
  const lesson: DistillTaggerOptions = {
    ...recipe,
    ...(await wordCodesOf("distill", settings, studentPreset(recipe))),
    ...runOf(settings, place, reporter),
    data: {
      train: await trainingSentences(train, task, "distill"),
      validation: await trainingSentences(validation, task, "distill"),
    },
    ...lessons(job),
  };
  const distilled = await distillTagger(teachers, lesson);
  const seconds = (performance.now() - started) / 1000;
  const { parameters, warnings } = distilled;
  for (const warning of warnings) reporter.note(`warning: ${warning}`);
  const { output, drift } = await keepFile({
    operation: "distill",
    place,
    trained: distilled,
    options: { task, ...recipe, ...given(settings, "vectorWords") },
    paths: pathsOf(settings),
    settings,
    signal: reporter.signal,
  });
  return {
    ...describedModel(distilled.settings, output, true),
    student,
    labels: distilled.settings.labels,
    ...describedTraining({ ...distilled, seconds }, task),
    drift,
    parameters,
    warnings,
  };
}

const pathsOf = ({ teacher, train, validation, unlabelled, vectors }: Settings): NamedPaths => ({
  teacher,
  train,
  validation,
  unlabelled,
  vectors,
});

/**
 * What the teachers label beside the labelled text, and how far they are with it; a place where an aborted operation
 * ends.
 */
function lessons({ settings: { unlabelled }, teachers, reporter: { progress, note } }: Job) {
  const { language } = teachers[0].settings;
  progress.start("the teacher labels the text");
  return {
    onTeaching(sentences: number): void {
      progress.update(sentences);
      if (sentences % 2048 === 0) note(`the teacher has labelled ${sentences} sentences`);
    },
    ...(unlabelled !== undefined && { unlabelled: readWords(unlabelled, { language }) }),
  };
}
