import { readdir } from "node:fs/promises";
import { trainTransformer, writeFineTuned } from "@nasty/tagger-training";
import { afterAll, beforeAll, expect, test } from "vitest";
import { observed } from "../observed.js";
import { sentences } from "../tiny-corpus.js";
import { lexicon } from "../tiny-tagger.js";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
/** What a run without further options gives: first.onnx. */
let first: Json;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("more.txt", "The big cat ran . A dog slept in Paris .\n");
  const labelled = sentences.map((text) => {
    const words = text.split(" ");
    return { words, labels: words.map((word) => lexicon.find(([form]) => form === word)?.[1] ?? "X") };
  });
  const size = { layers: 2, hidden: 16, heads: 2, intermediate: 16, vocabulary: 60 };
  const recipe = { epochs: 1, batchSize: 8 };
  await writeFineTuned(
    shop.path("bert"),
    await trainTransformer({ task: "pos", train: labelled, validation: labelled, size, recipe }),
  );
  first = await plain([], "first.onnx");
}, 60_000);
afterAll(() => shop.remove());

const files = ["--train", "test.conllu", "--validation", "test.conllu"];
const quick = [
  ...files,
  "--student",
  "cnn",
  "--student-size",
  "0.1",
  "--epochs",
  "2",
  "--learning-rate",
  "0.01",
];

/** Losses of the epochs: they tell one teaching from another. */
const losses = ({ epochs }: Json): number[] => epochs.map(({ loss }: Json) => loss);

const plain = (extra: readonly string[], output: string): Promise<Json> =>
  shop.json(["distill", "--teacher", "pos", ...quick, "--output", output, ...extra]);

test("a small network learns from a transformer, and the file says from which", async () => {
  const result = first;
  expect(result).toMatchObject({ task: "pos", student: "cnn", metric: "accuracy", stopped: "finished" });
  expect(result.output.path).toBe(shop.path("first.onnx"));
  const { value } = await shop.json(["eval", "--model", "first.onnx", "--test", "test.conllu"]);
  expect(value).toBeCloseTo(result.value, 6);
  const { history } = await shop.json(["inspect", "--model", "first.onnx"]);
  expect(history.at(-1)).toMatchObject({
    step: "distill",
    options: {
      student: "cnn",
      studentSize: 0.1,
    },
    data: {
      teacher: [expect.stringMatching(/^[0-9a-f]{64}$/)],
      train: expect.stringMatching(/^[0-9a-f]{64}$/),
      validation: expect.any(String),
    },
  });
  expect(await readdir(shop.folder)).not.toContain("first.onnx.checkpoint");
});

test.each([
  ["--teacher", "first.onnx"],
  ["--unlabelled", "more.txt"],
  ["--temperature", "5"],
  ["--alpha", "1"],
  ["--seed", "2"],
  ["--batch-size", "2"],
  ["--learning-rate", "0.001"],
])("%s %s changes what is learned", async (...change) => {
  expect(losses(await plain(change, "other.onnx"))).not.toEqual(losses(first));
});

test("--threads reaches the teachers and the training, of a network and of an encoder", async () => {
  const one = ["--epochs", "1", "--threads", "2", ...files];
  const students = [
    [0, ["--teacher", "pos", "--student", "cnn", "--student-size", "0.1", "--output", "threads.onnx"]],
    [1, ["--teacher", "bert", "--output", "threads"]],
  ] as const;
  for (const [others, student] of students) {
    const { sessions } = await observed(shop, ["distill", ...student, ...one]);
    // A directory is opened once more before it takes its place, to see that it can be.
    const working = sessions.filter((threads) => threads === 2);
    expect(working.length).toBeGreaterThan(4);
    expect(sessions.length - working.length).toBe(others);
  }
});

test("--patience ends a training that gets no better, of a network and of an encoder", async () => {
  const still = ["--epochs", "6", "--learning-rate", "1e-9", "--patience", "1"];
  const network = await plain(still, "patience.onnx");
  const encoder = await shop.json([
    ..."distill --teacher bert --output patience".split(" "),
    ...files,
    ...still,
  ]);
  for (const { stopped, epochs } of [network, encoder]) {
    expect(stopped).toBe("patience");
    expect(epochs).toHaveLength(2);
  }
});

