import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const files = ["--task", "pos", "--train", "test.conllu", "--validation", "test.conllu"];

test("fine-tunes an encoder into a directory that can be evaluated", async () => {
  const tuned = await shop.json([
    "fine-tune",
    "--model",
    "pos",
    ...files,
    "--output",
    "tuned",
    "--epochs",
    "3",
    "--learning-rate",
    "0.02",
  ]);
  expect(tuned).toMatchObject({ task: "pos", metric: "accuracy", stopped: "finished" });
  expect((await readdir(shop.path("tuned"))).toSorted()).toEqual([
    "config.json",
    "onnx",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  const { value } = await shop.json(["eval", "--model", "tuned", "--test", "test.conllu"]);
  expect(value).toBeCloseTo(tuned.value, 6);
  const { history } = await shop.json(["inspect", "--model", "tuned/onnx/model.onnx"]);
  expect(JSON.stringify(history)).toContain("fine-tune");

  const barely = ["--epochs", "1", "--learning-rate", "1e-9", ...files];
  const more = (...args: string[]) =>
    shop.json(["fine-tune", "--model", "tuned", "--output", "again", ...barely, ...args]);
  expect((await more()).value).toBeCloseTo(tuned.value, 6);
  expect((await more("--no-keep-head")).value).toBeLessThan(tuned.value);
  const others = (await shop.bytes("test.conllu")).toString("utf8").replaceAll("\tNOUN\t", "\tTHING\t");
  await shop.write("others.conllu", others);
  const refusal = await shop.nasty([
    "fine-tune",
    "--model",
    "tuned",
    "--output",
    "none",
    "--keep-head",
    "--task",
    "pos",
    "--train",
    "others.conllu",
  ]);
  expect(refusal.code).toBe(3);
  expect(refusal.stderr).toContain("keepHead: labels of the base: expected all of");
});

test("--engine tensorflow tunes to the same", async () => {
  const run = (output: string, ...more: string[]) =>
    shop.json(["fine-tune", "--model", "pos", ...files, "--output", output, "--epochs", "1", ...more]);
  const own = await run("by-onnx");
  const other = await run("by-tensorflow", "--engine", "tensorflow");
  expect([own.engine, other.engine]).toEqual(["onnx", "tensorflow"]);
  expect(other.epochs[0].loss).toBeCloseTo(own.epochs[0].loss, 3);
  expect(other.value).toBeCloseTo(own.value, 2);
});

test("refuses to write over the model it reads, and a bad text; no empty folder is left", async () => {
  expect(await shop.refused(3, ["fine-tune", "--model", "pos", ...files, "--output", "pos"])).toContain(
    "expected another folder than the model's",
  );
  const bad = await shop.write("bad.conllu", "1\tThe\t_\n");
  const refused = (train: string): Promise<string> =>
    shop.refused(3, ["fine-tune", "--model", "pos", "--task", "pos", "--train", train, "--output", "new/er"]);
  expect(await refused(bad)).toContain("line 1");
});
