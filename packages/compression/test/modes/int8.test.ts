import type { CalibrationBatch } from "@nasty/calibration";
import { tensor } from "@nasty/core";
import { makeGraph, makeValueInfo, serializeModel } from "@nasty/formats/onnx";
import { auditModel } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { CompressionError, int8 } from "../../src/index.js";
import { agreementDb, float, int64, linear, matrix, model, node, ops } from "../tiny-models.js";

const x = { x: float([2, 5, 16], 50) };

function batches(count = 8): CalibrationBatch[] {
  return Array.from({ length: count }, (_, index) => ({ feeds: { x: float([2, 3 + index, 16], index) } }));
}

async function failure(action: Promise<unknown>): Promise<CompressionError> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CompressionError);
  return error as CompressionError;
}

describe("int8: products", () => {
  it("writes dequantized operands, which the runtime fuses into one integer kernel", async () => {
    const quantized = await int8.quantize(linear(), { calibrationData: batches() });
    expect(ops(quantized)).toEqual([
      "QuantizeLinear",
      "DequantizeLinear",
      "DequantizeLinear",
      "MatMul",
      "Add",
    ]);
    const audit = await auditModel(quantized);
    expect(audit).toMatchObject({ quantizedKernels: 1, floatMatMuls: 0, strayQdq: 0 });
    expect(await agreementDb(linear(), quantized, x)).toBeGreaterThan(28);
  });

  it("rounds an input that several products read once, with one range", async () => {
    const m = model({
      nodes: [
        node("MatMul", ["x", "A"], ["a"]),
        node("MatMul", ["x", "B"], ["b"]),
        node("Add", ["a", "b"], ["y"]),
      ],
      initializers: [matrix("A", [16, 16]), matrix("B", [16, 16], 5)],
    });
    const plan = await int8.plan(m, { calibrationData: batches() });
    expect(plan.activations.map(({ name }) => name)).toEqual(["x"]);
    const { model: quantized } = await int8.apply(m, plan);
    expect(ops(quantized).filter((op) => op === "QuantizeLinear")).toHaveLength(1);
    expect(await auditModel(quantized)).toMatchObject({ quantizedKernels: 2, strayQdq: 0 });
  });

  it("a product stays an integer kernel where its result is read by another one and given out too", async () => {
    const m = model({
      nodes: [node("MatMul", ["x", "A"], ["h"]), node("MatMul", ["h", "B"], ["y"])],
      initializers: [matrix("A", [16, 16]), matrix("B", [16, 16], 5)],
      outputs: ["h", "y"],
    });
    const quantized = await int8.quantize(m, { calibrationData: batches() });
    expect(await auditModel(quantized)).toMatchObject({ quantizedKernels: 2, floatMatMuls: 0 });
    expect(await agreementDb(m, quantized, x)).toBeGreaterThan(20);
  });

  it("takes the range from the data: other data, other scale", async () => {
    const scaleOf = async (factor: number): Promise<number> => {
      const data = batches().map(({ feeds: { x: fed = float([1]) } }) => ({
        feeds: {
          x: tensor(
            "float32",
            fed.shape,
            (fed.data as Float32Array).map((v) => v * factor),
          ),
        },
      }));
      return (await int8.plan(linear(), { calibrationData: data })).activations[0]?.scale ?? 0;
    };
    expect((await scaleOf(3)) / (await scaleOf(1))).toBeCloseTo(3, 4);
  });

  it("has activations of either type and symmetry, whatever the weights have", async () => {
    for (const activationType of ["uint8", "int8"] as const) {
      for (const activationSymmetric of [true, false]) {
        const options = { activationType, activationSymmetric, symmetric: !activationSymmetric };
        const plan = await int8.plan(linear(), { calibrationData: batches(), ...options });
        expect(plan.activations[0]).toMatchObject({ dtype: activationType, symmetric: activationSymmetric });
        const { model: quantized } = await int8.apply(linear(), plan);
        expect((await auditModel(quantized)).quantizedKernels).toBe(1);
        expect(await agreementDb(linear(), quantized, x)).toBeGreaterThan(25);
      }
    }
  });

  it("reuses measured ranges, and names the one that is missing", async () => {
    const range = { min: -2, max: 2, seenMin: -2, seenMax: 2, count: 1, masked: 0 };
    const table = {
      schemaVersion: 1,
      method: "minmax",
      parameters: {},
      samples: 1,
      tensors: { x: range },
    } as const;
    const plan = await int8.plan(linear(), { calibrationTable: table });
    expect(plan.activations[0]).toMatchObject({ min: -2, max: 2, zeroPoint: 128 });
    const error = await failure(int8.plan(linear(), { calibrationTable: { ...table, tensors: {} } }));
    expect(error).toMatchObject({ code: "missing-range", tensor: "x" });
  });

  it("refuses to guess ranges", async () => {
    const error = await failure(int8.plan(linear(), {}));
    expect(error.code).toBe("no-calibration-data");
    expect(error.message).toMatch(/^int8.plan: calibrationData: expected batches to run/);
  });

  it("works on operator sets that have no per-axis QuantizeLinear", async () => {
    const m = linear({ opset: 11, irVersion: 6 });
    const quantized = await int8.quantize(m, { calibrationData: batches() });
    expect((await auditModel(quantized)).quantizedKernels).toBe(1);
    expect(await agreementDb(m, quantized, x)).toBeGreaterThan(28);
  });
});

