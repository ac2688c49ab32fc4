import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serializeModel } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { openSession } from "@nasty/runtime";
import { openNeuralTagger, withTagger } from "@nasty/taggers";
import { beforeAll, describe, expect, it } from "vitest";
import type { DistillTaggerOptions } from "../../src/distillation/distill-tagger.js";
import { distill } from "../../src/distillation/distill.js";
import { scaledPreset } from "../../src/distillation/scaled-preset.js";
import { teacherTargets } from "../../src/distillation/targets.js";
import { openTeacher, openTeachers, type Teacher } from "../../src/distillation/teacher.js";
import { fineTune, type FineTuned } from "../../src/fine-tuning/fine-tune.js";
import { architectures } from "../../src/neural/architecture.js";
import { type TrainedTagger, trainTagger } from "../../src/neural/training/train-tagger.js";
import { toyDirectory, toySentences } from "../fine-tuning/toy.js";
import { tinyBilstm, tinyCnn, tinyFeatures } from "../neural/tiny-neural.js";
import { memoryCheckpoint } from "../memory-checkpoint.js";

const { vocabulary: _v, characters: _c, ...sizes } = tinyFeatures;
const features = { ...sizes, affixRows: 64, leastCount: 1 };
const still = { embeddingDropout: 0, layerDropout: 0, outputDropout: 0 };
const bilstm = { architecture: { ...tinyBilstm, ...still, hidden: 8 }, features } as const;
const cnn = { architecture: { ...tinyCnn, ...still }, features } as const;
const labelled = toySentences.filter(({ labels }) => !labels.includes("_"));
const words = labelled.map((sentence) => sentence.words);
const data = { train: labelled, validation: labelled };
const dropout = { wordBase: 0, wordScale: 0, affix: 0 };
const recipe = { epochs: 20, batchSentences: 1, learningRate: 0.02, averageDecay: 0.5, dropout };
const options: DistillTaggerOptions = { student: cnn, data, recipe, seed: 3 };

let neural: TrainedTagger;
let other: TrainedTagger;
let transformer: FineTuned;

beforeAll(async () => {
  const job = { task: "pos", train: labelled, validation: labelled, recipe } as const;
  neural = await trainTagger({ ...job, architecture: bilstm });
  other = await trainTagger({ ...job, architecture: bilstm, seed: 2, recipe: { ...recipe, epochs: 2 } });
  transformer = await fineTune(await toyDirectory(), { train: labelled }, "pos", {
    epochs: 8,
    batchSize: 2,
    learningRate: 1e-2,
    seed: 4,
  });
}, 60_000);

const shares = async (teachers: readonly Teacher[], temperature = 1): Promise<number[]> => {
  const targets = await teacherTargets(teachers, words, {
    labels: ["DET", "NOUN", "VERB"],
    temperature,
    threads: 1,
  });
  return targets.flatMap((target) => Array.from(target, (value) => Math.exp(value / temperature)));
};

describe("targets", () => {
  it("of several teachers are the mean of theirs, whatever their kinds", async () => {
    const each = [await shares([neural]), await shares([other]), await shares([transformer])];
    const all = await shares([neural, other, transformer]);
    expect(all).toHaveLength(words.flat().length * 3);
    all.forEach((value, i) =>
      expect(value).toBeCloseTo(each.reduce((sum, own) => sum + (own[i] as number), 0) / 3, 6),
    );
    expect(each[0]).not.toEqual(each[1]);
  });

  it("of a neural tagger are the softmax of its scores, softer with temperature", async () => {
    const tagger = await openNeuralTagger(neural.model, neural.settings, (part) => openSession(part));
    const own: number[] = [];
    for await (const { data: scores, start, length } of tagger.scores(words)) {
      for (let i = 0; i < length; i++) {
        const three = [0, 1, 2].map((label) => Math.exp((scores[start + i * 3 + label] as number) / 4));
        const total = three.reduce((a, b) => a + b, 0);
        own.push(...three.map((value) => value / total));
      }
    }
    await tagger.close();
    const soft = await shares([neural], 4);
    expect(soft).toHaveLength(own.length);
    soft.forEach((value, i) => expect(value).toBeCloseTo(own[i] as number, 5));
    const entropy = (values: readonly number[]): number =>
      values.reduce((sum, p) => sum - p * Math.log(p), 0);
    expect(entropy(soft)).toBeGreaterThan(entropy(await shares([neural])));
  });

  it("of a teacher with scores of label sequences are marginals, which never leave the scheme", async () => {
    const sentence = {
      words: ["Ann", "Smith", "in", "Oslo"],
      labels: ["B-PER", "I-PER", "O", "B-LOC"],
    };
    const chained = await trainTagger({
      task: "ner",
      train: Array.from({ length: 6 }, () => sentence),
      validation: [sentence],
      architecture: cnn,
      recipe: { ...recipe, epochs: 12 },
    });
    const settings = { labels: chained.settings.labels, temperature: 1, threads: 1 };
    const [target] = await teacherTargets([chained], [sentence.words], settings);
    const share = (word: number, label: string): number =>
      Math.exp(target?.[word * 5 + settings.labels.indexOf(label)] as number);
    expect(share(0, "I-PER")).toBeLessThan(1e-20);
    expect(share(1, "I-PER")).toBeGreaterThan(0.5);
    expect(settings.labels.reduce((sum, label) => sum + share(2, label), 0)).toBeCloseTo(1, 6);
    const student = await distill(chained, {
      ...options,
      data: { train: Array.from({ length: 6 }, () => sentence), validation: [sentence] },
      recipe: { ...recipe, epochs: 20 },
      temperature: 2,
    });
    expect(student.settings.task).toBe("ner");
    expect(student.model.graph?.output.map(({ name }) => name)).toEqual(["logits"]);
    expect(student.value).toBe(1);
  });
});

