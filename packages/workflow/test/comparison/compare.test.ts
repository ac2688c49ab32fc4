import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { afterAll, beforeAll, expect, test } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { conllu } from "../../../../apps/cli/test/tiny-corpus.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { compare } from "../../src/comparison/compare.js";
import { openModel } from "../../src/models/model.js";
import { quantize } from "../../src/quantization/quantize.js";
import type { ProgressEvent } from "../../src/reporter.js";
import { text } from "../../src/texts/text.js";

let folder: string;
let remove: () => Promise<void>;
const path = (...parts: string[]): string => join(folder, ...parts);
beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-compare-test"));
  await writeTinyDirectory(path("pos"));
  await writeTinyDirectory(path("fragile"), { fragile: true });
  await writeTinyDirectory(path("ner"), { task: "ner" });
  await writeFile(path("test.conllu"), conllu());
  await quantize(path("fragile"), { output: path("lossy.onnx") });
});
afterAll(() => remove());

test("two models: what `quantize eval --json` prints, and a table", async () => {
  const int8 = await quantize(path("pos"), { output: path("int8.onnx") });
  const pair = await compare([path("pos"), int8], { on: text(path("test.conllu")) });
  expect(pair).toMatchObject({
    examples: 8,
    task: "pos",
    original: { precision: "Float32", metric: "accuracy", value: 1 },
    quantized: { precision: "INT8", metric: "accuracy", value: 1, modelBytes: int8.bytes },
    summary: { loss: 0, lossCi95: [0, 0], flips: 0 },
    batchMates: { sentences: 8, flips: 0, paddedFlips: 0 },
  });
  expect(Object.keys(JSON.parse(JSON.stringify(pair.original)) as object)).toEqual([
    "precision",
    "metric",
    "value",
    "modelBytes",
    "memoryBytes",
    "msPerSentence",
  ]);
  const lines = String(pair).split("\n");
  expect(lines[0]).toMatch(
    /^Model +Precision +Accuracy +Loss, points +Labels changed +Size +Memory +Sentence/,
  );
  expect(lines.find((line) => line.startsWith(int8.path))).toMatch(/INT8 +100\.00% +0\.00 +0 /);
});

test("any number of models are compared with the first, an open one in its own session", async () => {
  const events: ProgressEvent[] = [];
  await using model = await openModel(path("pos"));
  const tagger = await model.tagger();
  const models = [model, path("lossy.onnx"), path("pos")];
  const compared = await compare(models, {
    on: path("test.conllu"),
    onProgress: (event) => events.push(event),
  });
  expect(compared.models.map((one) => one.path)).toEqual([path("pos"), path("lossy.onnx"), path("pos")]);
  const [first, lossy, same] = compared.models;
  expect(first).toMatchObject({ summary: null, batchMates: null, value: 1 });
  expect(lossy?.summary?.loss).toBeCloseTo(1 - (lossy?.value ?? 1), 12);
  expect(lossy?.summary?.flips).toBeGreaterThan(0);
  expect(same?.summary).toMatchObject({ loss: 0, flips: 0, sizeRatio: 1 });
  expect(events.map(({ step }) => step)).toContain(`tagging 8 sentences with ${path("lossy.onnx")}`);
  // The comparison leaves it open.
  expect(await model.tagger()).toBe(tagger);
  const labels: (readonly string[])[] = [];
  for await (const one of tagger.tag([["The", "cat"]])) labels.push(one);
  expect(labels).toEqual([["DET", "NOUN"]]);
});

test("labels that changed are written, of two models", async () => {
  const flips = path("flips.tsv");
  const on = path("test.conllu");
  const { summary } = await compare([path("fragile"), path("lossy.onnx")], { on, flips });
  expect((await readFile(flips, "utf8")).trimEnd().split("\n")).toHaveLength(summary.flips + 1);
  const three = [path("pos"), path("fragile"), path("lossy.onnx")];
  await expect(compare(three, { on, flips })).rejects.toThrow("flips: expected two models to compare, got 3");
});

test("one model, models of two tasks, no text and unknown options are refused", async () => {
  const on = path("test.conllu");
  await expect(compare([path("pos")], { on })).rejects.toThrow(
    "models: expected two or more to compare, got 1",
  );
  await expect(compare([path("pos"), path("ner")], { on })).rejects.toThrow(
    /ner: task: expected pos as .*pos, got ner/,
  );
  // Without a text the labels of the sample text are compared.
  expect(await compare([path("pos"), path("pos")], {})).toMatchObject({
    original: { metric: "agreement", value: 1 },
    summary: { flips: 0, agreementOf: "labels kept" },
  });
  await expect(compare([path("pos"), path("pos")], { on, test: on } as { on: string })).rejects.toThrow(
    /test: expected one of .*on, /,
  );
});

test("an abort ends the comparison", async () => {
  const stop = new AbortController();
  const work = compare([path("pos"), path("lossy.onnx")], {
    on: path("test.conllu"),
    signal: stop.signal,
    onProgress: () => stop.abort(new Error("enough")),
  });
  await expect(work).rejects.toThrow("enough");
});