test("a student is as large as asked, of the teacher's kind unless said, with a warning if it is not smaller", async () => {
  const common = ["distill", "--teacher", "pos", ...files, "--epochs", "1"];
  const sized = (...extra: string[]): Promise<Json> =>
    shop.json([...common, "--output", "sized.onnx", ...extra]);
  const half = await sized("--student", "cnn", "--student-size", "0.5");
  const whole = await sized("--student", "cnn");
  expect(half.parameters.student).toBeLessThan(0.6 * whole.parameters.student);
  expect(whole.warnings).toEqual([expect.stringContaining("it is not smaller")]);
  const { student } = await sized("--student", "bilstm", "--student-size", "0.1");
  expect(student).toBe("bilstm");
  const twice = ["distill", "--teacher", "sized.onnx", "--epochs", "1", "--output", "again.onnx"];
  const again = await shop.json([...twice, ...files]);
  expect(again.student).toBe("bilstm");
});

test("an encoder learns from a network and a transformer", async () => {
  const both = ["distill", "--teacher", "pos", "--teacher", "first.onnx", "--epochs", "1"];
  const result = await shop.json([...both, "--student", "bert", "--output", "encoder", ...files]);
  expect(result).toMatchObject({ student: "transformer", task: "pos" });
  expect(await readdir(shop.path("encoder"))).toContain("tokenizer.json");
});

test("a transformer's student has half its layers, or half its width", async () => {
  const made = (name: string, ...extra: string[]): Promise<Json> =>
    shop.json(["distill", "--teacher", "bert", ...files, "--epochs", "1", "--output", name, ...extra]);
  const config = async (name: string): Promise<Json> =>
    JSON.parse(String(await shop.bytes(`${name}/config.json`)));
  const deep = await made("deep");
  expect(await config("deep")).toMatchObject({ num_hidden_layers: 1, hidden_size: 16 });
  await made("wide", "--by", "width");
  expect(await config("wide")).toMatchObject({ num_hidden_layers: 2, hidden_size: 8 });
  await made("large", "--student-size", "1");
  expect(await config("large")).toMatchObject({ num_hidden_layers: 2, hidden_size: 16 });
  expect(losses(await made("seen", "--hidden", "1"))).not.toEqual(losses(deep));
});

const run = (code: number, ...args: string[]): Promise<string> =>
  shop.refused(code, ["distill", "--output", "out", ...args]);
const cnn = ["--teacher", "pos", "--student", "cnn", ...files];

test("wrong usage leaves no file and no folder", async () => {
  expect(await run(2, ...files)).toContain("--teacher: expected at least one model");
  expect(await run(2, "--teacher", "pos", "--student", "cnn", "--train", "test.conllu")).toContain(
    "--validation: expected labelled text",
  );
  expect(await run(2, ...cnn, "--by", "width")).toContain("--by: expected a transformer student");
  expect(await run(2, ...cnn, "--hidden", "1")).toContain("--hidden: expected a transformer student");
  expect(await run(2, "--teacher", "pos", "--student", "bert", "--student-size", "0.3", ...files)).toContain(
    "--student-size: expected a student that is made smaller",
  );
  expect(await run(2, ...cnn, "--alpha", "2")).toContain("--alpha");
});

test("unusable input leaves no file and no folder", async () => {
  expect(await run(3, ...cnn, "--task", "ner")).toContain(
    "distill: teacher 1: labels: expected those of entities, such as B-PER, I-PER and O, got DET",
  );
  expect(await run(3, ...cnn, "--teacher", "ner")).toMatch(
    /teacher 2: labels: expected those of the first teacher \(ADJ, .*\), got B-LOC, /,
  );
  expect(await run(3, "--teacher", "nowhere", ...files)).toContain("teacher nowhere: expected a model file");
  expect(await run(3, "--teacher", "pos", "--student", "cnnn", ...files)).toContain(
    "expected cnn, bilstm, or a Hugging Face directory",
  );
  expect(await run(3, "--teacher", "pos", "--student", "cnn", ...files, "--train", "-")).toContain(
    "distill: standard input: expected a file",
  );
  // No width in its config.json, of which half could be taken: found out when the work has begun.
  expect(await run(3, "--teacher", "pos", ...files)).toContain("hidden_size");
  expect(await shop.refused(3, ["distill", ...cnn, "--output", "pos"])).toContain(
    "expected a file, got a folder",
  );
  expect(
    await shop.refused(3, ["distill", "--teacher", "bert", ...files, "--output", "test.conllu/small"]),
  ).toContain("expected a folder that can be made, got a file at");
});