describe("a student with scores of label sequences", () => {
  const sentence = { words: ["new", "york", "sees", "ann"], labels: ["B-LOC", "I-LOC", "O", "B-PER"] };
  const train = Array.from({ length: 6 }, () => sentence);
  const job = { ...options, data: { train, validation: [sentence] } } as const;
  let chained: TrainedTagger;

  beforeAll(async () => {
    chained = await trainTagger({
      task: "ner",
      train,
      validation: [sentence],
      architecture: cnn,
      recipe: { ...recipe, epochs: 12 },
    });
  }, 60_000);

  it("learns them from its teachers, right labels notwithstanding", async () => {
    const lies = train.map((one) => ({ ...one, labels: ["O", "B-PER", "O", "O"] }));
    const taught = async (alpha: number, epochs: number): Promise<TrainedTagger> =>
      distill(chained, { ...job, data: { ...job.data, train: lies }, alpha, recipe: { ...recipe, epochs } });
    const student = await taught(1, 20);
    expect(student.value).toBe(1);
    expect(student.model.graph?.output.map(({ name }) => name)).toEqual([
      "logits",
      "transitions",
      "start",
      "end",
    ]);
    const row = (label: string): number => student.settings.labels.indexOf(label);
    const scores = transitionsOf(student);
    const from = row("B-LOC") * student.settings.labels.length;
    const into = (label: string): number => scores[from + row(label)] as number;
    expect(into("I-LOC")).toBeGreaterThan(into("O") + 0.05);
    expect((await taught(0.1, 20)).value).toBeLessThan(0.5);
  });

  it("has none at another temperature, and none that are asked away", async () => {
    const outputsOf = (student: TrainedTagger): unknown =>
      student.model.graph?.output.map(({ name }) => name);
    const brief = { ...job, recipe: { ...recipe, epochs: 1 } };
    expect(outputsOf(await distill(chained, { ...brief, temperature: 2 }))).toEqual(["logits"]);
    expect(outputsOf(await distill(chained, { ...brief, chain: false }))).toEqual(["logits"]);
    await expect(distill(chained, { ...brief, temperature: 2, chain: true })).rejects.toMatchObject({
      code: "option",
      message: "distill: temperature: expected 1 with scores of label sequences, got 2",
    });
    await expect(distill(chained, { ...brief, alpha: 0, chain: true })).rejects.toMatchObject({
      code: "option",
      message: "distill: alpha: expected a number above 0 with scores of label sequences, got 0",
    });
  });
});

/** The scores of one label behind another, [labels, labels]. */
function transitionsOf({ model }: TrainedTagger): Float32Array {
  const weight = model.graph?.initializer.find(({ name }) => name === "chain.transitions");
  const raw = weight?.rawData as Uint8Array;
  return new Float32Array(raw.slice().buffer);
}

describe.each([
  ["cnn", cnn],
  ["bilstm", bilstm],
])("a %s student", (_name, student) => {
  it("learns from its teachers alone, labels of the data notwithstanding", async () => {
    // Every right label is a lie but the teachers' opinion is not: a KL that does nothing learns nothing.
    const wrong = labelled.map((sentence) => ({ ...sentence, labels: sentence.labels.map(() => "NOUN") }));
    const taught = await distill([neural, transformer], {
      ...options,
      student,
      data: { ...data, train: wrong },
      alpha: 1,
    });
    expect(taught.kind).toBe("neural");
    expect(taught.value).toBeGreaterThan(0.75);
    expect(taught.settings.labels).toEqual(neural.settings.labels);
    const untaught = await distill(neural, {
      ...options,
      student,
      data: { ...data, train: wrong },
      alpha: 0,
    });
    expect(untaught.value).toBeLessThan(0.5);
  });

  it("learns from sentences without labels", async () => {
    const [first, ...rest] = labelled;
    const train = [first as (typeof labelled)[0]];
    const few = { ...options, student, data: { ...data, train } };
    const taught = await distill(neural, { ...few, unlabelled: rest.map((sentence) => sentence.words) });
    const alone = await distill(neural, few);
    expect(taught.value).toBeGreaterThan(0.75);
    expect(taught.value).toBeGreaterThan((alone.value as number) + 0.1);
  });
});

