import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { sampleConllu } from "@nasty/model-en";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorkshop, startBinary, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  const sentences = (await readFile(fileURLToPath(sampleConllu), "utf8")).trimEnd().split("\n\n");
  const part = (keep: (index: number) => boolean): string =>
    `${sentences.filter((_, index) => keep(index)).join("\n\n")}\n\n`;
  await shop.write(
    "train.conllu",
    part((index) => index % 5 !== 0),
  );
  await shop.write(
    "dev.conllu",
    part((index) => index % 5 === 0),
  );
});
afterAll(() => shop.remove());

const files = ["--train", "train.conllu", "--validation", "dev.conllu"];
const train = (output: string, ...more: string[]): string[] => [
  "train",
  "--task",
  "pos",
  "--architecture",
  "cnn",
  ...files,
  "--output",
  output,
  ...more,
];

test("learns parts of speech, twice with the same bytes; the file tags and can be quantized", async () => {
  const first = await shop.json(train("a.onnx", "--epochs", "8"));
  expect(first).toMatchObject({ task: "pos", metric: "accuracy", stopped: "finished" });
  // The most frequent label alone would give about 0.2.
  expect(first.value).toBeGreaterThan(0.6);
  const second = await shop.json(train("b.onnx", "--epochs", "8"));
  expect(second.output.sha256).toBe(first.output.sha256);
  expect((await shop.bytes("a.onnx")).equals(await shop.bytes("b.onnx"))).toBe(true);

  const { value } = await shop.json(["eval", "--model", "a.onnx", "--test", "dev.conllu"]);
  expect(value).toBeCloseTo(first.value, 5);
  const quantized = await shop.json(["quantize", "--model", "a.onnx", "--output", "a_int8.onnx"]);
  expect(quantized.output.bytes).toBeLessThan(first.output.bytes / 3);
});

test("--seed, --epochs, --learning-rate and --batch-size change what is learned", async () => {
  const base = (await shop.json(train("base.onnx", "--epochs", "1"))).output.sha256;
  for (const more of [
    ["--epochs", "1", "--seed", "2"],
    ["--epochs", "2"],
    ["--epochs", "1", "--learning-rate", "0.001"],
    ["--epochs", "1", "--batch-size", "8"],
  ]) {
    const { output } = await shop.json(train(`o${more.join("")}.onnx`, ...more));
    expect(output.sha256, more.join(" ")).not.toBe(base);
  }
});

test("--engine tensorflow learns the same; the model's history says who taught it", async () => {
  const own = await shop.json(train("onnx.onnx", "--epochs", "1"));
  expect(own.engine).toBe("onnx");
  const { stdout, stderr } = await shop.nasty([
    ...train("tensorflow.onnx", "--epochs", "1", "--engine", "tensorflow"),
    "--json",
  ]);
  expect(stderr).toContain("TensorFlow.js computes on its wasm backend");
  const other = JSON.parse(stdout);
  expect(other.engine).toBe("tensorflow");
  expect(other.epochs[0].loss).toBeCloseTo(own.epochs[0].loss, 3);
  expect(other.value).toBeCloseTo(own.value, 2);
  const { history } = await shop.json(["inspect", "--model", "tensorflow.onnx"]);
  expect(JSON.stringify(history)).toContain('"engine":"tensorflow"');
});

test("learns entities", async () => {
  const result = await shop.json([
    "train",
    "--task",
    "ner",
    "--architecture",
    "cnn",
    ...files,
    "--output",
    "ner.onnx",
    "--epochs",
    "2",
  ]);
  expect(result).toMatchObject({ task: "ner", metric: "f1" });
});

