import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { conllu, sentences } from "../../../../apps/cli/test/tiny-corpus.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { quantize, type QuantizeOptions } from "../../src/quantization/quantize.js";
import { quantizationHtml } from "../../src/report/html/quantization-html.js";
import { text } from "../../src/texts/text.js";
import { type ReadPage, readPage } from "./reported.js";

let folder: string;
let remove: () => Promise<void>;
const path = (...parts: string[]): string => join(folder, ...parts);
beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-report-test"));
  await writeTinyDirectory(path("pos"));
  await writeTinyDirectory(path("fragile"), { fragile: true });
  await writeFile(path("dev.conllu"), conllu());
});
afterAll(() => remove());

async function reportOf(model: string, options: QuantizeOptions) {
  const result = await quantize(path(model), {
    output: path("q.onnx"),
    report: path("report.html"),
    ...options,
  });
  return { result, page: readPage(await readFile(path("report.html"), "utf8"), folder) };
}

const on = text("dev.conllu").path;
const wholePlots = [
  "Size",
  "Accuracy",
  "Loss of accuracy",
  "Signal to noise of the weights",
  "Signal to noise of the outputs",
  "Loss of the metric",
  "Ranges of activations",
];

describe("a gated static quantization with everything measured", () => {
  let page: ReadPage;
  let result: Awaited<ReturnType<typeof quantize>>;
  beforeAll(async () => {
    ({ page, result } = await reportOf("fragile", {
      calibration: path(on),
      method: "percentile",
      percentile: 90,
      sensitivity: true,
      gate: { on: path(on), maxLoss: 0.99, fallback: false },
    }));
  });

  test("has every plot, with a histogram for each activation", () => {
    expect(page.plots.slice(0, wholePlots.length)).toEqual(wholePlots);
    const histograms = page.plots.slice(wholePlots.length);
    expect(histograms.length).toBeGreaterThan(1);
    // The cut is marked by a line at either end of the range, and said in numbers.
    for (const title of histograms) {
      const figure = page.plot(title);
      const [cut] = [...figure.querySelectorAll('svg [stroke-dasharray="3 2"]')];
      expect([...(cut?.querySelectorAll("line") ?? [])]).toHaveLength(2);
      expect(figure.querySelector("small")?.textContent).toMatch(/^-?[\d.]+ to [\d.]+, [\d.]+% cut off$/);
    }
  });

  test("weights are called by their layers, in the order of the graph", () => {
    const figure = page.plot("Signal to noise of the weights");
    const names = [...figure.querySelectorAll("title")].map(({ textContent }) => textContent);
    expect(names).toEqual(result.tensors.map(({ layer }) => layer));
    for (const { sqnrDb } of result.tensors) {
      expect(figure.textContent).toContain(sqnrDb === null ? "exact" : `${sqnrDb.toFixed(1)} dB`);
    }
    const ranked = [...page.plot("Signal to noise of the outputs").querySelectorAll("title")];
    expect(ranked.map(({ textContent }) => textContent)).toEqual(
      result.sensitivity?.map(({ nodes }) => nodes[0]),
    );
  });

  test("each changed word stands in its sentence, with both labels and the right one", () => {
    const flips = page.texts(".flips li");
    expect(flips).toHaveLength(result.gate?.flips ?? 0);
    expect(flips.length).toBeGreaterThan(0);
    const [shown = ""] = page.texts(".flips li p");
    expect(sentences).toContain(shown);
    expect(flips[0]).toMatch(/\w+ → \w+ gold \w+; sentence \d+, word \d+$/);
    for (const word of page.texts(".flips mark")) expect(sentences.join(" ").split(" ")).toContain(word);
  });

  test("says what made it: when, by which command, on what", () => {
    expect(page.fact("Command")).toBe(
      "nasty quantize --model fragile --calibration dev.conllu --method percentile --percentile 90 " +
        "--target-accuracy-loss 0.99 --validation dev.conllu --no-fallback --sensitivity --report report.html --output q.onnx",
    );
    expect(page.fact("Date")).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
    expect(page.fact("Versions")).toMatch(/^Nasty \d.*ONNX Runtime \d.*Node \d/);
    expect(page.fact("Processor")).toContain("1 thread");
    expect(page.title).toBe("Quantization of fragile");
    expect(page.fact("SHA-256")).toBe(result.output?.sha256);
  });
});

