import { makeValueInfo, serializeModel } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { dynamic, estimate, predictedBytes } from "../src/index.js";
import { linear, matrix, model, node } from "./tiny-models.js";

describe("estimate", () => {
  const wide = model({
    nodes: [
      node("MatMul", ["x", "W"], ["h"], { name: "in" }),
      node("MatMul", ["h", "V"], ["y"], { name: "out" }),
    ],
    initializers: [matrix("W", [16, 512]), matrix("V", [512, 64], 2)],
  });

  it("says what dynamic quantization then writes, to the byte", () => {
    for (const m of [wide, linear()]) {
      expect(estimate(m).sizes.int8.bytes).toBe(serializeModel(dynamic.quantize(m)).length);
      expect(estimate(m).sizes.float32.bytes).toBe(serializeModel(m).length);
    }
    const skipLayers = ["out"];
    expect(estimate(wide, { int8: { skipLayers } }).sizes.int8.bytes).toBe(
      serializeModel(dynamic.quantize(wide, { skipLayers })).length,
    );
  });

  it("counts the zero points of asymmetric weights, and scales of rows", () => {
    const table = model({
      nodes: [node("Gather", ["T", "ids"], ["e"]), node("MatMul", ["e", "W"], ["y"])],
      initializers: [matrix("T", [300, 16]), matrix("W", [16, 512])],
      inputs: [makeValueInfo("ids", "int64", ["length"])],
    });
    for (const symmetric of [true, false]) {
      const plan = dynamic.plan(table, { symmetric });
      expect(predictedBytes(table, plan)).toBe(serializeModel(dynamic.apply(table, plan).model).length);
    }
  });

  it("counts parameters, ratios, and what the writer adds", () => {
    const { parameters, sizes, memory } = estimate(wide, { extraBytes: 1000 });
    expect(parameters).toBe(16 * 512 + 512 * 64);
    expect(sizes.int8.ratio).toBe(sizes.float32.bytes / sizes.int8.bytes);
    expect(sizes.float32.bytes).toBe(estimate(wide).sizes.float32.bytes + 1000);
    expect(sizes.int4.bytes).toBeLessThan(sizes.int8.bytes);
    expect(memory.int8.bytes).toBeLessThan(memory.float32.bytes);
  });

  it("has nothing to promise for a model that cannot be quantized", () => {
    const m = model({ nodes: [node("Relu", ["x"], ["y"])] });
    expect(estimate(m).sizes.int8).toEqual({ bytes: estimate(m).sizes.float32.bytes, ratio: 1 });
  });
});
