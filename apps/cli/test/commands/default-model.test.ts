import { readdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { getMetadata } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { nerInt8, posFastInt8, posInt8, posTinyInt8, sampleConllu } from "@nasty/model-en";
import { nerFloat32, posFloat32 } from "@nasty/model-en-float32";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const models = { nerFloat32, nerInt8, posFastInt8, posFloat32, posInt8, posTinyInt8 };

test("tag without --model uses the embedded taggers", async () => {
  const pos = await shop.nasty(["tag"], { input: "Time flies like an arrow." });
  expect(pos).toEqual({
    code: 0,
    stdout: "Time/NOUN flies/VERB like/ADP an/DET arrow/NOUN ./PUNCT\n",
    stderr: "",
  });
  const ner = await shop.nasty(["tag", "--task", "ner"], { input: "Maria moved from Paris to Berlin." });
  expect(ner.stdout).toMatch(/ Paris\/B-LOC to\/O Berlin\/B-LOC /);
});

test.each([
  ["posFloat32", 0.97],
  ["posInt8", 0.97],
  ["posFastInt8", 0.96],
  ["posTinyInt8", 0.94],
  ["nerFloat32", 0.7],
  ["nerInt8", 0.7],
] as const)("%s tags the embedded sample", async (name, atLeast) => {
  const path = fileURLToPath(models[name]);
  const { value, tokens } = await shop.json(["eval", "--model", path, "--test", fileURLToPath(sampleConllu)]);
  expect(tokens).toBe(1944);
  expect(value).toBeGreaterThan(atLeast);
});

test.each(Object.entries(models))("%s records its licence, data and recipe", async (_, url) => {
  const model = await readModelFile(fileURLToPath(url));
  expect(getMetadata(model, "nasty.licence")).toBe("CC-BY-SA-4.0");
  expect(JSON.parse(getMetadata(model, "nasty.data") ?? "[]")[0]).toContain("UD_English-EWT");
  expect(JSON.parse(getMetadata(model, "nasty.training") ?? "{}")).toMatchObject({
    recipe: { learningRate: 0.003 },
  });
});

test("the package stays below 12 MB, the default INT8 file below 3 MB", async () => {
  const folder = fileURLToPath(new URL(".", posInt8));
  let total = 0;
  for (const name of await readdir(folder)) total += (await stat(`${folder}${name}`)).size;
  expect(total).toBeLessThan(11.7e6);
  expect((await stat(fileURLToPath(posInt8))).size).toBeLessThan(3e6);
});

test("demo without a model: compares, audits and tags with the embedded one", async () => {
  const result = await shop.json(["demo"]);
  expect(result).toMatchObject({ examples: 210, tokens: 1944, original: { metric: "accuracy" } });
  // A third of the INT8 file are words and their codes, which quantizing leaves as they are.
  expect(result.summary.sizeRatio).toBeGreaterThan(3);
  expect(Math.abs(result.summary.loss)).toBeLessThan(0.005);
  expect(result.audit.quantizedKernels).toBeGreaterThan(0);
  expect(result.tagged.map(({ label }: { label: string }) => label)).toEqual([
    "NOUN",
    "VERB",
    "ADP",
    "DET",
    "NOUN",
    "PUNCT",
  ]);
});
