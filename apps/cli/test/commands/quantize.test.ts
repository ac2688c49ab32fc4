import { createHash } from "node:crypto";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constants, history } from "../model-contents.js";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const quantized = (output: string, ...args: string[]) =>
  shop.json(["quantize", "--model", "pos", "--output", output, ...args]);
const modelAt = (name: string): Promise<ModelProto> => readModelFile(shop.path(name));

describe.concurrent("dynamic mode", () => {
  test("the JSON document has the keys that scripts rely on, and the file is what it says", async () => {
    const result = await quantized("d.onnx", "--mode", "dynamic");
    expect(result).toMatchObject({ model: "pos", mode: "dynamic", method: "none", gate: null });
    const content = await shop.bytes("d.onnx");
    expect(result.output).toEqual({
      path: shop.path("d.onnx"),
      bytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
    });
    expect(result.tensors).toHaveLength(3);
    expect(result.tensors[0]).toEqual({
      name: expect.any(String),
      layer: "embedding.weight",
      op: expect.stringMatching(/^(Gather|MatMul)$/),
      dtype: "int8",
      granularity: expect.stringContaining("per-channel"),
      sqnrDb: expect.any(Number),
    });
    expect(result.audit.timeShares).toEqual({ int8: 1, blocks: 0, float: 0 });
    expect(result.audit).toMatchObject({ quantizedKernels: 2, floatMatMuls: 0, strayQdq: 0 });
  });

  test("is the mode without calibration, and two runs give the same bytes", async () => {
    const [one, two] = await Promise.all([quantized("same1.onnx"), quantized("same2.onnx")]);
    expect(one.mode).toBe("dynamic");
    expect(await shop.bytes("same1.onnx")).toEqual(await shop.bytes("same2.onnx"));
    expect(one.output.sha256).toBe(two.output.sha256);
  });

  test("the written file carries its tagger: it tags without anything beside it", async () => {
    await quantized("alone.onnx");
    const { stdout } = await shop.nasty(["tag", "--model", "alone.onnx"], { input: "The cat sat." });
    expect(stdout).toBe("The/DET cat/NOUN sat/VERB ./PUNCT\n");
  });

  test("--no-per-channel: one scale a weight", async () => {
    const result = await quantized("tensor.onnx", "--no-per-channel");
    expect(result.tensors.map(({ granularity }: Json) => granularity)).toEqual(Array(3).fill("per-tensor"));
    await quantized("channel.onnx", "--per-channel");
    const vectors = async (name: string) =>
      constants(await modelAt(name)).filter(({ dtype, shape }) => dtype === "float32" && shape[0] === 64);
    expect(await vectors("channel.onnx")).not.toHaveLength(0);
    expect(await vectors("tensor.onnx")).toHaveLength(0);
  });

  test("--asymmetric: zero points that are not zero; --symmetric: none", async () => {
    const points = async (name: string) =>
      constants(await modelAt(name))
        .filter(({ dtype, shape }) => dtype === "int8" && shape.length < 2)
        .flatMap(({ data }) => Array.from(data as Int8Array));
    await quantized("asymmetric.onnx", "--asymmetric");
    await quantized("symmetric.onnx", "--symmetric");
    expect((await points("asymmetric.onnx")).some((point) => point !== 0)).toBe(true);
    expect((await points("symmetric.onnx")).every((point) => point === 0)).toBe(true);
  });

  test("--reduce-range: weights within ±64", async () => {
    const largest = async (name: string) =>
      Math.max(
        ...constants(await modelAt(name))
          .filter(({ dtype, shape }) => dtype === "int8" && shape.length === 2)
          .flatMap(({ data }) => Array.from(data as Int8Array, Math.abs)),
      );
    await quantized("reduced.onnx", "--reduce-range");
    await quantized("full.onnx");
    expect(await largest("reduced.onnx")).toBeLessThanOrEqual(64);
    expect(await largest("full.onnx")).toBe(127);
  });

  test("safe pairs are the default, proven by the audit; --pairs full uses the whole range and says what that means", async () => {
    const safe = await quantized("safe.onnx");
    expect(safe.audit).toMatchObject({ unsafePairs: 0, unsafeProducts: { unsafe: 0, all: 2 } });
    expect(safe.warnings.join()).not.toContain("overflow");
    const full = await quantized("wide.onnx", "--pairs", "full");
    expect(full.audit.unsafePairs).toBeGreaterThan(0);
    expect(full.warnings.join()).toMatch(
      /\d+ pairs? of neighbouring int8 weights in \d of 2 products can overflow 16-bit sums: on processors without int8 dot products/,
    );
    expect(await shop.bytes("wide.onnx")).not.toEqual(await shop.bytes("safe.onnx"));
    expect(history(await modelAt("safe.onnx")).options).toMatchObject({ pairs: "safe" });
    const shown = async (name: string) => (await shop.nasty(["inspect", "--model", name])).stdout;
    expect(await shown("safe.onnx")).toContain(
      "2 int8 weights of products: the same integers on every processor",
    );
    expect(await shown("wide.onnx")).toContain("the file computes other numbers");
    const { integerProducts } = await shop.json(["inspect", "--model", "wide.onnx"]);
    expect(integerProducts).toEqual({ products: 2, unsafePairs: full.audit.unsafePairs });
  });

  test("a dry run says which pairs the plan allows", async () => {
    const planned = async (...args: string[]) =>
      (await shop.nasty(["quantize", "--model", "pos", "--dry-run", ...args])).stdout.split("\n")[0];
    expect(await planned()).toBe("Plan: dynamic, 3 weights, safe pairs");
    expect(await planned("--pairs", "full")).toBe(
      "Plan: dynamic, 3 weights, full pairs (exact with int8 dot products only)",
    );
    expect(await planned("--reduce-range")).toBe("Plan: dynamic, 3 weights, safe pairs");
    expect(await planned("--mode", "int4")).toBe("Plan: int4, 3 weights");
  });

  test("--op-types: only the operators named", async () => {
    const result = await quantized("gather.onnx", "--op-types", "Gather");
    expect(result.tensors.map(({ op }: Json) => op)).toEqual(["Gather"]);
  });

  test.each([
    ["an exact name of a node", "/classifier/MatMul", ["encoder.weight", "embedding.weight"]],
    ["an exact name of a weight", "classifier.weight", ["encoder.weight", "embedding.weight"]],
    ["a glob", "/enc*/**", ["classifier.weight", "embedding.weight"]],
    ["a regular expression", "/^.(encoder|classifier)./", ["embedding.weight"]],
  ])("--skip-layers with %s", async (_, pattern, left) => {
    const result = await quantized("skip.onnx", "--skip-layers", pattern);
    expect(result.tensors.map(({ name }: Json) => name).sort()).toEqual([...left].sort());
    expect(result.keptInFloat.map(({ reason }: Json) => reason)).toContain(`skipped by pattern ${pattern}`);
  });

  test("--skip-layers several times", async () => {
    const result = await quantized("skips.onnx", "--skip-layers", "/encoder/*", "--skip-layers", "/cl*/*");
    expect(result.tensors.map(({ name }: Json) => name)).toEqual(["embedding.weight"]);
  });

  test("a model without tagger is quantized, with a remark", async () => {
    await shop.write("bare.onnx", await shop.bytes("pos/onnx/model.onnx"));
    const result = await shop.json(["quantize", "--model", "bare.onnx"]);
    expect(result.output.path).toBe(shop.path("bare_int8_dynamic.onnx"));
    expect(result.warnings.join()).toContain("no tagger");
  });
});
