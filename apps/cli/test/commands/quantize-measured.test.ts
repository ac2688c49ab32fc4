import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { observed } from "../observed.js";
import { writeTinyDirectory } from "../tiny-tagger.js";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeTinyDirectory(shop.path("fragile"), { fragile: true });
  await writeTinyDirectory(shop.path("padded"), { loudPadding: true });
  await writeTinyDirectory(shop.path("outlier"), { outlier: true });
});
afterAll(() => shop.remove());

const validation = ["--validation", "test.conllu"];
const gated = ["--target-accuracy-loss", "0.01", ...validation];
const calibration = ["--calibration", "test.conllu"];
// Models that are made to lose: without a gate they would be refused for their drift.
const quantized = (model: string, ...args: string[]) =>
  shop.json(["quantize", "--model", model, "--output", `${model}_q.onnx`, "--min-cosine", "-1", ...args]);

describe("--flips", () => {
  test("is the list that quantize eval writes, also of a model that was refused", async () => {
    const ended = await shop.nasty([
      ..."quantize --model fragile --output no.onnx --no-fallback --json --flips refused.tsv".split(" "),
      ...gated,
    ]);
    expect(ended.code).toBe(4);
    const made = await quantized("fragile", "--flips", "flips.tsv", ...validation);
    const evaluated = "quantize eval --original fragile --test test.conllu --flips eval.tsv --quantized";
    const { summary } = await shop.json([...evaluated.split(" "), "fragile_q.onnx"]);
    const lines = (await shop.bytes("flips.tsv")).toString();
    expect(lines.trimEnd().split("\n")).toHaveLength(1 + summary.flips);
    expect(made.gate).toMatchObject({ flips: summary.flips, target: null, loss: summary.loss });
    expect((await shop.bytes("eval.tsv")).toString()).toBe(lines);
    expect((await shop.bytes("refused.tsv")).toString()).toBe(lines);
  });

  test("needs text to compare on, and a run that tags it", async () => {
    const args = ["quantize", "--model", "pos", "--output", "no.onnx", "--flips", "no.tsv"];
    expect(await shop.refused(2, args)).toContain("--flips: expected --validation FILE");
    expect(await shop.refused(2, [...args, ...gated, "--dry-run"])).toContain(
      "--flips: expected no --dry-run",
    );
  });
});

describe("--sensitivity", () => {
  test("ranks by noise with calibration text, in JSON and in the plan, in any mode", async () => {
    const { sensitivity } = await quantized("outlier", "--sensitivity", ...calibration);
    expect(sensitivity).toHaveLength(3);
    expect(sensitivity[0]).toEqual({
      group: "encoder.weight",
      tensors: ["encoder.weight"],
      nodes: ["/encoder/MatMul"],
      op: "MatMul",
      elements: 64 * 64,
      outputNoise: expect.any(Number),
      loss: null,
    });
    expect(sensitivity[0].outputNoise).toBeGreaterThan(100 * sensitivity[1].outputNoise);
    expect((await quantized("outlier", ...calibration)).sensitivity).toBeNull();
    const before = await readdir(shop.folder);
    const dry = await shop.nasty([
      ..."quantize --model outlier --mode int4 --dry-run --sensitivity".split(" "),
      ...calibration,
    ]);
    expect(dry.stdout).toContain("Most sensitive weights, each quantized alone");
    expect(dry.stdout).toMatch(/^\/encoder\/MatMul +MatMul +\d+\.\d$/m);
    expect(await readdir(shop.folder)).toEqual(before);
  });

  test("measures the loss with validation text, within the time budget, and reports it", async () => {
    const args = ["--sensitivity", ...validation, "--report", "s.html"];
    const { sensitivity, gate } = await quantized("fragile", ...args);
    expect(gate).toBeNull();
    expect(sensitivity[0]).toMatchObject({ group: "embedding.weight" });
    expect(sensitivity[0].loss).toBeGreaterThan(0.5);
    expect(sensitivity.slice(1).map(({ loss }: Json) => loss)).toEqual([0, 0]);
    const html = (await shop.bytes("s.html")).toString();
    expect(html).toContain("Sensitivity: each weight quantized alone");
    expect(html).toContain(`<td>${(100 * sensitivity[0].loss).toFixed(3)}</td>`);
    const hasty = await quantized("fragile", ...args, "--time-budget", "0");
    expect(hasty.sensitivity.map(({ loss }: Json) => loss)).toEqual([null, null, null]);
  });

  test("needs text", async () => {
    const args = ["quantize", "--model", "pos", "--output", "no.onnx", "--sensitivity"];
    expect(await shop.refused(2, args)).toContain("expected --calibration FILE or --validation FILE");
  });
});

test("a planted outlier channel: the gate fails, the one weight behind it stays in float, and the report says so", async () => {
  const args = ["--mode", "static", ...calibration, ...gated];
  const failed = await shop.nasty([
    ..."quantize --model outlier --output no.onnx --no-fallback".split(" "),
    ...args,
  ]);
  expect(failed.code).toBe(4);
  const { gate, sensitivity, audit } = await quantized("outlier", ...args, "--report", "o.html");
  expect(gate).toMatchObject({ passed: true, quantized: 1, keptInFloat: ["encoder.weight"], attempts: 2 });
  expect(sensitivity[0].group).toBe("encoder.weight");
  expect(audit).toMatchObject({ quantizedKernels: 1, floatMatMuls: 1 });
  expect((await shop.bytes("o.html")).toString()).toContain("encoder.weight (2 tried)");
});

describe("what shares a run", () => {
  test("labels that padding changes are counted, with any text", async () => {
    const skip = ["--skip-layers", "/embedding/*"];
    const loud = await quantized("padded", ...skip, "--mode", "dynamic", ...gated);
    expect(loud.batchMates).toMatchObject({ sentences: 8, words: 53 });
    expect(loud.gate.passed).toBe(true);
    expect(loud.batchMates.paddedFlips).toBeGreaterThan(20);
    const { batchMates } = await shop.json(
      "quantize eval --original padded --test test.conllu --quantized padded_q.onnx".split(" "),
    );
    expect(batchMates).toEqual(loud.batchMates);
    const still = await quantized("padded", ...skip, ...calibration);
    expect(still.batchMates).toMatchObject({ words: 53, flips: 0, paddedFlips: 0 });
    expect((await quantized("pos")).batchMates).toBeNull();
  });
});

test("--threads reaches every session: calibration, sensitivity, the gate and the audit", async () => {
  const args = ["quantize", "--model", "pos", "--output", "threads.onnx", "--sensitivity"];
  const { sessions } = await observed(shop, [...args, ...calibration, ...gated, "--threads", "2"]);
  expect(sessions.length).toBeGreaterThan(6);
  expect(new Set(sessions)).toEqual(new Set([2]));
});
