import { tensor } from "@nasty/core";
import {
  copyMessage,
  intAttribute,
  makeValueInfo,
  serializeModel,
  type ModelProto,
} from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import {
  estimate,
  int4,
  predictedBytes,
  weightOnly,
  type BlockOptions,
  type QuantizationPlan,
} from "../../src/index.js";
import { agreementDb, float, int64, linear, matrix, model, node, ops, run } from "../tiny-models.js";

const wide = model({
  nodes: [
    node("MatMul", ["x", "W"], ["h"], { name: "in" }),
    node("MatMul", ["h", "V"], ["y"], { name: "out" }),
  ],
  initializers: [matrix("W", [16, 96]), matrix("V", [96, 40], 2)],
});
const feeds = { x: float([2, 5, 16]) };

const embedding = model({
  nodes: [node("Gather", ["E", "ids"], ["y"], { name: "embed" })],
  initializers: [matrix("E", [50, 48])],
  inputs: [makeValueInfo("ids", "int64", ["n"])],
});

function nbits(m: ModelProto) {
  return (m.graph?.node ?? []).filter(({ opType }) => opType === "MatMulNBits");
}

describe("int4 and weightOnly", () => {
  it.each([
    ["int4", {}, 17],
    ["int4", { symmetric: false }, 17],
    ["int4", { accuracyLevel: 1 as const, blockSize: 16 }, 17],
    ["weightOnly", {}, 40],
    ["weightOnly", { symmetric: false, blockSize: 16 }, 40],
  ] as const)("%s %o runs and agrees", async (mode, options, decibels) => {
    const quantized = await { int4, weightOnly }[mode].quantize(wide, options);
    expect(ops(quantized)).toEqual(["MatMulNBits", "MatMulNBits"]);
    expect(await agreementDb(wide, quantized, feeds)).toBeGreaterThan(decibels);
  });

  it("uses every option", async () => {
    const variants: BlockOptions[] = [
      {},
      { blockSize: 16 },
      { blockSize: 64 },
      { symmetric: false },
      { rounding: "mse" },
      { accuracyLevel: 1 },
      { skipLayers: ["out"] },
      { opTypes: ["Gemm", "MatMul", "LSTM"], minimumElements: 2000 },
    ];
    const files = new Set<string>();
    for (const options of variants)
      files.add(Buffer.from(serializeModel(await int4.quantize(wide, options))).toString("base64"));
    expect(files.size).toBe(variants.length);
    const [first] = nbits(await int4.quantize(wide, { blockSize: 64, accuracyLevel: 2 }));
    expect(first && intAttribute(first, "block_size", 0)).toBe(64);
    expect(first && intAttribute(first, "accuracy_level", 0)).toBe(2);
    expect(first && intAttribute(first, "bits", 0)).toBe(4);
    expect(ops(await int4.quantize(wide, { skipLayers: ["out"] }))).toEqual(["MatMulNBits", "MatMul"]);
  });

  it("takes Gemm with transposition, alpha, beta and bias", async () => {
    const gemm = model({
      nodes: [
        node("Gemm", ["x", "W", "b"], ["y"], {
          attributes: { transB: 1, alpha: { kind: "float", value: 0.5 }, beta: { kind: "float", value: 2 } },
        }),
      ],
      initializers: [matrix("W", [24, 32]), matrix("b", [24], 2)],
      inputs: [makeValueInfo("x", "float32", ["n", 32])],
    });
    const quantized = await weightOnly.quantize(gemm);
    expect(ops(quantized)).toEqual(["MatMulNBits", "Add"]);
    expect(await agreementDb(gemm, quantized, { x: float([3, 32]) })).toBeGreaterThan(35);
  });

  it.each([
    ["int4", 17],
    ["weightOnly", 40],
  ] as const)("%s keeps embeddings in blocks", async (mode, decibels) => {
    for (const symmetric of [true, false]) {
      const quantized = await { int4, weightOnly }[mode].quantize(embedding, { symmetric });
      expect(ops(quantized)).toEqual(["GatherBlockQuantized"]);
      expect(await agreementDb(embedding, quantized, { ids: int64([1, 49, 7]) })).toBeGreaterThan(decibels);
    }
  });

  it.each([
    ["int4", 17],
    ["weightOnly", 40],
  ] as const)(
    "%s stores the scales of larger tables in 16 bits, those of products not",
    async (mode, decibels) => {
      const { quantize } = { int4, weightOnly }[mode];
      const table = (deviation: number): ModelProto =>
        model({
          nodes: [node("Gather", ["E", "ids"], ["y"], { name: "embed" })],
          initializers: [matrix("E", [320, 64], 1, deviation)],
          inputs: [makeValueInfo("ids", "int64", ["n"])],
        });
      const product = model({
        nodes: [node("MatMul", ["x", "W"], ["y"], { name: "out" })],
        initializers: [matrix("W", [64, 320])],
        inputs: [makeValueInfo("x", "float32", ["n", 64])],
      });
      const scalesOf = (quantized: ModelProto) =>
        quantized.graph?.initializer.find(({ name }) => name.includes("scale"));
      const ids = int64([3, 319]);
      for (const symmetric of [true, false]) {
        const options = { symmetric, blockSize: 32 };
        const quantized = await quantize(table(0.5), options);
        expect(ops(quantized)).toEqual(["Cast", "GatherBlockQuantized"]);
        expect(scalesOf(quantized)?.dataType).toBe(10);
        expect(await agreementDb(table(0.5), quantized, { ids })).toBeGreaterThan(decibels);
        // Below the normal float16 numbers precision is lost, so they stay what they are.
        const tiny = await quantize(table(1e-6), options);
        expect(ops(tiny)).toEqual(["GatherBlockQuantized"]);
        expect(scalesOf(tiny)?.dataType).toBe(1);
        expect(await agreementDb(table(1e-6), tiny, { ids })).toBeGreaterThan(decibels);
        // The kernel of products needs constants, whatever the runtime folds.
        const multiplied = await quantize(product, options);
        expect(ops(multiplied)).toEqual(["MatMulNBits"]);
        expect(await agreementDb(product, multiplied, { x: float([3, 64]) })).toBeGreaterThan(decibels);
      }
    },
  );

  it("takes larger blocks for 50 million weights, unless told otherwise", async () => {
    const large = model({
      nodes: [node("MatMul", ["x", "W"], ["y"], { name: "out" })],
      initializers: [copyMessage(matrix("W", [2, 2]), { dims: [5000n, 10_000n], rawData: new Uint8Array() })],
      inputs: [makeValueInfo("x", "float32", ["n", 5000])],
    });
    const sizeOf = ({ options }: QuantizationPlan) => options["blockSize"];
    expect(sizeOf(await int4.plan(large))).toBe(64);
    expect(sizeOf(await int4.plan(large, { blockSize: 32 }))).toBe(32);
    expect(sizeOf(await int4.plan(wide))).toBe(32);
  });

  it("stores a table that an output layer is tied to once", async () => {
    const tied = model({
      nodes: [
        node("Gather", ["E", "ids"], ["h"], { name: "embed" }),
        node("Transpose", ["E"], ["Et"], { attributes: { perm: [1n, 0n] } }),
        node("MatMul", ["h", "Et"], ["y"], { name: "out" }),
      ],
      initializers: [matrix("E", [60, 64])],
      inputs: [makeValueInfo("ids", "int64", ["n"])],
    });
    const quantized = await int4.quantize(tied);
    expect(ops(quantized)).toEqual(["Reshape", "GatherBlockQuantized", "MatMulNBits"]);
    expect(serializeModel(quantized).length).toBeLessThan(60 * 64);
    expect(await agreementDb(tied, quantized, { ids: int64([3, 59]) })).toBeGreaterThan(15);
  });

  it("leaves an odd row, an LSTM of 8 bits and a convolution in float, and says so", async () => {
    const odd = model({
      nodes: [node("Gather", ["E", "ids"], ["y"], { name: "embed" })],
      initializers: [matrix("E", [50, 33])],
      inputs: [makeValueInfo("ids", "int64", ["n"])],
    });
    expect((await int4.plan(odd)).keptInFloat[0]?.reason).toBe(
      "rows of 33 elements do not fill whole bytes of 4 bits",
    );
    expect((await weightOnly.plan(odd)).tensors).toHaveLength(1);
    expect((await int4.plan(wide, { blockSize: 256 })).warnings.join()).toContain(
      "blocks of 256 do not fit 2 weights",
    );
  });

  it("error compensation needs data, uses it, and beats rounding where inputs are correlated", async () => {
    // Every input is the first one, a little changed.
    const rows = Array.from({ length: 64 }, (_, r) => {
      const first = Math.sin(r * 1.7) * 2;
      return Array.from({ length: 16 }, (_, k) => first + 0.1 * Math.cos(r * 3.1 + k));
    });
    const x = tensor("float32", [1, 64, 16], Float32Array.from(rows.flat()));
    const calibrationData = [{ feeds: { x } }];
    await expect(int4.quantize(linear(), { rounding: "gptq" })).rejects.toMatchObject({
      code: "no-calibration-data",
      message: "int4.apply: calibrationData: expected batches to run the float model on, got none",
    });
    const options = { accuracyLevel: 1, blockSize: 16 } as const;
    const nearest = await agreementDb(linear(), await int4.quantize(linear(), options), { x });
    const compensated = await int4.quantize(linear(), { ...options, rounding: "gptq", calibrationData });
    expect(await agreementDb(linear(), compensated, { x })).toBeGreaterThan(nearest + 6);
    const cut = await int4.quantize(linear(), {
      ...options,
      rounding: "gptq",
      calibrationData,
      budgetBytes: 1,
    });
    expect(serializeModel(cut)).toEqual(serializeModel(compensated));
  });

  it("leaves padding out of the compensation", async () => {
    const x = float([2, 4, 16], 9);
    const padded = x.data.slice();
    padded.fill(1e4, 4 * 16 + 16);
    const mask = tensor("uint8", [2, 4], Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 0));
    const options = { rounding: "gptq", blockSize: 16 } as const;
    const make = async (data: Float32Array) =>
      serializeModel(
        await int4.quantize(linear(), {
          ...options,
          calibrationData: [{ feeds: { x: tensor("float32", [2, 4, 16], data) }, mask }],
        }),
      );
    expect(await make(padded)).toEqual(await make(x.data));
  });

  it("refuses options that mean nothing, and weights that are no numbers", async () => {
    await expect(int4.plan(wide, { blockSize: 48 })).rejects.toThrow(
      "int4.plan: blockSize: value: expected 16, 32, 64, 128 or 256, got 48",
    );
    await expect(weightOnly.plan(wide, { rounding: "up" as "mse" })).rejects.toThrow(
      "weightOnly.plan: rounding: value: expected nearest, mse, gptq, got up",
    );
    const broken = linear();
    const weight = broken.graph?.initializer[0];
    if (weight) weight.rawData = new Uint8Array(weight.rawData).fill(255, 0, 4);
    await expect(int4.quantize(broken)).rejects.toMatchObject({ code: "not-finite", tensor: "W" });
  });

  it("predicts the file to the byte", async () => {
    const table = model({
      nodes: [node("Gather", ["E", "ids"], ["y"], { name: "embed" })],
      initializers: [matrix("E", [320, 64])],
      inputs: [makeValueInfo("ids", "int64", ["n"])],
    });
    for (const m of [wide, embedding, linear(), table]) {
      for (const symmetric of [true, false]) {
        const written = serializeModel(await int4.quantize(m, { symmetric })).length;
        expect(predictedBytes(m, await int4.plan(m, { symmetric }))).toBe(written);
        expect(estimate(m, { int4: { symmetric } }).sizes.int4.bytes).toBe(written);
      }
      expect(estimate(m).sizes.weightOnly.bytes).toBe(serializeModel(await weightOnly.quantize(m)).length);
    }
  });

  it("is deterministic and leaves the original alone", async () => {
    const before = serializeModel(wide);
    const first = serializeModel(await int4.quantize(wide));
    expect(serializeModel(await int4.quantize(wide))).toEqual(first);
    expect(serializeModel(wide)).toEqual(before);
    expect((await run(wide, feeds))["y"]?.shape).toEqual([2, 5, 40]);
  });
});
