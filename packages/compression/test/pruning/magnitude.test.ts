import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyMasks, historyOf, magnitudeMasks, masksOf, pruner, sparsityAt } from "../../src/index.js";
import { keptAfter } from "../../src/pruning/smallest-magnitudes.js";
import { linear, matrix, model, node, run } from "../tiny-models.js";
import { tinyBert, tinyFeeds } from "./tiny-bert.js";

function values(m: ModelProto, name: string): Float32Array {
  return ModelGraph.from(m).main.constant(name)?.data as Float32Array;
}

const zeros = (data: Float32Array): number => data.filter((x) => x === 0).length;

describe("magnitude pruning", () => {
  it("zeros the smallest elements of all weights together, or of each", async () => {
    const original = model({
      nodes: [node("MatMul", ["x", "W"], ["h"]), node("MatMul", ["h", "V"], ["y"])],
      initializers: [matrix("W", [16, 24]), matrix("V", [24, 8], 2)],
    });
    const weak = ModelGraph.from(original);
    const small = values(original, "V").map((x) => x / 100);
    weak.main.setInitializer("V", { dtype: "float32", shape: [24, 8], data: small });
    const global = await pruner.apply(weak.toModel(), await pruner.plan(weak.toModel(), { sparsity: 0.25 }));
    expect(zeros(values(global.model, "V"))).toBeGreaterThan(130);
    expect(zeros(values(global.model, "V")) + zeros(values(global.model, "W"))).toBe(144);
    const layer = await pruner.apply(
      weak.toModel(),
      await pruner.plan(weak.toModel(), { sparsity: 0.25, scope: "layer" }),
    );
    expect(layer.report.tensors).toEqual([
      { name: "W", op: "MatMul", elements: 384, zeros: 96, sparsity: 0.25 },
      { name: "V", op: "MatMul", elements: 192, zeros: 48, sparsity: 0.25 },
    ]);
    const kept = values(layer.model, "W");
    const before = values(original, "W");
    const largestGone = Math.max(...before.filter((_, i) => kept[i] === 0).map(Math.abs));
    const smallestKept = Math.min(...kept.filter((x) => x !== 0).map(Math.abs));
    expect(largestGone).toBeLessThanOrEqual(smallestKept);
    expect(kept.every((x, i) => x === 0 || x === before[i])).toBe(true);
  });

  it("says so where a model is that sparse already", async () => {
    const original = model({
      nodes: [node("MatMul", ["x", "W"], ["y"])],
      initializers: [matrix("W", [16, 24])],
    });
    const first = await pruner.plan(original, { sparsity: 0.5 });
    expect(first.warnings.join()).not.toContain("already");
    const pruned = (await pruner.apply(original, first)).model;
    const again = await pruner.plan(pruned, { sparsity: 0.4 });
    expect(again.warnings.join()).toContain(
      "nothing is left to do: 40 % of the elements and more are zero already",
    );
    expect((await pruner.plan(pruned, { sparsity: 0.6 })).warnings.join()).not.toContain("already");
  });

  it("takes exactly the count asked for, the first of equal ones (property)", () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(float, { minLength: 1, maxLength: 60 }), fc.nat(), (list, n) => {
        const data = Float32Array.from(list);
        const count = n % (data.length + 1);
        const kept = keptAfter(data, count);
        const gone = data.filter((_, i) => kept[i] === 0).map(Math.abs);
        const stay = data.filter((_, i) => kept[i] === 1).map(Math.abs);
        expect(gone.length).toBe(count);
        const least = stay.length === 0 ? Infinity : Math.min(...stay);
        expect(gone.every((x) => x <= least)).toBe(true);
      }),
    );
    expect([...keptAfter(Float32Array.of(1, -1, 1, 0.5), 2)]).toEqual([0, 1, 1, 0]);
  });

  it("tells plainly what zeros do not do, records the step, leaves the rest", async () => {
    const original = tinyBert();
    const { model: pruned, report } = await pruner.apply(
      original,
      await pruner.plan(original, { sparsity: 0.3, skipLayers: ["embed"] }),
    );
    expect(report.warnings.join()).toContain("neither the run faster nor the uncompressed file smaller");
    expect(report.notPruned).toContainEqual({
      name: "embeddings",
      op: "Gather",
      reason: "skipped by pattern embed",
    });
    expect(zeros(values(pruned, "embeddings"))).toBe(0);
    expect(historyOf(pruned)[0]?.options).toMatchObject({ sparsity: 0.3, scope: "global" });
    expect(report.parameters.after).toBe(report.parameters.before);
    expect(report.parameters.nonZero).toBeLessThan(0.8 * report.parameters.before);
    const got = (await run(pruned, tinyFeeds())).logits?.data as Float32Array;
    expect(got.every(Number.isFinite)).toBe(true);
  });

  it("refuses shares outside 0 to 1, weights that are not finite, data without structure", async () => {
    for (const sparsity of [-0.1, 1, 1.5, Number.NaN]) {
      await expect(pruner.plan(linear(), { sparsity })).rejects.toMatchObject({
        code: "invalid-option",
        message: `pruner.plan: sparsity: expected a share from 0 to below 1, got ${sparsity}`,
      });
    }
    await expect(pruner.plan(linear(), {})).rejects.toMatchObject({ code: "invalid-option" });
    await expect(
      pruner.plan(linear(), {
        sparsity: 0.1,
        data: { loss: { kind: "mse", prediction: "y", target: "t" }, batches: [] },
      }),
    ).rejects.toMatchObject({ code: "invalid-option" });
    const broken = ModelGraph.from(linear());
    const data = values(linear(), "W").map((x, i) => (i === 5 ? Number.NaN : x));
    broken.main.setInitializer("W", { dtype: "float32", shape: [16, 24], data });
    await expect(pruner.plan(broken.toModel(), { sparsity: 0.3 })).rejects.toMatchObject({
      code: "not-finite",
      message: 'pruner.plan: tensor "W": element 5: expected a finite number, got NaN',
    });
    await expect(pruner.plan(linear(), { sparsity: 0.3, skipLayers: ["nope"] })).rejects.toMatchObject({
      code: "no-such-layer",
    });
  });
});

