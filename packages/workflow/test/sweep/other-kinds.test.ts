import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sweep } from "../../src/index.js";
import { jsonLines, topicTexts, writeTextDirectory } from "../tiny-texts.js";

let folder: string;
let remove: () => Promise<void>;
const path = (...parts: string[]): string => join(folder, ...parts);

beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-sweep-kinds-test"));
  await writeTextDirectory(path("topics"), "classifier");
  await writeTextDirectory(path("fragile"), "encoder", { fragile: true });
  const texts = topicTexts(40);
  await writeFile(path("topics.jsonl"), jsonLines(texts));
  await writeFile(path("texts.jsonl"), jsonLines(texts.map(({ text }) => ({ text }))));
});
afterAll(() => remove());

async function run(model: string, validation: string, workers: number) {
  const recipes = "sweep:\n  - quantize: { mode: [dynamic, static, int4], min-cosine: -1 }\n";
  const data = `data: { calibration: texts.jsonl, validation: ${validation} }\n`;
  await writeFile(path(`${model}.yaml`), `model: ${model}\n${data}${recipes}`);
  return sweep(path(`${model}.yaml`), { output: path(`${model}-${workers}`), rungs: 2, workers, maxLoss: 1 });
}

it("judges a classifier by its accuracy", async () => {
  const { metric, frontier, value } = await run("topics", "topics.jsonl", 1);
  expect(metric).toBe("accuracy");
  expect(frontier.map(({ group }) => group).sort()).toEqual(["dynamic", "int4", "static"]);
  for (const one of frontier) expect(one.loss).toBeCloseTo(value - one.value, 12);
});

it("judges an encoder by its agreement with the original, and takes what its own gate refuses for refused", async () => {
  const { metric, value, frontier, recipes } = await run("fragile", "texts.jsonl", 2);
  expect([metric, value]).toEqual(["agreement", 1]);
  for (const one of frontier) expect(one.loss).toBeCloseTo(1 - one.value, 12);
  const int4 = recipes.find(({ group }) => group === "int4");
  expect(int4?.rungs.at(-1)?.loss).toBeGreaterThan(0);
  for (const { group, ended } of recipes) {
    if (ended !== null) expect([group !== "int4", ended.reason]).toEqual([true, "refused"]);
  }
});