it("learns auxiliary labels beside what the teachers think", async () => {
  const train = labelled.map((sentence) => ({
    ...sentence,
    auxiliary: { xpos: sentence.words.map((word) => (word === "the" || word === "a" ? "DT" : "NN")) },
  }));
  const taught = async (auxiliaryWeight: number) =>
    distill(neural, {
      ...options,
      data: { ...data, train },
      recipe: { ...recipe, epochs: 1, auxiliaryWeight },
    });
  const [student, deaf] = [await taught(0.4), await taught(0)];
  expect(student.history[0]?.loss).toBeGreaterThan((deaf.history[0]?.loss as number) + 0.05);
  expect(student.model.graph?.output.map(({ name }) => name)).toEqual(["logits"]);
});

it("gives the same bytes twice and goes on from a checkpoint, of the same teachers alone", async () => {
  const short = { ...options, recipe: { ...recipe, epochs: 3 } };
  const whole = await distill(neural, short);
  const checkpoint = memoryCheckpoint();
  const abort = new AbortController();
  const cut = await distill(neural, {
    ...short,
    checkpoint,
    checkpointEvery: 2,
    signal: abort.signal,
    onEvent: (event) => event.event === "checkpoint" && event.step >= 4 && abort.abort(),
  });
  expect(cut.stopped).toBe("interrupted");
  await expect(distill(other, { ...short, checkpoint })).rejects.toMatchObject({
    code: "checkpoint-mismatch",
  });
  await expect(distill(neural, { ...short, temperature: 3, checkpoint })).rejects.toMatchObject({
    code: "checkpoint-mismatch",
  });
  const rest = await distill(neural, { ...short, checkpoint });
  expect(serializeModel(rest.model)).toEqual(serializeModel(whole.model));
});

it("scales the widths of an architecture, and warns of a student that is not smaller than all teachers together", async () => {
  const half = scaledPreset(architectures.cnn, 0.5).architecture.embedding;
  expect(half).toMatchObject({ word: 48, affix: 48, shape: 48, characters: { width: 12 } });
  const { architecture } = scaledPreset(architectures.bilstm, 0.5);
  expect(architecture).toMatchObject({ hidden: 88, embedding: { word: 48, affix: 32, shape: 8 } });
  const short = { ...options, student: bilstm, recipe: { ...recipe, epochs: 1 } };
  const sized = async (teachers: Teacher[], studentSize: number) =>
    distill(teachers, { ...short, studentSize });
  const [small, same, together] = [
    await sized([neural], 0.5),
    await sized([neural], 1),
    await sized([neural, other], 1),
  ];
  expect(small.parameters.student).toBeLessThan(same.parameters.student);
  expect(small.warnings).toEqual([]);
  expect(same.warnings).toEqual([
    `the student has ${same.parameters.student} parameters, its teacher ${same.parameters.teacher}: it is not smaller`,
  ]);
  expect(together.parameters.teacher).toBe(2 * same.parameters.teacher);
  expect(together.warnings).toEqual([]);
});

it("an imported network of word ids cannot teach", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "teachers-")), "imported.onnx");
  await writeModelFile(
    path,
    await withTagger(neural.model, {
      kind: "sequence",
      task: "pos",
      labels: ["DET", "NOUN", "VERB"],
      words: ["", "the"],
      lowercase: true,
      unknownId: 0,
      paddingId: 0,
      padding: "never",
      probabilities: false,
    }),
  );
  await expect(openTeacher(path)).rejects.toMatchObject({
    code: "teacher",
    message: expect.stringContaining(
      "expected a transformer, bilstm or cnn, got a network of word ids",
    ) as string,
  });
});

it("opens teachers from model files of either kind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "teachers-"));
  const path = join(folder, "neural.onnx");
  await writeModelFile(path, neural.model);
  const teacher = await openTeacher(path);
  expect(teacher.settings).toEqual(neural.settings);
  expect(await shares([teacher])).toEqual(await shares([neural]));
});

