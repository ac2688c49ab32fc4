import { type Tensor, toFloat32 } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph, transposeTensor } from "@nasty/graph";
import { openSession, type Session } from "@nasty/runtime";
import { type Batch, type Loss, seededRandom, withWeights } from "@nasty/training";
import { buildEncoder } from "../encoders/build-encoder.js";
import type { LabelledSentence } from "../evaluation/labelled-sentence.js";
import { type BaseModel, type OpenBase, openBase } from "../fine-tuning/base-model.js";
import { addClassificationHead } from "../fine-tuning/classification-head.js";
import { cutHead } from "../fine-tuning/cut-head.js";
import { checkBatchSize, finished, type FineTuneData, type FineTuned } from "../fine-tuning/fine-tune.js";
import { ignoredLabel, labelIndices, labelSetOf, readSentences } from "../fine-tuning/label-set.js";
import { runIdentity } from "../fine-tuning/run-identity.js";
import {
  type ClassifierTrainingOptions,
  labelsInput,
  trainClassifier,
} from "../fine-tuning/train-classifier.js";
import {
  labelTensor,
  makeTrainingEncoder,
  shuffledBatches,
  type TrainingRow,
} from "../fine-tuning/training-rows.js";
import { TaggerError } from "../tagger-error.js";
import type { Sentences } from "../tagger.js";
import type { TransformerSettings } from "../transformer/settings.js";
import { makeStudent } from "./student.js";
import { checkTeacherLabels, openTeacher, type Teacher, teacherTargets } from "./teacher.js";

export interface DistillOptions extends ClassifierTrainingOptions {
  readonly data: FineTuneData;
  /** Sentences for the teachers to label. */
  readonly unlabelled?: Sentences;
  /** Share of the first teacher's layers or width. Default 0.5. */
  readonly studentSize?: number;
  /** What `studentSize` is a share of; a `depth` student starts from the teacher's layers. Default `depth`. */
  readonly by?: "depth" | "width";
  /** A student to train instead: directory or parts, with any tokenizer. */
  readonly student?: string | BaseModel;
  /** T: how soft the teachers' targets are. Default 2. */
  readonly temperature?: number;
  /** α in α·KL + (1 − α)·cross-entropy. Default 0.5. */
  readonly alpha?: number;
  /** Weight of the mean squared error to the first teacher's last hidden state, by a trained projection where the widths differ. Default 0. */
  readonly hidden?: number;
  /** Called while the teachers label, with how many sentences are done. */
  readonly onTeaching?: (sentences: number) => void;
}

export interface Distilled extends FineTuned {
  readonly parameters: { readonly teacher: number; readonly student: number };
  /** What is odd about the job, such as a student that is not smaller. */
  readonly warnings: readonly string[];
}

/** Names of the inputs that only training has. */
const inputs = {
  soft: "teacher_logits",
  words: "word_mask",
  hidden: "teacher_hidden",
  real: "real_mask",
} as const;

/**
 * Trains a student on what its teachers think of each word, and on the right labels where there are any.
 *
 * Loss: α·T²·KL(q‖softmax(z/T)) + (1 − α)·cross-entropy + h·MSE(hidden), q the mean of the teachers' softmax(z/T). Each subword that
 * begins a word counts.
 *
 * @param teacher one teacher or several that are averaged: directories of token classifiers, or results of {@link fineTune}
 * @throws TaggerError `teacher` for labels that differ (both sets are named) or a teacher of which no student can be made, `option`,
 *   and those of {@link fineTune}.
 * @see G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network" (2015), section 2; V. Sanh et al.,
 *   "DistilBERT" (2019)
 * @example
 * ```ts
 * const student = await distill("models/pos", { studentSize: 0.5, data: { train, validation }, epochs: 10 });
 * await writeFineTuned("models/pos-small", student);
 * ```
 */
