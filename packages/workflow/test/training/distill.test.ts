import { readdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { openModel } from "../../src/models/model.js";
import type { ProgressEvent } from "../../src/reporter.js";
import { text } from "../../src/texts/text.js";
import { prune } from "../../src/pruning/prune.js";
import { distill } from "../../src/training/distill.js";
import { fineTune } from "../../src/training/fine-tune.js";
import { train, type TrainResult } from "../../src/training/train.js";
import { abortedAt, isInOrder, openTrainingFolder, type TrainingFolder } from "./folder.js";

let folder: TrainingFolder;
/** A small model that training made. */
let small: TrainResult;
beforeAll(async () => {
  folder = await openTrainingFolder();
  small = await train({
    task: "pos",
    architecture: "cnn",
    ...texts(),
    epochs: 1,
    output: folder.path("small.onnx"),
  });
});
afterAll(() => folder.remove());

const texts = () => ({
  train: text(folder.path("test.conllu")),
  validation: text(folder.path("test.conllu")),
});
const quick = (output: string) => ({
  student: "cnn",
  ...texts(),
  studentSize: 0.1,
  epochs: 2,
  batchSize: 4,
  output: folder.path(output),
});

test("a small network learns from an open model and from what was made of it", async () => {
  await using model = await openModel(folder.path("pos"));
  const pruned = await prune(model, { sparsity: 0.3, output: folder.path("pruned.onnx") });
  const events: ProgressEvent[] = [];
  const notes: string[] = [];
  const tiny = await distill([model, pruned], {
    ...quick("tiny.onnx"),
    onProgress: (event) => void events.push(event),
    onNote: (note) => void notes.push(note),
  });
  expect(tiny).toMatchObject({
    task: "pos",
    student: "cnn",
    path: folder.path("tiny.onnx"),
    passed: true,
    warnings: [
      expect.stringMatching(/^the student has \d+ parameters, its 2 teachers \d+: it is not smaller$/),
    ],
  });
  expect(notes).toEqual([`warning: ${tiny.warnings[0]}`]);
  expect(isInOrder(events)).toBe(true);
  const begun = events.filter(({ state }) => state === "begin").map(({ step }) => step);
  expect(begun).toEqual(["the teacher labels the text", "epoch 1/2", "epoch 2/2"]);
  const { value } = await evaluate(tiny, { on: folder.path("test.conllu") });
  expect(value).toBeCloseTo(tiny.value ?? -1, 6);
  await using opened = await openModel(tiny.path);
  expect(opened.history.at(-1)).toMatchObject({ step: "distill", options: { student: "cnn" } });
  // One teacher needs no list, and teaches otherwise than two.
  const one = await distill(model, quick("one.onnx"));
  expect(one.epochs).not.toEqual(tiny.epochs);
  // A student that sees noise learns something else of the same teacher.
  const noisy = await distill(model, { ...quick("noisy.onnx"), noise: 0.8 });
  expect(noisy.epochs).not.toEqual(one.epochs);
  // So does one that reads word vectors.
  await writeFile(folder.path("vectors.txt"), "the 1 0\nof 0 1\n");
  const read = await distill(model, { ...quick("read.onnx"), vectors: folder.path("vectors.txt") });
  expect(read.epochs).not.toEqual(one.epochs);
  await using last = await openModel(noisy.path);
  expect(last.history.at(-1)).toMatchObject({ step: "distill", options: { noise: { share: 0.8 } } });
});

test("ends on its signal while the teachers label, and while the student learns; the same call goes on", async () => {
  const whole = await distill(small, quick("whole.onnx"));
  const before = await folder.names();
  const early = abortedAt(({ step }) => step === "the teacher labels the text");
  await expect(distill(small, { ...quick("cut.onnx"), ...early.options })).rejects.toBe(early.reason);
  expect(await folder.names()).toEqual(before);
  const late = abortedAt(({ training }) => training?.event === "step" && training.epoch === 2);
  await expect(distill(small, { ...quick("cut.onnx"), ...late.options })).rejects.toBe(late.reason);
  expect(await folder.names()).toEqual([...before, "cut.onnx.checkpoint"].toSorted());
  const events: ProgressEvent[] = [];
  const cut = await distill(small, {
    ...quick("cut.onnx"),
    onProgress: (event) => void events.push(event),
  });
  expect(events.map(({ training }) => training?.event)).toContain("resume");
  expect(isInOrder(events)).toBe(true);
  expect(cut.output).toEqual({ ...whole.output, path: cut.path });
});

test("an encoder that is given becomes a directory; it ends on its signal too", async () => {
  const { student: _, studentSize: _size, ...given } = quick("encoder");
  const base = await fineTune(folder.path("pos"), {
    ...texts(),
    task: "pos",
    epochs: 1,
    output: folder.path("base"),
  });
  const options = { ...given, student: base.path };
  const ending = abortedAt(({ training }) => training?.event === "step" && training.epoch === 2);
  await expect(distill(small, { ...options, ...ending.options })).rejects.toBe(ending.reason);
  expect(await readdir(folder.path("encoder"))).toEqual(["checkpoint"]);
  const made = await distill(small, options);
  expect(made).toMatchObject({ student: "transformer", path: folder.path("encoder"), passed: true });
  expect(await readdir(made.path)).toContain("tokenizer.json");
});

test("options that are unknown or contradict each other are named", async () => {
  const before = await folder.names();
  const refused = (more: object) => expect(distill(small, { ...quick("no.onnx"), ...more })).rejects;
  await refused({ size: 1 }).toThrow("distill: size: expected one of teachers, student, studentSize");
  await refused({ by: "width" }).toThrow("distill: --by: expected a transformer student, got it with the");
  await refused({ student: folder.path("pos"), studentSize: undefined, noise: 0.5 }).toThrow(
    "distill: --noise: expected a student cnn or bilstm, got it with the student",
  );
  await refused({ student: folder.path("pos"), studentSize: undefined, vectors: "v.txt" }).toThrow(
    "distill: --vectors: expected a student cnn or bilstm, got it with the student",
  );
  await refused({ validation: undefined }).toThrow("distill: --validation: expected labelled text");
  await refused({ student: "cnnn", studentSize: undefined }).toThrow("expected cnn, bilstm, or a Hugging");
  await refused({ task: "ner" }).toThrow("labels: expected those of entities");
  await expect(distill([], quick("no.onnx"))).rejects.toThrow("--teacher: expected at least one model");
  expect(await folder.names()).toEqual(before);
});