describe("masks", () => {
  it("are where a pruned model is zero, and keep it so", async () => {
    const pruned = await pruner.prune(linear(), { sparsity: 0.5 });
    const masks = masksOf(pruned);
    expect([...masks.keys()]).toEqual(["W"]);
    expect(masks.get("W")?.reduce((a, b) => a + b, 0)).toBe(192);
    expect(masksOf(linear()).size).toBe(0);
    const trained = { W: new Float32Array(384).fill(1), b: new Float32Array(24).fill(1) };
    applyMasks(masks, trained);
    expect(zeros(trained.W)).toBe(192);
    expect(zeros(trained.b)).toBe(0);
    expect(() => applyMasks(masks, {})).toThrowError(
      'applyMasks: weight "W": elements: expected 384, got no such weight',
    );
  });

  it("only grow along a schedule when masked weights stay zero", () => {
    const weights = new Map([["W", Float32Array.from({ length: 100 }, (_, i) => Math.sin(i + 1))]]);
    const schedule = { final: 0.8, times: 4, every: 10 };
    let before = 0;
    for (const step of [10, 20, 30, 40]) {
      const masks = magnitudeMasks(weights, sparsityAt(step, schedule));
      applyMasks(masks, Object.fromEntries(weights));
      const now = zeros(weights.get("W") ?? new Float32Array());
      expect(now).toBe(Math.round(100 * sparsityAt(step, schedule)));
      expect(now).toBeGreaterThan(before);
      before = now;
    }
  });
});

describe("sparsityAt", () => {
  it("follows equation 1 of Zhu and Gupta (2017)", () => {
    const schedule = { initial: 0.2, final: 0.8, begin: 100, times: 10, every: 50 };
    expect(sparsityAt(99, schedule)).toBe(0);
    expect(sparsityAt(100, schedule)).toBeCloseTo(0.2, 12);
    // 0.8 + (0.2 − 0.8)·(1 − 250/500)³
    expect(sparsityAt(350, schedule)).toBeCloseTo(0.725, 12);
    expect(sparsityAt(399, schedule)).toBeCloseTo(0.725, 12);
    expect(sparsityAt(600, schedule)).toBe(0.8);
    expect(sparsityAt(6000, schedule)).toBe(0.8);
    expect(sparsityAt(500, { final: 0.8, times: 10, every: 100 })).toBeCloseTo(0.7, 12);
  });

  it("refuses impossible schedules", () => {
    expect(() => sparsityAt(0, { final: 1.2, times: 3 })).toThrowError(
      "sparsityAt: final: expected a share in [0, 1], got 1.2",
    );
    expect(() => sparsityAt(0, { final: 0.2, times: 0 })).toThrowError(
      "sparsityAt: times: expected a whole number from 1, got 0",
    );
  });
});
