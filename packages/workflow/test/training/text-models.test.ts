import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { openModel } from "../../src/models/model.js";
import type { ProgressEvent } from "../../src/reporter.js";
import { text } from "../../src/texts/text.js";
import { fineTune } from "../../src/training/fine-tune.js";
import { train } from "../../src/training/train.js";
import { writeRandomEncoder } from "../random-models.js";
import { abortedAt, isInOrder, openTrainingFolder, type TrainingFolder } from "./folder.js";

let folder: TrainingFolder;
beforeAll(async () => {
  folder = await openTrainingFolder();
  await writeRandomEncoder(folder.path("encoder"), { safetensors: true });
  await writeRandomEncoder(folder.path("still"), { safetensors: true, dropout: 0 });
  await writeFile(
    folder.path("films.jsonl"),
    lines(({ text, label }) => JSON.stringify({ text, label })),
  );
  await writeFile(
    folder.path("films.tsv"),
    lines(({ text, label }) => `${text}\t${label}`),
  );
  await writeFile(
    folder.path("vectors.jsonl"),
    lines(({ text }) => JSON.stringify({ text, vector: vectorOf(text) })),
  );
});
afterAll(() => folder.remove());

const things = ["film", "book", "river", "door"];
const films = Array.from({ length: 16 }, (_, i) => ({
  text: `the ${things[i % 4]} was ${i % 2 === 0 ? "good" : "bad"}${i % 3 === 0 ? " and old" : ""}.`,
  label: i % 2 === 0 ? "yes" : "no",
}));
const lines = (line: (film: (typeof films)[number]) => string): string =>
  films.map((one) => `${line(one)}\n`).join("");
const vectorOf = (of: string, width = 32): number[] =>
  Array.from({ length: width }, (_, i) => Math.sin(i * (of.includes("good") ? 1 : 2)));

function quick(output: string, file = "films.jsonl") {
  return {
    train: text(folder.path(file)),
    validation: text(folder.path(file)),
    epochs: 8,
    batchSize: 4,
    learningRate: 0.01,
    output: folder.path(output),
  } as const;
}

describe("classifiers of texts", () => {
  test.each(["films.jsonl", "films.tsv"])("are learned from %s, and written as a directory", async (file) => {
    const events: ProgressEvent[] = [];
    const options = { ...quick(`from-${file}`, file), task: "classification" } as const;
    const tuned = await fineTune(folder.path("encoder"), {
      ...options,
      onProgress: (event) => void events.push(event),
    });
    expect(tuned).toMatchObject({
      task: "classification",
      labels: ["no", "yes"],
      width: null,
      metric: "accuracy",
      value: 1,
      macroF1: 1,
      passed: true,
      path: folder.path(`from-${file}`),
      drift: { inputs: "text", outputs: [{ name: "logits", finite: true }] },
    });
    expect(tuned.bytes).toBe(Object.values(tuned.output.files).reduce((sum, { bytes }) => sum + bytes, 0));
    expect(isInOrder(events)).toBe(true);
    const config = JSON.parse(await readFile(`${tuned.path}/config.json`, "utf8")) as object;
    expect(config).toMatchObject({
      architectures: ["BertForSequenceClassification"],
      id2label: { 0: "no", 1: "yes" },
    });
    expect(await readdir(tuned.path)).not.toContain("checkpoint");
    const judged = await evaluate(tuned, { on: folder.path(file) });
    expect(judged).toMatchObject({ metric: "accuracy", value: tuned.value });
    // The model file carries its labels and tokenizer: it can be moved alone.
    await copyFile(`${tuned.path}/onnx/model.onnx`, folder.path(`alone-${file}.onnx`));
    await using model = await openModel(folder.path(`alone-${file}.onnx`));
    for await (const { label } of model.classify("the door was good.")) expect(label).toBe("yes");
  });

  test("end on their signal with nothing but the checkpoint, and the same call goes on to the same bytes", async () => {
    const task = "classification";
    const whole = await fineTune(folder.path("encoder"), { ...quick("whole"), task });
    const { reason, options } = abortedAt(
      ({ training }) => training?.event === "step" && training.epoch === 2,
    );
    await expect(fineTune(folder.path("encoder"), { ...quick("cut"), task, ...options })).rejects.toBe(
      reason,
    );
    expect(await readdir(folder.path("cut"))).toEqual(["checkpoint"]);
    const tuned = await fineTune(folder.path("encoder"), { ...quick("cut"), task });
    expect(tuned.output.files).toEqual(whole.output.files);
  });

  test("are trained from random weights, on the pieces of their own texts", async () => {
    const made = await train({
      ...quick("made"),
      validation: folder.path("films.jsonl"),
      task: "classification",
      epochs: 3,
      learningRate: 0.001,
    });
    expect(made).toMatchObject({ labels: ["no", "yes"], stopped: "finished" });
    expect(made.epochs.at(-1)?.loss).toBeLessThan(made.epochs[0]?.loss ?? 0);
    const tokenizer = JSON.parse(await readFile(`${made.path}/tokenizer.json`, "utf8")) as {
      model: { vocab: object };
    };
    expect(Object.keys(tokenizer.model.vocab)).toEqual(expect.arrayContaining(["good", "bad", "."]));
  });
});

