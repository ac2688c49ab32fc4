import { describe, expect, it } from "vitest";
import { dynamic, int4, timeShares } from "../../src/index.js";
import { matrix, model, node } from "../tiny-models.js";

const m = model({
  nodes: [
    node("MatMul", ["x", "W"], ["h"], { name: "in" }),
    node("MatMul", ["h", "V"], ["y"], { name: "out" }),
  ],
  initializers: [matrix("W", [16, 32]), matrix("V", [32, 16], 2)],
});

describe("timeShares", () => {
  it("follows the plan: a layer left in float takes three times as long as one of the same size in int8", async () => {
    expect(timeShares(m, await dynamic.plan(m))).toEqual({ int8: 1, blocks: 0, float: 0 });
    expect(timeShares(m, await int4.plan(m))).toEqual({ int8: 0, blocks: 1, float: 0 });
    const half = timeShares(m, await dynamic.plan(m, { skipLayers: ["out"] }));
    expect(half.float / half.int8).toBeCloseTo(64 / 20.7, 6);
    expect(half.float + half.int8).toBeCloseTo(1, 12);
  });
});
