import type { LabelScheme } from "@nasty/formats/iob";
import type { ModelProto } from "@nasty/formats/onnx";
import {
  type LabelledSentence,
  type LabelledSentences,
  type Labelling,
  labellingOfSettings,
  noLabel,
  type Sentences,
  TaggerError,
  type Task,
} from "@nasty/taggers";
import { labelIndices, labelSetOf, readSentences } from "../fine-tuning/label-set.js";
import { type Targets, targetsOfWords } from "./targets.js";
import { checkDataLabels, openTeachers, type Teacher } from "./teacher.js";

/** What every student is taught with. */
export interface TeachingOptions {
  /** Sentences for the teachers to label. */
  readonly unlabelled?: Sentences;
  /** T: how soft the teachers' targets are. Default 2, or 1 for a student with scores of label sequences. */
  readonly temperature?: number;
  /** α in α·T²·KL + (1 − α)·cross-entropy. Default 0.5. */
  readonly alpha?: number;
  /**
   * Scheme of the entity labels of the text; seen from them unless given. The student has the scheme of its teachers.
   */
  readonly scheme?: LabelScheme | undefined;
  /** Called while the teachers label, with how many sentences the one under way has done. */
  readonly onTeaching?: (sentences: number) => void;
}

/** What is odd about a student, and how large it is. */
export interface StudentReport {
  /** Numbers in the weights of all teachers together and of the student. */
  readonly parameters: { readonly teacher: number; readonly student: number };
  /** What is odd about the job, such as a student that is not smaller. */
  readonly warnings: readonly string[];
}

/** Teachers and data that agree with each other. */
export interface Lesson {
  readonly teachers: readonly [Teacher, ...Teacher[]];
  readonly task: Task;
  /** The student's labels: those of the first teacher, in its order. */
  readonly labels: readonly string[];
  /** What they are taken for. */
  readonly labelling: Labelling;
  readonly train: readonly LabelledSentence[];
  readonly validation: readonly LabelledSentence[];
  readonly unlabelled: readonly (readonly string[])[];
  readonly temperature: number;
  readonly alpha: number;
  /** Whether the student has scores of label sequences. */
  readonly chain: boolean;
  readonly threads: number;
  readonly onTeaching: ((sentences: number) => void) | undefined;
}

interface LessonOptions extends TeachingOptions {
  readonly data: { readonly train: LabelledSentences; readonly validation?: LabelledSentences };
  readonly threads?: number;
  /** Whether the student may have scores of label sequences, and whether it must; see `DistillTaggerOptions`. */
  readonly chain?: { readonly asked: boolean | undefined };
}

/**
 * Opens the teachers, reads the sentences and checks that they fit.
 *
 * @throws TaggerError `option`, `teacher`, and those of the sentences.
 */
export async function prepareLesson(
  teacher: string | Teacher | readonly (string | Teacher)[],
  {
    data,
    unlabelled = [],
    temperature: asked,
    alpha = 0.5,
    scheme,
    threads = 1,
    onTeaching,
    chain: sequences,
  }: LessonOptions,
): Promise<Lesson> {
  const operation = "distill";
  if (asked !== undefined) checkNumber("temperature", asked, asked > 0, "a positive number");
  checkNumber("alpha", alpha, alpha >= 0 && alpha <= 1, "a number in [0, 1]");
  const teachers = await openTeachers(teacher);
  const { labels } = teachers[0].settings;
  const labelling = labellingOfSettings(teachers[0].settings);
  const { task, form, types } = labelling;
  const entities = { scheme, form, types };
  const train = await readSentences(data.train, { operation, name: "train", task, ...entities });
  const source = { operation, name: "validation", task, ...entities } as const;
  const validation = data.validation === undefined ? [] : await readSentences(data.validation, source);
  const used =
    task === "pos"
      ? labelSetOf(train, task, { operation })
      : [...new Set(train.flatMap((sentence) => sentence.labels))].filter((label) => label !== noLabel);
  checkDataLabels(labels, used);
  const byLabel = new Map(labels.map((label, i) => [label, i]));
  validation.forEach((sentence, i) => labelIndices(sentence, i, { labels: byLabel, source }));
  const more: (readonly string[])[] = [];
  for await (const words of unlabelled) if (words.length > 0) more.push(words);
  if (sequences?.asked === true) {
    checkNumber("alpha", alpha, alpha > 0, "a number above 0 with scores of label sequences");
    checkNumber("temperature", asked ?? 1, (asked ?? 1) === 1, "1 with scores of label sequences");
  }
  const isSoft = alpha > 0 && (asked ?? 1) === 1;
  const chain = sequences !== undefined && (sequences.asked ?? (task === "ner" && isSoft));
  const temperature = asked ?? (chain ? 1 : 2);
  const settings = { temperature, alpha, chain, threads, onTeaching };
  return { teachers, task, labels, labelling, train, validation, unlabelled: more, ...settings };
}

/** Targets of the labelled sentences, then of the others; none if they are not to be learned. */
export async function targetsOf(lesson: Lesson): Promise<Targets | undefined> {
  if (lesson.alpha === 0) return undefined;
  const { teachers, train, unlabelled, labels, temperature, threads, onTeaching } = lesson;
  return targetsOfWords(teachers, [...train.map(({ words }) => words), ...unlabelled], {
    withPairs: lesson.chain,
    labels,
    temperature,
    threads,
    onProgress: onTeaching,
  });
}

/** Sentences that can be scored: all words labelled. */
export const scorable = (sentences: readonly LabelledSentence[]): LabelledSentence[] =>
  sentences.filter(({ labels }) => !labels.includes("_"));

export function studentReport(teachers: readonly Teacher[], model: ModelProto): StudentReport {
  const parameters = {
    teacher: teachers.reduce((sum, teacher) => sum + sizeOf(teacher.model), 0),
    student: sizeOf(model),
  };
  if (parameters.student < parameters.teacher) return { parameters, warnings: [] };
  const owner = teachers.length === 1 ? "its teacher" : `its ${teachers.length} teachers`;
  return {
    parameters,
    warnings: [
      `the student has ${parameters.student} parameters, ${owner} ${parameters.teacher}: it is not smaller`,
    ],
  };
}

/** Data types of weights, plain and quantized: float32, uint8, int8, float16, bfloat16. */
const weightTypes = new Set([1, 2, 3, 10, 16]);

/** Numbers in a model's weights. */
function sizeOf(model: ModelProto): number {
  return (model.graph?.initializer ?? [])
    .filter(({ dataType }) => weightTypes.has(dataType))
    .reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * Number(b), 1), 0);
}

export function checkNumber(name: string, value: number, valid: boolean, expected: string): void {
  if (valid) return;
  throw new TaggerError("option", `distill: ${name}: expected ${expected}, got ${value}`, { name });
}
