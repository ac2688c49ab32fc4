import { tensor } from "@nasty/core";
import { makeValueInfo, type ModelProto, serializeModel, tensorToProto } from "@nasty/formats/onnx";
import { describeGraph } from "@nasty/graph";
import { describe, expect, it } from "vitest";
import { dynamic, estimate, int4, int8, predictedBytes, weightOnly } from "../../src/index.js";
import { liveActivationBytes } from "../../src/rewrite/live-activations.js";
import { float, int64, linear, matrix, model, node } from "../tiny-models.js";

describe("estimate", () => {
  const wide = model({
    nodes: [
      node("MatMul", ["x", "W"], ["h"], { name: "in" }),
      node("MatMul", ["h", "V"], ["y"], { name: "out" }),
    ],
    initializers: [matrix("W", [16, 512]), matrix("V", [512, 64], 2)],
  });

  it("says what dynamic quantization then writes, to the byte", async () => {
    for (const m of [wide, linear()]) {
      expect(estimate(m).sizes.dynamic.bytes).toBe(serializeModel(await dynamic.quantize(m)).length);
      expect(estimate(m).sizes.float32.bytes).toBe(serializeModel(m).length);
    }
    const skipLayers = ["out"];
    expect(estimate(wide, { dynamic: { skipLayers } }).sizes.dynamic.bytes).toBe(
      serializeModel(await dynamic.quantize(wide, { skipLayers })).length,
    );
  });

  it("counts the zero points of asymmetric weights, and scales of rows", async () => {
    const table = model({
      nodes: [node("Gather", ["T", "ids"], ["e"]), node("MatMul", ["e", "W"], ["y"])],
      initializers: [matrix("T", [300, 16]), matrix("W", [16, 512])],
      inputs: [makeValueInfo("ids", "int64", ["length"])],
    });
    for (const symmetric of [true, false]) {
      const plan = await dynamic.plan(table, { symmetric });
      expect(predictedBytes(table, plan)).toBe(
        serializeModel((await dynamic.apply(table, plan)).model).length,
      );
    }
  });

  it("says what static quantization writes of convolutions, whose Relu and Clip go", async () => {
    const m = model({
      nodes: [
        node("Conv", ["x", "W", "b"], ["c"], { name: "first" }),
        node("Relu", ["c"], ["r"]),
        node("Conv", ["r", "V"], ["d"], { name: "second" }),
        node("Clip", ["d", "low", "high"], ["y"]),
      ],
      initializers: [
        matrix("W", [16, 8, 3, 3]),
        matrix("b", [16], 4),
        matrix("V", [8, 16, 3, 3], 2),
        tensorToProto(tensor("float32", [], Float32Array.of(0)), "low"),
        tensorToProto(tensor("float32", [], Float32Array.of(6)), "high"),
      ],
      inputs: [makeValueInfo("x", "float32", [1, 8, 9, 9])],
    });
    const calibrationData = [{ feeds: { x: float([1, 8, 9, 9]) } }];
    const written = serializeModel(await int8.quantize(m, { calibrationData })).length;
    expect(Math.abs(estimate(m).sizes.static.bytes - written)).toBeLessThan(10);
  });

  describe("of every mode and option", () => {
    const mixed = model({
      nodes: [
        node("Gather", ["T", "ids"], ["e"], { name: "embed" }),
        node("MatMul", ["e", "W"], ["h"], { name: "in" }),
        node("Relu", ["h"], ["r"]),
        node("Reshape", ["r", "flat"], ["f"]),
        node("Gemm", ["f", "V", "b"], ["y"], { name: "out" }),
      ],
      initializers: [
        matrix("T", [300, 48]),
        matrix("W", [48, 160], 2),
        matrix("V", [160, 96], 3),
        matrix("b", [96], 4),
        tensorToProto(tensor("int64", [2], BigInt64Array.of(-1n, 160n)), "flat"),
      ],
      inputs: [makeValueInfo("ids", "int64", ["length"])],
    });
    const batches = [{ feeds: { ids: int64([1, 5, 299, 17]) } }];
    const grid = [true, false].flatMap((symmetric) =>
      [true, false].flatMap((perChannel) =>
        [16, 32, 64].map((blockSize) => ({ symmetric, perChannel, blockSize })),
      ),
    );
    const near = (estimated: number, written: ModelProto): void => {
      const { length } = serializeModel(written);
      expect(Math.abs(estimated / length - 1)).toBeLessThan(0.01);
    };

    it.each(grid)("%o", async ({ symmetric, perChannel, blockSize }) => {
      const channels = { symmetric, perChannel };
      const blocks = { symmetric, blockSize };
      const ranged = { ...channels, activationSymmetric: !symmetric };
      const { sizes } = estimate(mixed, {
        dynamic: channels,
        static: ranged,
        int4: blocks,
        weightOnly: blocks,
      });
      near(sizes.dynamic.bytes, await dynamic.quantize(mixed, channels));
      near(sizes.static.bytes, await int8.quantize(mixed, { ...ranged, calibrationData: batches }));
      near(sizes.int4.bytes, await int4.quantize(mixed, blocks));
      near(sizes.weightOnly.bytes, await weightOnly.quantize(mixed, blocks));
    });

    it("tells the options apart", () => {
      const bytes = grid.map(({ symmetric, perChannel, blockSize }) => {
        const { sizes } = estimate(mixed, {
          dynamic: { symmetric, perChannel },
          static: { symmetric, perChannel },
          int4: { symmetric, blockSize },
          weightOnly: { symmetric, blockSize },
        });
        return [sizes.dynamic.bytes, sizes.static.bytes, sizes.int4.bytes, sizes.weightOnly.bytes].join(" ");
      });
      expect(new Set(bytes).size).toBe(grid.length);
    });
  });

  it("counts parameters, ratios, and what the writer adds", () => {
    const { parameters, sizes, memory } = estimate(wide, { extraBytes: 1000 });
    expect(parameters).toBe(16 * 512 + 512 * 64);
    expect(sizes.dynamic.ratio).toBe(sizes.float32.bytes / sizes.dynamic.bytes);
    expect(sizes.float32.bytes).toBe(estimate(wide).sizes.float32.bytes + 1000);
    expect(sizes.int4.bytes).toBeLessThan(sizes.dynamic.bytes);
    expect(memory.dynamic.bytes).toBeLessThan(memory.float32.bytes);
  });

  it("counts parameters as a description of the graph does: no indices, no single numbers", () => {
    const scaled = model({
      nodes: [node("Mul", ["x", "half"], ["h"]), node("MatMul", ["h", "W"], ["y"])],
      initializers: [
        matrix("W", [16, 24]),
        tensorToProto(tensor("float32", [], Float32Array.of(0.5)), "half"),
        tensorToProto(tensor("int64", [3], BigInt64Array.of(1n, 2n, 3n)), "shape"),
      ],
    });
    expect(estimate(scaled).parameters).toBe(16 * 24);
    expect(estimate(scaled).parameters).toBe(describeGraph(scaled).parameters);
  });

  it("adds up memory: the library, tables once, packed weights, and an arena for activations", () => {
    const relu = node("Relu", ["h"], ["r"]);
    const shared = (length: number | string): ModelProto =>
      model({
        nodes: [
          node("Gather", ["T", "ids"], ["e"]),
          node("MatMul", ["e", "W"], ["h"]),
          relu,
          node("Add", ["h", "r"], ["y"]),
        ],
        initializers: [matrix("T", [300, 16]), matrix("W", [16, 512])],
        inputs: [makeValueInfo("ids", "int64", ["batch", length])],
      });
    // h, r and y are alive together: 3 · [1, 32, 512] float32; e is not any more.
    const small = shared("length");
    expect(liveActivationBytes(small)).toBe(3 * 32 * 512 * 4);
    expect(liveActivationBytes(shared(2048))).toBe(3 * 2048 * 512 * 4);
    const { memory, sizes } = estimate(small);
    const [tables, live] = [300 * 16, 3 * 32 * 512 * 4];
    expect(memory.float32.bytes).toBe(
      Math.round(28e6 + 4 * tables + 1.68 * (sizes.float32.bytes - 4 * tables) + 3 * live),
    );
    expect(memory.dynamic.bytes).toBe(
      Math.round(28e6 + tables + 1.94 * (sizes.dynamic.bytes - tables) + 3 * live),
    );
    expect(estimate(shared(2048)).memory.dynamic.bytes - memory.dynamic.bytes).toBeGreaterThan(35e6);
  });

  it("has nothing to promise for a model that cannot be quantized", () => {
    const m = model({ nodes: [node("Relu", ["x"], ["y"])] });
    expect(estimate(m).sizes.dynamic).toEqual({ bytes: estimate(m).sizes.float32.bytes, ratio: 1 });
  });
});