test("learns a transformer with a vocabulary of its own; the file tags and can be quantized", async () => {
  const transformer = (output: string, ...more: string[]): string[] =>
    train(output, ...more).map((part) => (part === "cnn" ? "transformer" : part));
  const first = await shop.json(transformer("t.onnx", "--epochs", "2", "--batch-size", "8"));
  expect(first).toMatchObject({ architecture: "transformer", metric: "accuracy", stopped: "finished" });
  const { value } = await shop.json(["eval", "--model", "t.onnx", "--test", "dev.conllu"]);
  expect(value).toBeCloseTo(first.value, 5);
  const quantized = await shop.json(["quantize", "--model", "t.onnx", "--output", "t_int8.onnx"]);
  expect(quantized.output.bytes).toBeLessThan(first.output.bytes / 2);
  const { stdout } = await shop.nasty(["tag", "--model", "t_int8.onnx"], { input: "Time flies." });
  expect(stdout).toContain("flies");
});

test.each(["SIGKILL", "SIGINT"] as const)("a run that %s ended goes on to the same bytes", async (signal) => {
  const whole = (await shop.json(train("whole.onnx", "--epochs", "4"))).output.sha256;
  const child = startBinary(shop.folder, train("cut.onnx", "--epochs", "4"));
  let said = "";
  await new Promise<void>((resolve) => {
    child.stderr.on("data", (text: Buffer) => {
      said += text;
      if (!said.includes("epoch 2: ")) return;
      child.kill(signal);
      resolve();
    });
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code).toBe(signal === "SIGINT" ? 130 : null);
  const hint = "interrupted: give the same command again to go on from the last checkpoint";
  expect(said.includes(hint)).toBe(signal === "SIGINT");
  const { stderr, stdout } = await shop.nasty([...train("cut.onnx", "--epochs", "4"), "--json"]);
  expect(stderr).toContain("going on at epoch");
  // No file is left for the collector to close.
  expect(stderr).not.toContain("Warning");
  expect(JSON.parse(stdout).output.sha256).toBe(whole);
  expect(await readdir(shop.folder)).not.toContain("cut.onnx.checkpoint");
});

test("unusable input is named", async () => {
  await shop.write("empty.conllu", "");
  expect(
    await shop.refused(3, [
      "train",
      "--task",
      "pos",
      "--train",
      "empty.conllu",
      "--validation",
      "dev.conllu",
      "--output",
      "x.onnx",
    ]),
  ).toMatch(/empty\.conllu: sentences: expected at least 1, got 0/);
  await shop.write("odd.conllu", "1\tword\t_\tFROB\t_\t_\t0\troot\t_\t_\n\n");
  expect(
    await shop.refused(3, [
      "train",
      "--task",
      "pos",
      "--train",
      "train.conllu",
      "--validation",
      "odd.conllu",
      "--output",
      "x.onnx",
    ]),
  ).toMatch(/FROB/);
  expect(await shop.refused(3, train("nowhere/x.onnx"))).toMatch(/expected a folder/);
});

test("--language is kept in the file, also when it is quantized: raw text is cut by it", async () => {
  await shop.json(train("da.onnx", "--epochs", "1", "--language", "da"));
  await shop.json(["quantize", "--model", "da.onnx", "--output", "da_int8.onnx"]);
  await shop.json(train("unsaid.onnx", "--epochs", "1"));
  const formsOf = async (model: string): Promise<string[]> => {
    const options = ["tag", "--model", model, "--format", "jsonl"];
    const { stdout } = await shop.nasty(options, { input: "Den 3. maj kl. 8, bl.a." });
    return stdout
      .trim()
      .split("\n")
      .flatMap((line) => JSON.parse(line).words.map(({ form }: { form: string }) => form));
  };
  const danish = ["Den", "3.", "maj", "kl.", "8", ",", "bl.a."];
  expect(await formsOf("da.onnx")).toEqual(danish);
  expect(await formsOf("da_int8.onnx")).toEqual(danish);
  expect(await formsOf("unsaid.onnx")).not.toEqual(danish);
});

test("a language that is none is refused, as is one for whole texts", async () => {
  const message = await shop.refused(2, train("x.onnx", "--language", "no tag"));
  expect(message).toMatch(/--language.*xpected a BCP 47 tag such as da or en-GB/);
  const texts = ["train", "--task", "classification", ...files, "--output", "x", "--language", "da"];
  expect(await shop.refused(2, texts)).toContain("--language: expected --task pos or ner with it");
});
