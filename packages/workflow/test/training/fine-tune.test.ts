import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { openModel } from "../../src/models/model.js";
import type { ProgressEvent } from "../../src/reporter.js";
import { text } from "../../src/texts/text.js";
import { fineTune } from "../../src/training/fine-tune.js";
import { abortedAt, isInOrder, openTrainingFolder, type TrainingFolder } from "./folder.js";

let folder: TrainingFolder;
beforeAll(async () => {
  folder = await openTrainingFolder();
});
afterAll(() => folder.remove());

function quick(output: string) {
  return {
    task: "pos",
    train: text(folder.path("test.conllu")),
    validation: text(folder.path("test.conllu")),
    epochs: 2,
    batchSize: 4,
    learningRate: 0.02,
    output: folder.path(output),
  } as const;
}

test("an open model becomes a directory that is a model", async () => {
  await using base = await openModel(folder.path("pos"));
  const events: ProgressEvent[] = [];
  const tuned = await fineTune(base, { ...quick("tuned"), onProgress: (event) => void events.push(event) });
  expect(tuned).toMatchObject({ task: "pos", path: folder.path("tuned"), passed: true, engine: "onnx" });
  expect(tuned.bytes).toBe(Object.values(tuned.output.files).reduce((sum, { bytes }) => sum + bytes, 0));
  expect(isInOrder(events)).toBe(true);
  const { value } = await evaluate(tuned, { on: folder.path("test.conllu") });
  expect(value).toBeCloseTo(tuned.value ?? -1, 6);
});

test("ends on its signal with nothing but the checkpoint, and the same call goes on to the same bytes", async () => {
  const whole = await fineTune(folder.path("pos"), quick("whole"));
  const { reason, options: ending } = abortedAt(
    ({ training }) => training?.event === "step" && training.epoch === 2,
  );
  await expect(fineTune(folder.path("pos"), { ...quick("cut"), ...ending })).rejects.toBe(reason);
  expect(await readdir(folder.path("cut"))).toEqual(["checkpoint"]);
  const tuned = await fineTune(folder.path("pos"), quick("cut"));
  expect(tuned.output.files).toEqual(whole.output.files);
  expect(await readdir(folder.path("cut"))).not.toContain("checkpoint");
});

test("a quantized file that is not what was trained is a result that did not pass; the float model is there", async () => {
  const { validation: _, ...unjudged } = quick("unlike");
  const tuned = await fineTune(folder.path("pos"), { ...unjudged, qat: true, minCosine: 1 });
  expect(tuned.passed).toBe(false);
  expect(tuned.qat).toMatchObject({ passed: false, path: null, refusal: expect.stringContaining("cosine") });
  expect(await readdir(folder.path("unlike/onnx"))).toEqual(["model.onnx"]);
  const test = folder.path("test.conllu");
  expect((await evaluate(tuned, { on: test })).tokens).toBeGreaterThan(0);
  await expect(evaluate(tuned.qat as never, { on: test })).rejects.toThrow(
    "eval: model: expected a model that was written, got one, which its gate refused",
  );
});

test("what an option changes arrives", async () => {
  const plain = await fineTune(folder.path("pos"), quick("plain"));
  const losses = async (more: object) =>
    (await fineTune(folder.path("pos"), { ...quick("other"), ...more })).epochs.map(({ loss }) => loss);
  for (const more of [{ keepHead: false }, { freezeEmbeddings: true }, { seed: 2 }]) {
    expect(await losses(more), JSON.stringify(more)).not.toEqual(plain.epochs.map(({ loss }) => loss));
  }
});

test("options that are unknown or contradict each other are named", async () => {
  const before = await folder.names();
  const { validation: _, ...unjudged } = quick("no");
  const refused = (more: object) => expect(fineTune(folder.path("pos"), { ...unjudged, ...more })).rejects;
  await refused({ layers: 3 }).toThrow("fine-tune: layers: expected one of model, task, train");
  await refused({ patience: 2 }).toThrow("--patience: expected --validation to find the best epoch on");
  await refused({ output: folder.path("pos") }).toThrow("expected another folder than the model's");
  await expect(fineTune({ path: folder.path("test.conllu") }, unjudged)).rejects.toThrow(
    "expected a Hugging Face directory, got a file; export the model",
  );
  await expect(fineTune({} as never, unjudged)).rejects.toThrow("fine-tune: model: expected a path");
  expect(await folder.names()).toEqual(before);
  expect(await readFile(folder.path("pos/config.json"), "utf8")).toContain("id2label");
});