describe("int8: what it touches", () => {
  it("quantizes Gemm and embeddings, and nothing else", async () => {
    const m = model({
      nodes: [
        node("Gather", ["T", "ids"], ["e"]),
        node("Relu", ["e"], ["r"]),
        node("Gemm", ["r", "G", "c"], ["g"], { name: "gemm", attributes: { transB: 1 } }),
        node("Softmax", ["g"], ["y"]),
      ],
      initializers: [matrix("T", [32, 16]), matrix("G", [24, 16], 3), matrix("c", [24], 2)],
      inputs: [makeValueInfo("ids", "int64", ["length"])],
    });
    const ids = { ids: int64([1, 4, 30]) };
    const quantized = await int8.quantize(m, { calibrationData: [{ feeds: ids }] });
    expect(ops(quantized)).toEqual([
      "Gather",
      "Cast",
      "Gather",
      "Mul",
      "Relu",
      "QuantizeLinear",
      "DequantizeLinear",
      "DequantizeLinear",
      "Gemm",
      "Add",
      "Softmax",
    ]);
    expect(await auditModel(quantized)).toMatchObject({ quantizedKernels: 1, strayQdq: 0 });
    expect(await agreementDb(m, quantized, ids)).toBeGreaterThan(25);
  });

  it("leaves no stray pair where a product without bias feeds an integer product and a float node", async () => {
    const m = model({
      nodes: [
        node("MatMul", ["x", "W"], ["h"], { name: "first" }),
        node("MatMul", ["h", "V"], ["p"], { name: "second" }),
        node("Relu", ["h"], ["r"]),
        node("Add", ["p", "r"], ["y"]),
      ],
      initializers: [matrix("W", [16, 24]), matrix("V", [24, 24], 2)],
    });
    const x = { x: float([2, 6, 16]) };
    const quantized = await int8.quantize(m, { calibrationData: [{ feeds: x }] });
    expect(await auditModel(quantized)).toMatchObject({ quantizedKernels: 2, floatMatMuls: 0, strayQdq: 0 });
    expect(await agreementDb(m, quantized, x)).toBeGreaterThan(25);
  });

  it("finds an integer kernel for products of matrices with a bias as well", async () => {
    const m = linear({ inputs: [makeValueInfo("x", "float32", ["rows", 16])] });
    const quantized = await int8.quantize(m, { calibrationData: [{ feeds: { x: float([6, 16]) } }] });
    expect(await auditModel(quantized)).toMatchObject({ quantizedKernels: 1, strayQdq: 0 });
    expect(await agreementDb(m, quantized, { x: float([6, 16]) })).toBeGreaterThan(28);
  });

  it("has a kernel for a Gemm that may not lack its C: opset 10 and below", async () => {
    for (const [opset, irVersion, shape] of [
      [7, 3, [24]],
      [9, 4, [1, 24]],
      [10, 5, [6, 1]],
      [9, 4, []],
    ] as const) {
      const inputs = [makeValueInfo("x", "float32", [6, 16])];
      const initializers = [matrix("G", [24, 16], 3), matrix("c", shape, 2)];
      const nodes = [node("Gemm", ["x", "G", "c"], ["y"], { name: "gemm", attributes: { transB: 1 } })];
      const m = model({ nodes, initializers, inputs, opset, irVersion });
      const feeds = { x: float([6, 16]) };
      const quantized = await int8.quantize(m, { calibrationData: [{ feeds }] });
      expect(await auditModel(quantized)).toMatchObject({
        quantizedKernels: 1,
        floatMatMuls: 0,
        strayQdq: 0,
      });
      expect(await agreementDb(m, quantized, feeds)).toBeGreaterThan(28);
    }
  });

  it("leaves products inside subgraphs in float, with the reason", async () => {
    const branch = (name: string) =>
      makeGraph(name, {
        nodes: [node("MatMul", ["x", "W"], [`${name}_y`], { name: `${name}_dense` })],
        outputs: [makeValueInfo(`${name}_y`, "float32")],
      });
    const m = model({
      nodes: [
        node("If", ["c"], ["h"], { attributes: { then_branch: branch("yes"), else_branch: branch("no") } }),
        node("MatMul", ["x", "V"], ["y"]),
      ],
      initializers: [matrix("W", [16, 16]), matrix("V", [16, 16], 2)],
      outputs: ["y", "h"],
      inputs: [makeValueInfo("x", "float32", ["batch", "length", 16]), makeValueInfo("c", "bool", [])],
    });
    const c = tensor("bool", [], Uint8Array.of(1));
    const data = batches().map(({ feeds }) => ({ feeds: { ...feeds, c } }));
    const { keptInFloat, tensors } = await int8.plan(m, { calibrationData: data });
    expect(tensors.map(({ name }) => name)).toEqual(["V"]);
    expect(keptInFloat.map(({ name }) => name)).toEqual(["yes_dense", "no_dense"]);
    expect(keptInFloat[0]?.reason).toContain("inside a subgraph");
  });

  it("is the same twice", async () => {
    const once = async (): Promise<Uint8Array> =>
      serializeModel(await int8.quantize(linear(), { calibrationData: batches() }));
    expect(await once()).toEqual(await once());
  });
});