describe("what cannot be distilled", () => {
  it("teachers of different kinds with different labels, both sets named", async () => {
    const strange = { ...neural, settings: { ...neural.settings, labels: ["DET", "NOUN", "X"] } };
    await expect(distill([transformer, strange], options)).rejects.toMatchObject({
      code: "teacher",
      message:
        "distill: teacher 2: labels: expected those of the first teacher (DET, NOUN, VERB), got DET, NOUN, X",
    });
  });

  it("data with other labels, no teacher, a path where nothing is", async () => {
    const train = [{ words: ["a"], labels: ["ADV"] }];
    await expect(distill(neural, { ...options, data: { ...data, train } })).rejects.toMatchObject({
      code: "teacher",
      message:
        "distill: teacher: labels: expected those of the training sentences (ADV), got DET, NOUN, VERB",
    });
    await expect(openTeachers([])).rejects.toMatchObject({
      code: "teacher",
      message: "distill: teachers: expected at least 1, got 0",
    });
    await expect(distill("nowhere.onnx", options)).rejects.toMatchObject({
      code: "teacher",
      message:
        "distill: teacher nowhere.onnx: expected a model file, or the Hugging Face directory of a token classifier, got nothing there",
    });
  });

  it.each<[Partial<DistillTaggerOptions>, string]>([
    [{ alpha: 1.5 }, "distill: alpha: expected a number in [0, 1], got 1.5"],
    [{ alpha: Number.NaN }, "distill: alpha: expected a number in [0, 1], got NaN"],
    [{ temperature: 0 }, "distill: temperature: expected a positive number, got 0"],
    [{ studentSize: -1 }, "distill: studentSize: expected a positive number, got -1"],
    [{ batchSize: 0 }, "distill: batchSize: expected a positive integer, got 0"],
  ])("%o", async (change, message) => {
    await expect(distill(neural, { ...options, ...change })).rejects.toMatchObject({
      code: "option",
      message,
    });
  });

  it("a transformer student of a neural teacher", async () => {
    await expect(distill(neural, { data })).rejects.toMatchObject({
      code: "teacher",
      message: expect.stringContaining(
        'got a neural tagger; give a student (a directory, "cnn" or "bilstm")',
      ) as string,
    });
  });
});

describe("soft targets of trainTagger", () => {
  const soft = {
    labels: ["DET", "NOUN", "VERB"],
    targets: words.map((sentence) => new Float32Array(sentence.length * 3)),
    temperature: 1,
    alpha: 0.5,
  };
  const job = { task: "pos", train: labelled, validation: labelled, architecture: cnn, recipe } as const;
  const pairs = labelled.map((sentence) => new Float32Array((sentence.words.length - 1) * 9));

  it.each<[object, string, string]>([
    [
      { soft: { ...soft, alpha: 2 } },
      "option",
      "trainTagger: soft: alpha: expected a number in [0, 1], got 2",
    ],
    [
      { soft: { ...soft, temperature: -1 } },
      "option",
      "trainTagger: soft: temperature: expected a positive number, got -1",
    ],
    [
      { soft: { ...soft, targets: [] } },
      "misaligned",
      "trainTagger: soft: targets: expected 5 (one a sentence), got 0",
    ],
    [
      { soft: { ...soft, targets: soft.targets.map(() => new Float32Array(1)) } },
      "misaligned",
      "trainTagger: soft: sentence 1 word 1: targets: expected 9 (words × labels), got 1",
    ],
    [
      { soft: { ...soft, labels: ["DET", "NOUN", "X"] } },
      "unknown-label",
      'trainTagger: train: sentence 1 word 3: label: expected one of the targets\' (DET, NOUN, X), got "VERB"',
    ],
    [
      { soft, chain: true },
      "option",
      "trainTagger: chain: expected no scores of label sequences with soft targets of words alone (they have no pairs), got chain: true",
    ],
    [
      { soft: { ...soft, pairs }, chain: false },
      "option",
      "trainTagger: chain: expected scores of label sequences with soft targets that have pairs, got chain: false",
    ],
    [
      { soft: { ...soft, pairs, temperature: 2 }, chain: true },
      "option",
      "trainTagger: soft: temperature: expected 1 with scores of label sequences, got 2",
    ],
    [
      { soft: { ...soft, pairs: pairs.slice(1) }, chain: true },
      "misaligned",
      "trainTagger: soft: pairs: expected 5 (one a sentence), got 4",
    ],
    [
      { soft: { ...soft, pairs: pairs.map(() => new Float32Array(2)) }, chain: true },
      "misaligned",
      "trainTagger: soft: sentence 1 word 1: pairs: expected 18 (words but one × labels × labels), got 2",
    ],
  ])("%#: are refused", async (change, code, message) => {
    await expect(trainTagger({ ...job, ...change })).rejects.toMatchObject({ code, message });
  });
});
