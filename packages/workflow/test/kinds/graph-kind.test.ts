import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { type Tensor, tensor } from "@nasty/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compare } from "../../src/comparison/compare.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { benchmark } from "../../src/measurement/benchmark.js";
import { openModel } from "../../src/models/model.js";
import { quantize } from "../../src/quantization/quantize.js";
import { frames, voice, width } from "../tiny-graph.js";
import { jsonLines } from "../tiny-texts.js";

let folder: string;
let remove: () => Promise<void>;
const path = (...parts: string[]): string => join(folder, ...parts);
beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-graph-kind-test"));
  await writeModelFile(path("voice.onnx"), voice());
  await writeModelFile(path("loud.onnx"), voice({ factor: 2 }));
  await writeFile(path("frames.jsonl"), jsonLines(frames));
  await using model = await openModel(path("voice.onnx"));
  expect(model.kind).toBe("graph");
  const labelled: unknown[] = [];
  for (const { input, state } of frames) {
    const feeds = {
      input: tensor("float32", [1, width], Float32Array.from(input[0] ?? [])),
      state: tensor("float32", [1, width], Float32Array.from(state[0] ?? [])),
    };
    const { scores } = await model.run(feeds, ["scores"]);
    const said = [...((scores as Tensor).data as Float32Array)];
    labelled.push({ input, state, label: said.indexOf(Math.max(...said)) });
  }
  await writeFile(path("labelled.jsonl"), jsonLines(labelled));
});
afterAll(() => remove());

test.each(["static", "dynamic", "int4", "weight-only"] as const)(
  "%s: a graph is calibrated and gated on its inputs",
  async (mode) => {
    const result = await quantize(path("voice.onnx"), {
      mode,
      ...(mode === "static" && { calibration: path("frames.jsonl"), method: "percentile" as const }),
      gate: { on: path("frames.jsonl"), maxDrift: mode === "int4" ? 0.1 : 0.02 },
      output: path(`voice_${mode}.onnx`),
    });
    expect(result).toMatchObject({ passed: true, drift: { inputs: "text" }, batchMates: null });
    expect(result.gate).toMatchObject({ metric: "agreement", agreementOf: "cosine" });
    const names = result.gate?.agreement?.outputs?.map(({ name }) => name);
    expect(names).toEqual(["scores", "stateN"]);
    for (const { maxError, meanError, cosineP01, top1 } of result.gate?.agreement?.outputs ?? []) {
      expect(maxError).toBeGreaterThan(0);
      expect(meanError).toBeLessThan(maxError);
      expect(cosineP01).toBeGreaterThan(mode === "int4" ? 0 : 0.9);
      expect(top1).toBeGreaterThan(mode === "int4" ? 0.2 : 0.5);
    }
  },
);

test("calibration changes the ranges, and without any a graph is judged on inputs that are made", async () => {
  await writeFile(
    path("loud.jsonl"),
    jsonLines(frames.map(({ input, state }) => ({ input: [input[0]?.map((x) => 50 * x)], state }))),
  );
  const plan = (file: string) =>
    quantize.plan(path("voice.onnx"), { mode: "static", calibration: path(file) });
  const [quiet, loud] = [await plan("frames.jsonl"), await plan("loud.jsonl")];
  const largest = (made: typeof quiet): number => Math.max(...made.plan.activations.map(({ max }) => max));
  expect(largest(loud)).toBeGreaterThan(10 * largest(quiet));
  const made = await quantize(path("voice.onnx"), { gate: { maxDrift: 0.05 }, output: path("made.onnx") });
  expect(made.gate).toMatchObject({ metric: "agreement", passed: true });
  const refused = await quantize(path("voice.onnx"), {
    gate: { on: path("frames.jsonl"), maxDrift: 0, fallback: false },
    output: path("refused.onnx"),
  });
  expect(refused.passed).toBe(false);
  expect(await readdir(folder)).not.toContain("refused.onnx");
});

test("labels of samples give accuracy, which the gate searches for and sensitivity measures", async () => {
  expect(await evaluate(path("voice.onnx"), { on: path("labelled.jsonl") })).toMatchObject({
    kind: "graph",
    metric: "accuracy",
    value: 1,
    sentences: 30,
  });
  const gated = await quantize(path("voice.onnx"), {
    gate: { on: path("labelled.jsonl"), maxLoss: 0 },
    output: path("exact.onnx"),
  });
  expect(gated.gate).toMatchObject({ metric: "accuracy", original: 1, target: 0 });
  // Only what loses nothing passes; until then weights were left in float one after the other.
  expect(gated.passed ? gated.gate?.quantized : (gated.gate?.attempts ?? 0) > 1).toBe(
    gated.passed ? 1 : true,
  );
  const { sensitivity } = await quantize.plan(path("voice.onnx"), {
    sensitivity: true,
    gate: { on: path("labelled.jsonl") },
  });
  expect(sensitivity?.map(({ loss }) => typeof loss)).toEqual(["number", "number"]);
});

test("compared and timed with and without data; a layer with doubled scales is refused and named", async () => {
  const int8 = await quantize(path("voice.onnx"), { output: path("int8.onnx") });
  const pair = await compare([path("voice.onnx"), int8], { on: path("frames.jsonl"), maxDrift: 0.02 });
  expect(pair).toMatchObject({
    kind: "graph",
    examples: 30,
    passed: true,
    original: { metric: "agreement", value: 1 },
  });
  expect(pair.quantized.value).toBe(pair.agreement);
  expect((await compare([path("voice.onnx"), int8], { maxDrift: 0 })).passed).toBe(false);
  const planted = await quantize(path("loud.onnx"), { output: path("planted.onnx") });
  await expect(compare([path("voice.onnx"), planted], {})).rejects.toThrow(
    /planted\.onnx: layer \/first\/MatMul \(MatMul\): expected values of the original's size, got [12]\.\d+ times/,
  );
  const timed = await benchmark(path("voice.onnx"), {
    on: path("frames.jsonl"),
    batchSize: 4,
    environment: "development",
  });
  expect(timed).toMatchObject({
    sentences: 30,
    words: null,
    models: [{ kind: "graph", tokensPerSecond: null }],
  });
});