export async function distill(
  teacher: string | Teacher | readonly (string | Teacher)[],
  options: DistillOptions,
): Promise<Distilled> {
  const operation = "distill";
  const { temperature = 2, alpha = 0.5, hidden = 0, batchSize = 16, seed = 1, threads = 1 } = options;
  checkBatchSize(operation, batchSize);
  checkNumber("temperature", temperature, temperature > 0, "a positive number");
  checkNumber("alpha", alpha, alpha >= 0 && alpha <= 1, "a number in [0, 1]");
  checkNumber("hidden", hidden, hidden >= 0, "a weight of at least 0");
  const given = Array.isArray(teacher)
    ? (teacher as readonly (string | Teacher)[])
    : [teacher as string | Teacher];
  const teachers: Teacher[] = [];
  for (const one of given) teachers.push(await openTeacher(one));
  const first = teachers[0];
  if (first === undefined) throw new TaggerError("teacher", "distill: teachers: expected at least 1, got 0");

  const task = first.settings.task;
  const train = await readSentences(options.data.train, { operation, name: "train", task });
  const validation = options.data.validation;
  const source = { operation, name: "validation", task } as const;
  const checked = validation === undefined ? [] : await readSentences(validation, source);
  const used =
    task === "pos" ? labelSetOf(train, task) : [...new Set(train.flatMap((sentence) => sentence.labels))];
  const labels = checkTeacherLabels(teachers, used);
  const byLabel = new Map(labels.map((label, i) => [label, i]));
  checked.forEach((sentence, i) => labelIndices(sentence, i, { labels: byLabel, source }));
  const all = [...train, ...(await unlabelledSentences(options.unlabelled))];

  const base = await studentBase(first, options, seed);
  const settings: TransformerSettings = { ...base.settings, task, labels };
  const model = studentModel(base, first, { labels, hidden, seed });
  const parameters = { teacher: sizeOf(first.model), student: sizeOf(model.forward) };
  const warnings =
    parameters.student < parameters.teacher
      ? []
      : [
          `the student has ${parameters.student} parameters, its teacher ${parameters.teacher}: it is not smaller`,
        ];

  const encoder = makeTrainingEncoder(model.training, settings);
  const rows = all.flatMap((sentence, i) =>
    encoder.encode(
      sentence.words,
      i < train.length
        ? labelIndices(sentence, i, { labels: byLabel, source: { operation, name: "train", task } })
        : new Int32Array(sentence.words.length).fill(ignoredLabel),
      i,
    ),
  );
  const targets =
    alpha === 0
      ? undefined
      : await teacherTargets(
          teachers,
          all.map(({ words }) => words),
          {
            labels,
            temperature,
            threads,
            onProgress: options.onTeaching,
          },
        );
  const watched = hidden > 0 ? await hiddenSession(first, settings, threads) : undefined;
  const losses: Loss[] = [];
  if (alpha < 1)
    losses.push({
      kind: "cross-entropy",
      name: "hard",
      weight: 1 - alpha,
      logits: "logits",
      labels: labelsInput,
    });
  if (alpha > 0)
    losses.push({
      kind: "kl",
      name: "soft",
      weight: alpha,
      logits: "logits",
      teacher: inputs.soft,
      mask: inputs.words,
      temperature,
    });
  if (watched !== undefined)
    losses.push({
      kind: "mse",
      name: "hidden",
      weight: hidden,
      prediction: model.prediction,
      target: inputs.hidden,
      mask: inputs.real,
    });

  async function* batches(random: Parameters<typeof shuffledBatches>[2]): AsyncGenerator<Batch> {
    for (const batch of shuffledBatches(rows, batchSize, random)) {
      const { feeds, mask } = encoder.feeder.feed(batch);
      const more: Record<string, Tensor> = {};
      if (alpha < 1) more[labelsInput] = labelTensor(batch, mask.shape);
      if (targets !== undefined)
        Object.assign(more, softTensors(batch, mask.shape, { targets, labels: labels.length }));
      if (watched !== undefined) {
        more[inputs.hidden] = (await watched.session.run(feeds, [watched.name]))[watched.name] as Tensor;
        more[inputs.real] = { dtype: "float32", shape: mask.shape, data: toFloat32(mask) };
      }
      yield { ...feeds, ...more };
    }
  }
  try {
    const {
      student,
      data,
      unlabelled,
      checkpoint,
      signal,
      onEvent,
      onTeaching,
      checkpointEvery,
      ...numbers
    } = options;
    const result = await trainClassifier({
      operation,
      model: model.training,
      settings,
      loss: losses,
      batches,
      stepsPerEpoch: Math.ceil(rows.length / batchSize),
      validation: checked.filter((sentence) => !sentence.labels.includes("_")),
      identity: runIdentity({ ...numbers, labels }, all, model.training),
      options,
    });
    return { ...finished(base, settings, result), parameters, warnings };
  } finally {
    await watched?.session.close();
  }
}

async function unlabelledSentences(sentences: Sentences = []): Promise<LabelledSentence[]> {
  const read: LabelledSentence[] = [];
  for await (const words of sentences) if (words.length > 0) read.push({ words, labels: [] });
  return read;
}

