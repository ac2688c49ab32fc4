import { readFile, stat, writeFile } from "node:fs/promises";
import { readModelFile } from "@nasty/formats/onnx/node";
import { readTaggerSettings } from "@nasty/taggers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { openModel } from "../../src/models/model.js";
import type { ProgressEvent } from "../../src/reporter.js";
import { text } from "../../src/texts/text.js";
import { train } from "../../src/training/train.js";
import { abortedAt, isInOrder, openTrainingFolder, type TrainingFolder } from "./folder.js";

let folder: TrainingFolder;
beforeAll(async () => {
  folder = await openTrainingFolder();
});
afterAll(() => folder.remove());

/** Options of a short training. */
function quick(output: string) {
  return {
    task: "pos",
    architecture: "cnn",
    train: text(folder.path("test.conllu")),
    validation: folder.path("test.conllu"),
    epochs: 3,
    batchSize: 4,
    learningRate: 0.02,
    output: folder.path(output),
  } as const;
}

test("writes a tagger, says how far it is, and returns a model for the next operation", async () => {
  const events: ProgressEvent[] = [];
  const result = await train({ ...quick("a.onnx"), onProgress: (event) => void events.push(event) });
  expect(result).toMatchObject({
    task: "pos",
    architecture: "cnn",
    engine: "onnx",
    stopped: "finished",
    passed: true,
    path: folder.path("a.onnx"),
    output: { path: folder.path("a.onnx"), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  expect(result.bytes).toBe((await stat(result.path)).size);
  expect(result.epochs).toHaveLength(3);
  expect(isInOrder(events)).toBe(true);
  const begun = events.filter(({ state }) => state === "begin").map(({ step }) => step);
  expect(begun).toEqual(["epoch 1/3", "epoch 2/3", "epoch 3/3"]);
  const steps = events.filter(({ training }) => training?.event === "step");
  expect(steps.map(({ done, total }) => `${done}/${total}`)).toEqual(
    [1, 2, 3].flatMap(() => ["1/3", "2/3", "3/3"]),
  );
  const { value } = await evaluate(result, { on: folder.path("test.conllu") });
  expect(value).toBeCloseTo(result.value ?? -1, 6);
});

test("ends on its signal with nothing but the checkpoint, and the same call goes on to the same bytes", async () => {
  const whole = await train(quick("whole.onnx"));
  const before = await folder.names();
  const { reason, options: ending } = abortedAt(
    ({ training }) => training?.event === "step" && training.epoch === 2,
  );
  await expect(train({ ...quick("cut.onnx"), ...ending })).rejects.toBe(reason);
  expect(await folder.names()).toEqual([...before, "cut.onnx.checkpoint"].toSorted());
  const resumed: unknown[] = [];
  const result = await train({
    ...quick("cut.onnx"),
    onProgress: ({ training }) => void (training?.event === "resume" && resumed.push(training)),
  });
  // The step under way was the first of its epoch, and is not done again.
  expect(resumed).toEqual([{ event: "resume", epoch: 2, step: 4 }]);
  expect(result.output.sha256).toBe(whole.output.sha256);
  expect(await folder.names()).toEqual([...before, "cut.onnx"].toSorted());
});

test("a signal that comes with the last epoch leaves the old file as it was", async () => {
  await train({ ...quick("old.onnx"), epochs: 1 });
  const old = await readFile(folder.path("old.onnx"));
  const { reason, options: ending } = abortedAt(
    ({ training }) => training?.event === "epoch" && training.epoch === 3,
  );
  await expect(train({ ...quick("old.onnx"), ...ending })).rejects.toBe(reason);
  expect(old.equals(await readFile(folder.path("old.onnx")))).toBe(true);
  await expect(train({ ...quick("x.onnx"), signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(await folder.names()).not.toContain("x.onnx");
});

test("the quantized file of a training for quantization is a model too", async () => {
  const made = await train({ ...quick("q.onnx"), qat: { bits: 4, blockSize: 16 } });
  expect(made.qat).toMatchObject({ bits: 4, activations: "float", path: folder.path("q_qat.onnx") });
  if (made.qat?.passed !== true) throw new Error("the quantized file was not kept");
  await using model = await openModel(made.qat.path);
  expect(model.bytes).toBe(made.qat.bytes);
  expect(model.history.at(-1)).toMatchObject({ step: "quantize" });
  expect((await evaluate(made.qat, { on: folder.path("test.conllu") })).value).toBe(made.qat.value);
});

test("noise makes another model, and is in its history", async () => {
  const still = await train(quick("still.onnx"));
  const noisy = await train({ ...quick("noisy.onnx"), noise: 0.5 });
  expect(noisy.epochs).not.toEqual(still.epochs);
  await using model = await openModel(noisy.path);
  expect(model.history.at(-1)).toMatchObject({ options: { noise: { share: 0.5 } } });
});

test("word vectors travel in the model, and are in its history", async () => {
  const vectors = folder.path("vectors.txt");
  await writeFile(vectors, "the 1 0 0\nof 0 1 0\nzymurgy 0.5 0.5 1\n");
  const plain = await train(quick("plain.onnx"));
  for (const architecture of ["cnn", "bilstm"] as const) {
    const made = await train({ ...quick("vectors.onnx"), architecture, vectors, vectorWords: 2 });
    expect(made.epochs).not.toEqual(plain.epochs);
    await using model = await openModel(made.path);
    expect(model.history.at(-1)).toMatchObject({
      options: { vectorWords: 2 },
      data: { vectors: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    const settings = await readTaggerSettings(await readModelFile(made.path));
    expect(settings).toMatchObject({ features: { codes: { words: ["of", "the"], books: 4 } } });
  }
});

test("hidden words of raw text are learned first, and the text is in the history", async () => {
  const pretrain = folder.path("raw.txt");
  await writeFile(
    pretrain,
    "The cat sat on the mat. The dog sat on the cat. A dog saw the mat and the cat.\n",
  );
  const plain = await train(quick("plain.onnx"));
  const events: ProgressEvent[] = [];
  const options = {
    pretrain,
    pretrainEpochs: 2,
    onProgress: (event: ProgressEvent) => void events.push(event),
  };
  const made = await train({ ...quick("pretrained.onnx"), ...options });
  expect(made.epochs).not.toEqual(plain.epochs);
  expect(made.pretraining?.losses).toHaveLength(2);
  expect(made.pretraining?.sentences).toBeGreaterThan(3);
  expect(plain).not.toHaveProperty("pretraining");
  const begun = events.filter(({ state }) => state === "begin").map(({ step }) => step);
  expect(begun).toEqual([
    "reading the text of the pretraining",
    "pretraining, epoch 1/2",
    "pretraining, epoch 2/2",
    "epoch 1/3",
    "epoch 2/3",
    "epoch 3/3",
  ]);
  expect((await folder.names()).filter((name) => name.startsWith("pretrained"))).toEqual(["pretrained.onnx"]);
  await using model = await openModel(made.path);
  expect(model.history.at(-1)).toMatchObject({
    options: { pretrainEpochs: 2 },
    data: { pretrain: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
});

test("options that are unknown, wrong or contradict each other are named", async () => {
  await writeFile(folder.path("blank.txt"), "\n");
  const before = await folder.names();
  const refused = (more: object) => expect(train({ ...quick("no.onnx"), ...more } as never)).rejects;
  await refused({ epoch: 3 }).toThrow("train: epoch: expected one of task, train, validation");
  await refused({ epochs: 0 }).toThrow("train: epochs: expected a whole number of 1 or more, got 0");
  await refused({ task: undefined }).toThrow("train: task: expected a value");
  await refused({ noise: 2 }).toThrow("train: noise: expected a number from 0 to 1, got 2");
  await refused({ noise: 0.5, architecture: "transformer" }).toThrow(
    "train: --noise: expected it with --architecture bilstm or cnn, got it with transformer",
  );
  await refused({ noise: 0.5, architecture: undefined, task: "classification" }).toThrow(
    "train: --noise: expected --task pos or ner with it, got classification",
  );
  await refused({ vectorWords: 9 }).toThrow("train: --vector-words: expected it with --vectors FILE, got 9");
  await refused({ vectors: "v.txt", architecture: "transformer" }).toThrow(
    "train: --vectors: expected it with --architecture bilstm or cnn, got it with transformer",
  );
  await refused({ vectors: "v.txt", architecture: undefined, task: "classification" }).toThrow(
    "train: --vectors: expected --task pos or ner with it, got classification",
  );
  await refused({ pretrainEpochs: 2 }).toThrow(
    "train: --pretrain-epochs: expected it with --pretrain FILE, got 2",
  );
  await refused({ pretrain: "raw.txt", architecture: "transformer" }).toThrow(
    "train: --pretrain: expected it with --architecture bilstm or cnn, got it with transformer",
  );
  await refused({ pretrain: folder.path("absent.txt") }).toThrow("absent.txt");
  await refused({ pretrain: folder.path("blank.txt") }).toThrow("blank.txt");
  await refused({ vectors: folder.path("test.conllu") }).toThrow("parseVectors: ");
  await refused({ vectors: folder.path("absent.txt") }).toThrow("absent.txt");
  await refused({ qat: { bits: 6 } }).toThrow("train: qat.bits: expected 8 or 4, got 6");
  await refused({ qat: { size: 6 } }).toThrow("train: qat.size: expected one of bits, blockSize, start");
  await refused({ qat: 4 }).toThrow("train: qat: expected true, false or an object");
  await refused({ output: folder.path("test.conllu") }).toThrow("expected another file than an input");
  await refused({ train: text(folder.path("test.conllu"), { sentences: 3 }) }).toThrow("got 3");
  expect(await folder.names()).toEqual(before);
});