test("both engines compute the same losses of texts", async () => {
  for (const [task, file] of [
    ["classification", "films.jsonl"],
    ["embedding", "vectors.jsonl"],
  ] as const) {
    const losses = async (engine: "onnx" | "tensorflow"): Promise<number[]> => {
      const options = { ...quick(`${task}-${engine}`, file), task, engine, epochs: 1 } as const;
      // Dropout draws other numbers in each engine: none of it.
      return (await fineTune(folder.path("still"), options)).epochs.map(({ loss }) => loss);
    };
    const [first, second] = [await losses("onnx"), await losses("tensorflow")];
    first.forEach((loss, i) => expect(second[i]).toBeCloseTo(loss, 4));
  }
});

test("encoders of texts are learned from vectors, and are as wide as these", async () => {
  const options = { ...quick("sentences", "vectors.jsonl"), task: "embedding" } as const;
  const tuned = await fineTune(folder.path("encoder"), { ...options, epochs: 30 });
  expect(tuned).toMatchObject({
    task: "embedding",
    labels: null,
    width: 32,
    metric: "cosine",
    macroF1: null,
  });
  expect(tuned.value).toBeGreaterThan(0.9);
  expect(Object.keys(tuned.output.files)).toContain("1_Pooling/config.json");
  await using model = await openModel(tuned.path);
  const [film] = films;
  for await (const vector of model.embed(film?.text ?? "")) {
    const wanted = vectorOf(film?.text ?? "");
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      Array.from(a, (x, i) => x * (b[i] ?? 0)).reduce((sum, x) => sum + x, 0);
    expect(dot(vector, wanted) / Math.sqrt(dot(vector, vector) * dot(wanted, wanted))).toBeGreaterThan(0.9);
  }
  await writeFile(
    folder.path("narrow.jsonl"),
    lines(({ text: of }) => JSON.stringify({ text: of, vector: vectorOf(of, 6) })),
  );
  const narrow = { ...quick("narrow", "narrow.jsonl"), validation: folder.path("narrow.jsonl") };
  const made = await train({ ...narrow, task: "embedding", epochs: 1 });
  expect(made.width).toBe(6);
});

test("what cannot be learned from is refused with its line, and nothing is written", async () => {
  const before = [...(await folder.names()), "bad.jsonl"].toSorted();
  const refused = async (content: string, task: "classification" | "embedding" = "classification") => {
    await writeFile(folder.path("bad.jsonl"), content);
    return expect(fineTune(folder.path("encoder"), { ...quick("no", "bad.jsonl"), task })).rejects;
  };
  const bad = `read ${folder.path("bad.jsonl")}: line`;
  const good = '{"text": "a", "label": "x"}\n';
  await (await refused(`${good}{"text": "b"}\n`)).toThrow(`${bad} 2: label: expected one label, got none`);
  await (await refused(`${good}\n{"text": 3, "label": "x"}\n`)).toThrow(
    `${bad} 3: text: expected a text, got 3`,
  );
  await (await refused(`${good}{"text": "b", "label"\n`)).toThrow(`${bad} 2: expected {"text": …`);
  await (await refused(`${good}[1]\n`)).toThrow('line 2: expected {"text": …}, got [1]');
  await (await refused(`${good}{"txt": "b"}\n`)).toThrow(`${bad} 2: text: expected {"text": …}, got txt`);
  await (await refused(`${good}{"text": "b", "label": ["x"]}\n`)).toThrow(
    'label: expected one label, got ["x"]',
  );
  await (await refused("prose without labels.\n")).toThrow(`${bad} 1: expected {"text": …}`);
  await (await refused("\n")).toThrow("texts: expected at least 1, got 0");
  await (await refused(good, "embedding")).toThrow(`${bad} 1: vector: expected a list of numbers, got none`);
  await (await refused('{"text": "a", "vector": ["x"]}', "embedding")).toThrow(
    "vector: expected a list of numbers",
  );
  await (await refused('{"text": "a", "vector": [1, 2]}', "embedding")).toThrow(
    "expected 32 numbers (the width of",
  );
  const wide = `${good}{"text": "a", "text_pair": "b", "label": "y"}\n`;
  await (await refused(wide)).toThrow(
    "train: line 2: expected one text as in the first of training, got a pair",
  );
  expect(await folder.names()).toEqual(before);
});

test("options that say something of taggers alone are refused", async () => {
  const refused = (more: object) =>
    expect(fineTune(folder.path("encoder"), { ...quick("no"), task: "classification", ...more })).rejects;
  await refused({ qat: true }).toThrow(
    "fine-tune: --qat: expected --task pos or ner with it, got classification",
  );
  await refused({ scheme: "IOB2" }).toThrow("fine-tune: --scheme: expected --task pos or ner with it");
  await refused({ inputFormat: ["plain"] }).toThrow("--input-format: expected --task pos or ner with it");
  await refused({ task: "embedding", keepHead: true }).toThrow("--keep-head: expected --task pos, ner or");
  await expect(
    train({
      ...quick("no"),
      validation: folder.path("films.jsonl"),
      task: "classification",
      architecture: "cnn",
    }),
  ).rejects.toThrow("train: --architecture: expected transformer for --task classification, got cnn");
});