async function studentBase(teacher: Teacher, options: DistillOptions, seed: number): Promise<OpenBase> {
  if (options.student !== undefined) return openBase(options.student);
  if (teacher.tensors === undefined) {
    throw new TaggerError(
      "teacher",
      "distill: teacher: weights: expected those of a BERT, RoBERTa, DistilBERT or ELECTRA checkpoint, to make a smaller one of, got other names; give a student",
    );
  }
  const made = makeStudent(teacher.config, teacher.tensors, {
    size: options.studentSize ?? 0.5,
    by: options.by ?? "depth",
    seed,
  });
  const { tokenizerJson, tokenizerConfig } = teacher;
  const model = buildEncoder(made.config, made.tensors, { head: "none", dropout: true, prefixed: true });
  return openBase({ model, config: made.config, tokenizerJson, tokenizerConfig });
}

interface StudentModel {
  readonly forward: ModelProto;
  /** The same with the projection that the loss on hidden states needs. */
  readonly training: ModelProto;
  /** Tensor that is compared with the teacher's last hidden state. */
  readonly prediction: string;
}

/** The student with its head, which starts as the teacher's where both have the same width. */
function studentModel(
  base: OpenBase,
  teacher: Teacher,
  { labels, hidden, seed }: { labels: readonly string[]; hidden: number; seed: number },
): StudentModel {
  let forward = addClassificationHead(base, { labels: labels.length, dropout: base.classifierDropout, seed });
  const weight = teacher.tensors?.get("classifier.weight");
  const bias = teacher.tensors?.get("classifier.bias");
  if (weight?.shape[1] === base.width && weight.shape[0] === labels.length && bias !== undefined) {
    const values = toFloat32(transposeTensor(weight, [1, 0]));
    forward = withWeights(
      forward,
      new Map([
        ["classifier.weight", values],
        ["classifier.bias", toFloat32(bias)],
      ]),
    );
  }
  const width = hidden > 0 ? cutHead(teacher.model).width : base.width;
  if (width === base.width) return { forward, training: forward, prediction: base.hidden };
  const edited = ModelGraph.from(forward);
  const random = seededRandom(seed + 1);
  const data = Float32Array.from(
    { length: base.width * width },
    () => random.normal() / Math.sqrt(base.width),
  );
  const projection = edited.main.addInitializer("distillation/projection", {
    dtype: "float32",
    shape: [base.width, width],
    data,
  });
  const prediction = "distillation/projected";
  edited.main.addNode({
    opType: "MatMul",
    name: prediction,
    inputs: [base.hidden, projection],
    outputs: [prediction],
  });
  return { forward, training: edited.toModel(), prediction };
}

async function hiddenSession(
  { model, settings }: Teacher,
  student: TransformerSettings,
  threads: number,
): Promise<{ readonly session: Session; readonly name: string }> {
  if (JSON.stringify(settings.tokenizer.json) !== JSON.stringify(student.tokenizer.json)) {
    throw new TaggerError(
      "teacher",
      "distill: hidden: expected teacher and student with the same tokenizer, got two; subwords of one have no hidden state in the other",
    );
  }
  const { model: headless, hidden } = cutHead(model);
  return { session: await openSession(headless, { threads }), name: hidden };
}

function softTensors(
  rows: readonly TrainingRow[],
  [count = 0, length = 0]: readonly number[],
  { targets, labels }: { readonly targets: readonly Float32Array[]; readonly labels: number },
): Record<string, Tensor> {
  const soft = new Float32Array(count * length * labels);
  const words = new Float32Array(count * length);
  rows.forEach(({ sentence, positions, firstOwned }, r) => {
    const target = targets[sentence] as Float32Array;
    positions.forEach((position, i) => {
      const at = r * length + position;
      words[at] = 1;
      soft.set(target.subarray((firstOwned + i) * labels, (firstOwned + i + 1) * labels), at * labels);
    });
  });
  return {
    [inputs.soft]: { dtype: "float32", shape: [count, length, labels], data: soft },
    [inputs.words]: { dtype: "float32", shape: [count, length], data: words },
  };
}

/** Numbers in a model's float weights. */
function sizeOf(model: ModelProto): number {
  return (model.graph?.initializer ?? [])
    .filter(({ dataType }) => dataType === 1)
    .reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * Number(b), 1), 0);
}

function checkNumber(name: string, value: number, valid: boolean, expected: string): void {
  if (valid) return;
  throw new TaggerError("option", `distill: ${name}: expected ${expected}, got ${value}`, { name });
}
