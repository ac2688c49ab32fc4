import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { afterAll, beforeAll, expect, test } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { conllu } from "../../../../apps/cli/test/tiny-corpus.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { compare } from "../../src/comparison/compare.js";
import { benchmark } from "../../src/measurement/benchmark.js";
import { quantize } from "../../src/quantization/quantize.js";
import { runRecipe } from "../../src/recipes/run-recipe.js";
import { readPage } from "./reported.js";

let folder: string;
let remove: () => Promise<void>;
const path = (...parts: string[]): string => join(folder, ...parts);
beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-report-test"));
  await writeTinyDirectory(path("fragile"), { fragile: true });
  await writeFile(path("dev.conllu"), conllu());
  await quantize(path("fragile"), { output: path("lossy.onnx") });
});
afterAll(() => remove());

const report = (): string => path("report.html");
const page = async () => readPage(await readFile(report(), "utf8"), folder);
const models = (): string[] => [path("fragile"), path("lossy.onnx")];

/** Dots in a plot. */
const dotsIn = (figure: { querySelectorAll(selector: string): Iterable<unknown> }): number =>
  [...figure.querySelectorAll("svg circle")].length;

test("two models compared: sizes, accuracy, loss with its interval, every timed round, flips", async () => {
  const { summary, tokens } = await compare(models() as [string, string], {
    on: path("dev.conllu"),
    report: report(),
  });
  const shown = await page();
  expect(shown.title).toBe("Comparison with fragile");
  expect(shown.plots).toEqual(["Size", "Accuracy", "Loss of accuracy", "Latency"]);
  expect(dotsIn(shown.plot("Loss of accuracy"))).toBe(1);
  expect(dotsIn(shown.plot("Latency"))).toBe(2 * 9);
  expect(shown.texts(".flips li")).toHaveLength(summary.flips);
  expect(shown.html).toContain(`8 sentences, ${tokens} words`);
  expect(shown.fact("Command")).toBe(
    "nasty quantize eval --original fragile --quantized lossy.onnx --test dev.conllu --report report.html",
  );
});

test("three models: each against the first, and the frontier", async () => {
  await compare([...models(), path("fragile")], { on: path("dev.conllu"), report: report() });
  const shown = await page();
  expect(shown.plots).toEqual(["Size", "Accuracy", "Loss of accuracy", "Latency", "Size and accuracy"]);
  expect(shown.headings).toContain("Words with another label in lossy.onnx");
  expect(shown.html).toContain("No word changed its label.");
});

test("a benchmark: every round of every model", async () => {
  const { models: measured } = await benchmark(models(), {
    on: path("dev.conllu"),
    environment: "development",
    report: report(),
  });
  const shown = await page();
  expect(shown.plots).toEqual(["Latency", "Size"]);
  expect(dotsIn(shown.plot("Latency"))).toBe(2 * 3);
  for (const { path: name } of measured) expect(shown.texts("td")).toContain(name.slice(folder.length + 1));
  expect(shown.fact("Command")).toContain("nasty benchmark --model fragile --compare lossy.onnx");
});

test("a benchmark's report takes the place of none of its inputs, and is refused before the work", async () => {
  const on = path("dev.conllu");
  await expect(benchmark(models(), { on, report: on })).rejects.toThrow(
    `benchmark: --report ${on}: expected another file than an input`,
  );
  await expect(benchmark(models(), { on, report: path("none", "r.html") })).rejects.toThrow(
    `benchmark: --report ${path("none", "r.html")}: expected a folder`,
  );
});

test("a pipeline: the frontier has a model a step, the notes what steps said", async () => {
  const recipe =
    "data: { test: dev.conllu }\nsteps:\n  - quantize: { mode: dynamic }\n  - compress: { method: gzip }\n";
  await writeFile(path("mobile.yaml"), `model: fragile\n${recipe}`);
  const { stages } = await runRecipe(path("mobile.yaml"), { output: path("run"), report: report() });
  const shown = await page();
  expect(shown.title).toBe("Pipeline mobile.yaml");
  expect(shown.plots).toEqual(["Size and accuracy", "Size", "Accuracy", "Loss of accuracy", "Latency"]);
  expect(dotsIn(shown.plot("Size and accuracy"))).toBe(stages.length);
  expect(shown.fact("Command")).toBe("nasty pipeline mobile.yaml --output run --report report.html");
});

test("a pipeline without test text has sizes only", async () => {
  await writeFile(path("small.yaml"), "model: fragile\nsteps:\n  - quantize: { mode: dynamic }\n");
  await runRecipe(path("small.yaml"), { output: path("small"), report: report() });
  expect((await page()).plots).toEqual(["Size"]);
});