test("what was not measured has no plot and no heading", async () => {
  const { page } = await reportOf("pos", { mode: "dynamic" });
  expect(page.plots).toEqual(["Size", "Signal to noise of the weights"]);
  expect(page.headings).not.toContain("Activations");
  expect(page.headings).not.toContain("Words that changed their label");
});

test("ranges of a saved table have no histograms", async () => {
  const table = path("ranges.json");
  await quantize(path("pos"), {
    calibration: path(on),
    saveCalibrationTable: table,
    output: path("q.onnx"),
  });
  const { page } = await reportOf("pos", { calibrationTable: table });
  expect(page.plots).toEqual(["Size", "Signal to noise of the weights", "Ranges of activations"]);
});

test("the file is the same with a report as without one", async () => {
  const without = await quantize(path("pos"), { calibration: path(on), output: path("q.onnx") });
  const { result } = await reportOf("pos", { calibration: path(on) });
  expect(result.output?.sha256).toBe(without.output?.sha256);
});

test("a refused model has its report: that is where it is asked why", async () => {
  const { page, result } = await reportOf("fragile", {
    gate: { on: path(on), maxLoss: 0.01, fallback: false },
  });
  expect(result.output).toBeNull();
  expect(page.fact("Written")).toBe("nothing: the gate refused the model");
  expect(page.plots).toEqual(["Size", "Accuracy", "Loss of accuracy", "Signal to noise of the weights"]);
  // Dashed: the largest loss that would have passed.
  expect(page.plot("Loss of accuracy").outerHTML).toContain('stroke-dasharray="4 3"');
});

test("names, words and labels are text, whatever they hold", async () => {
  const { result } = await reportOf("pos", { mode: "dynamic" });
  const hostile = `</svg></title><script>alert("1")</script><img src=x onerror='alert(2)'>&amp;`;
  const tensors = result.tensors.map((one) => ({ ...one, layer: hostile, op: hostile }));
  const settings = {
    model: hostile,
    output: hostile,
    report: hostile,
    calibration: [],
    skipLayers: [hostile],
    inputFormat: [],
    perChannel: true,
    fallback: true,
    seed: 1,
    threads: 1,
  };
  const html = await quantizationHtml({
    result: {
      ...result,
      audit: null,
      model: hostile,
      tensors,
      warnings: [hostile],
      keptInFloat: [{ name: hostile, op: hostile, reason: hostile }],
      sensitivity: [
        {
          group: hostile,
          tensors: [hostile],
          nodes: [hostile],
          op: "MatMul",
          elements: 1,
          outputNoise: 0.1,
          loss: 0.1,
        },
      ],
    },
    settings,
    activations: [
      {
        name: hostile,
        min: -1,
        max: 1,
        seen: { min: -2, max: 2 },
        bins: { from: -2, width: 1, counts: [1, 2, 2, 1] },
      },
    ],
    flipped: {
      flips: [{ sentence: 0, word: 1, original: hostile, changed: hostile }],
      sentences: [{ words: ["a", hostile], labels: ["X", hostile] }],
    },
  });
  const page = readPage(html, folder);
  // The last part of a path is what it is called by.
  const shown = hostile.slice(hostile.lastIndexOf("/") + 1);
  expect(page.title.endsWith(shown)).toBe(true);
  expect(page.texts(".flips mark")).toEqual([hostile]);
  expect(page.texts("li").at(-1)).toBe(hostile);
  for (const title of ["Signal to noise of the weights", "Ranges of activations"]) {
    expect(page.plot(title).querySelector("svg title")?.textContent).toBe(hostile);
  }
});
