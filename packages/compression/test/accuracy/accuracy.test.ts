import { tensor } from "@nasty/core";
import { tensorFromProto, tensorToProto, type ModelProto } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { correctBiases, dynamic, int4, int8, migrateOutliers, saturation } from "../../src/index.js";
import { batches, outlierModel } from "../outlier-model.js";
import { agreementDb, linear, matrix, model, node, noise, ops } from "../tiny-models.js";

const outliers = outlierModel();
const fresh = batches(60, 1)[0]!.feeds;

describe("migrateOutliers", () => {
  it("changes nothing in float and makes static and dynamic int8 far better on outlier channels", async () => {
    const calibrationData = batches();
    const { model: even, activations } = await migrateOutliers(outliers, { calibrationData });
    expect(activations).toEqual(["n3"]);
    expect(await agreementDb(outliers, even, fresh)).toBeGreaterThan(100);
    // It went into the normalization: no node more.
    expect(ops(even)).toEqual(ops(outliers));
    const before = await int8.quantize(outliers, { calibrationData });
    const after = await int8.quantize(even, { calibrationData });
    expect(await agreementDb(outliers, after, fresh)).toBeGreaterThan(
      (await agreementDb(outliers, before, fresh)) + 6,
    );
    expect(await agreementDb(outliers, await dynamic.quantize(even), fresh)).toBeGreaterThan(
      (await agreementDb(outliers, await dynamic.quantize(outliers), fresh)) + 6,
    );
  });

  it("multiplies where it cannot be folded, and obeys its options", async () => {
    const x = fresh.x;
    const feeds = {
      x: tensor(
        "float32",
        x.shape,
        x.data.map((value, i) => (i % 16 === 3 ? value * 60 : value)),
      ),
    };
    const calibrationData = [{ feeds }];
    const { model: even } = await migrateOutliers(linear(), { calibrationData });
    expect(ops(even)).toEqual(["Mul", "MatMul", "Add"]);
    expect(await agreementDb(linear(), even, feeds)).toBeGreaterThan(100);
    expect((await migrateOutliers(linear(), { calibrationData, outlierRatio: 1e6 })).activations).toEqual([]);
    expect((await migrateOutliers(linear(), { calibrationData, skipLayers: ["dense"] })).activations).toEqual(
      [],
    );
    const weights = async (strength: number) =>
      tensorFromProto(
        (await migrateOutliers(linear(), { calibrationData, strength })).model.graph!.initializer.find(
          ({ name }) => name.includes("migrated"),
        )!,
      ).data;
    expect(await weights(0.8)).not.toEqual(await weights(0.5));
    await expect(migrateOutliers(linear(), { calibrationData, strength: 2 })).rejects.toMatchObject({
      message: "migrateOutliers: strength: value: expected a number in 0..1, got 2",
    });
  });

  it("keeps transposed weights transposed", async () => {
    const gemm = model({
      nodes: [
        node("Reshape", ["x", "flat"], ["r"]),
        node("Gemm", ["r", "W"], ["y"], { name: "g", attributes: { transB: 1n } }),
      ],
      initializers: [
        matrix("W", [24, 16]),
        tensorToProto(tensor("int64", [2], BigInt64Array.of(-1n, 16n)), "flat"),
      ],
    });
    const { model: even } = await migrateOutliers(gemm, {
      calibrationData: [{ feeds: fresh }],
      outlierRatio: 0,
    });
    expect(await agreementDb(gemm, even, fresh)).toBeGreaterThan(100);
  });
});

describe("correctBiases", () => {
  const x = tensor(
    "float32",
    [4, 8, 16],
    noise(4 * 8 * 16, 3, 0.2).map((value) => value + 3),
  );
  const calibrationData = [{ feeds: { x } }];
  const options = { rounding: "nearest", blockSize: 16, accuracyLevel: 1 } as const;

  it("takes away the shift that coarse weights make of inputs with a mean", async () => {
    const unbiased = model({
      nodes: [node("MatMul", ["x", "W"], ["y"], { name: "dense" })],
      initializers: [matrix("W", [16, 24])],
    });
    for (const m of [linear(), unbiased]) {
      const plan = await int4.plan(m, options);
      const corrected = await correctBiases(m, plan, { calibrationData });
      const { model: plain } = await int4.apply(m, plan);
      const { model: better } = await int4.apply(corrected.model, corrected.plan);
      expect(await agreementDb(m, better, { x })).toBeGreaterThan((await agreementDb(m, plain, { x })) + 10);
      expect(ops(better)).toEqual(["MatMulNBits", "Add"]);
    }
  });

  it("works for dynamic int8 too, and needs data", async () => {
    const plan = await dynamic.plan(linear(), { perChannel: false });
    const corrected = await correctBiases(linear(), plan, { calibrationData });
    const bias = (m: ModelProto) =>
      tensorFromProto(m.graph!.initializer.find(({ name }) => name.startsWith("b"))!).data;
    expect(bias(corrected.model)).not.toEqual(bias(linear()));
    expect((await dynamic.apply(corrected.model, corrected.plan)).report.tensors).toHaveLength(1);
    await expect(correctBiases(linear(), plan, {})).rejects.toMatchObject({ code: "no-calibration-data" });
  });
});

describe("saturation", () => {
  const constant = (value: number): ModelProto =>
    model({
      nodes: [node("MatMul", ["x", "W"], ["y"], { name: "dense" })],
      initializers: [tensorToProto(tensor("float32", [16, 24], new Float32Array(16 * 24).fill(value)), "W")],
    });
  const ones = [{ feeds: { x: tensor("float32", [1, 4, 16], new Float32Array(64).fill(1)) } }];

  it("finds every pair at the top of both ranges, and none with safe pairs or 7-bit weights", async () => {
    const m = constant(1);
    const full = await dynamic.plan(m, { pairs: "full" });
    const [row] = await saturation(m, full, { calibrationData: ones });
    expect(row).toEqual({ name: "W", node: "dense", pairs: 4 * 24 * 8, saturated: 4 * 24 * 8 });
    for (const options of [{}, { pairs: "full", reduceRange: true }] as const) {
      const [exact] = await saturation(m, await dynamic.plan(m, options), { calibrationData: ones });
      expect(exact?.saturated).toBe(0);
    }
    const [few] = await saturation(m, full, { calibrationData: ones, vectors: 1 });
    expect(few?.pairs).toBe(24 * 8);
  });
});
