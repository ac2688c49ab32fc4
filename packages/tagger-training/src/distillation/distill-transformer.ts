import { type Tensor, toFloat32 } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph, transposeTensor } from "@nasty/graph";
import { openSession, type Session } from "@nasty/runtime";
import { type LabelledSentence, TaggerError, type TransformerSettings } from "@nasty/taggers";
import { buildEncoder } from "@nasty/taggers/encoders";
import { type Batch, type Loss, seededRandom, withWeights } from "@nasty/training";
import { type BaseModel, type OpenBase, openBase } from "../fine-tuning/base-model.js";
import { addClassificationHead } from "../fine-tuning/classification-head.js";
import { cutHead } from "../fine-tuning/cut-head.js";
import { type FineTuned, type FineTuneData, finished, identityOf } from "../fine-tuning/fine-tune.js";
import { ignoredLabel, labelIndices } from "../fine-tuning/label-set.js";
import { runIdentity } from "../fine-tuning/run-identity.js";
import {
  type ClassifierTrainingOptions,
  labelsInput,
  taggerValidation,
  trainClassifier,
} from "../fine-tuning/train-classifier.js";
import {
  labelTensor,
  makeTrainingEncoder,
  shuffledBatches,
  type TrainingRow,
} from "../fine-tuning/training-rows.js";
import { hashTargets } from "../neural/training/soft-targets.js";
import {
  type Lesson,
  scorable,
  studentReport,
  type StudentReport,
  targetsOf,
  type TeachingOptions,
} from "./lesson.js";
import { makeStudent } from "./student.js";
import type { Teacher, TransformerTeacher } from "./teacher.js";

/** How a transformer student is distilled. */
export interface DistillTransformerOptions extends ClassifierTrainingOptions, TeachingOptions {
  readonly data: FineTuneData;
  /** Share of the first teacher's layers or width. Default 0.5. */
  readonly studentSize?: number;
  /** What `studentSize` is a share of; a `depth` student starts from the teacher's layers. Default `depth`. */
  readonly by?: "depth" | "width";
  /** A student to train instead: directory or parts, with any tokenizer. */
  readonly student?: string | BaseModel;
  /**
   * Weight of the mean squared error to the first teacher's last hidden state, by a trained projection where the widths
   * differ. Default 0.
   */
  readonly hidden?: number;
}

/** A transformer student. */
export interface DistilledTransformer extends FineTuned, StudentReport {
  readonly kind: "transformer";
}

/** Names of the inputs that only training has. */
const inputs = {
  soft: "teacher_logits",
  words: "word_mask",
  hidden: "teacher_hidden",
  real: "real_mask",
} as const;

/** Trains an encoder on what the teachers think; each subword that begins a word counts. */
export async function distillTransformer(
  lesson: Lesson,
  options: DistillTransformerOptions,
): Promise<DistilledTransformer> {
  const operation = "distill";
  const { task, labels, train, temperature, alpha, threads } = lesson;
  const { hidden = 0, batchSize = 16, seed = 1 } = options;
  const first = lesson.teachers[0];
  const byLabel = new Map(labels.map((label, i) => [label, i]));
  const all: LabelledSentence[] = [...train, ...lesson.unlabelled.map((words) => ({ words, labels: [] }))];

  const base = await studentBase(first, options, seed);
  const settings: TransformerSettings = {
    ...base.settings,
    task,
    labels,
    scheme: lesson.labelling.scheme ?? undefined,
    language: first.settings.language,
    decidedBy: "choice",
  };
  const model = studentModel(base, first, { labels, hidden, seed });
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
  const targets = (await targetsOf(lesson))?.targets;
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
    const { student, data, unlabelled, onTeaching, ...numbers } = options;
    const result = await trainClassifier({
      operation,
      model: model.training,
      loss: losses,
      batches,
      stepsPerEpoch: Math.ceil(rows.length / batchSize),
      validate: taggerValidation(settings, scorable(lesson.validation), options),
      identity: runIdentity(
        { ...identityOf(numbers), labels, targets: targets && hashTargets(targets) },
        all,
        model.training,
      ),
      options,
    });
    return {
      kind: "transformer",
      ...finished(base, settings, result),
      ...studentReport(lesson.teachers, model.forward),
    };
  } finally {
    await watched?.session.close();
  }
}

async function studentBase(
  teacher: Teacher,
  options: DistillTransformerOptions,
  seed: number,
): Promise<OpenBase> {
  if (options.student !== undefined) return openBase(options.student);
  if (teacher.settings.kind === "neural") throw noStudentOf("a neural tagger");
  const { config, tensors, tokenizerJson, tokenizerConfig } = teacher as TransformerTeacher;
  if (config === undefined || tokenizerJson === undefined || tokenizerConfig === undefined)
    throw noStudentOf("a model file without its Hugging Face directory");
  if (tensors === undefined) throw noStudentOf("other names");
  const made = makeStudent(config, tensors, {
    size: options.studentSize ?? 0.5,
    by: options.by ?? "depth",
    seed,
  });
  const model = buildEncoder(made.config, made.tensors, { head: "none", dropout: true, prefixed: true });
  return openBase({ model, config: made.config, tokenizerJson, tokenizerConfig });
}

const noStudentOf = (got: string): TaggerError =>
  new TaggerError(
    "teacher",
    `distill: teacher: weights: expected those of a BERT, RoBERTa, DistilBERT or ELECTRA checkpoint, to make a smaller one of, got ${got}; give a student (a directory, "cnn" or "bilstm")`,
  );

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
  const tensors = "tensors" in teacher ? teacher.tensors : undefined;
  const weight = tensors?.get("classifier.weight");
  const bias = tensors?.get("classifier.bias");
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
  if (settings.kind === "neural") {
    throw new TaggerError(
      "teacher",
      "distill: hidden: expected a transformer as the first teacher, got a neural tagger, which has no hidden states of subwords",
    );
  }
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
