import { ModelGraph } from "@nasty/graph";
import { type Batch, type Modifier, onnxEngine, type Trainer } from "@nasty/training";
import { describe, expect, it } from "vitest";
import { CompressionError, gradualPruning, keepZeros, masksOf, pruner } from "../../src/index.js";
import { matrix, model, node } from "../tiny-models.js";

const original = model({
  nodes: [node("MatMul", ["x", "W"], ["h"]), node("Tanh", ["h"], ["t"]), node("MatMul", ["t", "V"], ["y"])],
  initializers: [matrix("W", [16, 24]), matrix("V", [24, 8], 2)],
});
const batch: Batch = {
  x: { dtype: "float32", shape: [2, 2, 16], data: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)) },
  target: {
    dtype: "float32",
    shape: [2, 2, 8],
    data: Float32Array.from({ length: 32 }, (_, i) => Math.cos(i)),
  },
};
const load = (modifier: Modifier, from = original): Promise<Trainer> =>
  onnxEngine.load(from, {
    loss: { kind: "mse", prediction: "y", target: "target" },
    optimizer: { kind: "adamw", learningRate: 0.01, averageDecay: 0.9 },
    modifiers: [modifier],
  });
const zerosOf = (trainer: Trainer, averaged = false): Record<string, number> =>
  Object.fromEntries(
    [...trainer.readWeights({ averaged })].map(([name, values]) => [
      name,
      values.filter((x) => x === 0).length,
    ]),
  );
const zeros = (trainer: Trainer, averaged = false): number =>
  Object.values(zerosOf(trainer, averaged)).reduce((a, b) => a + b, 0);

describe("gradualPruning", () => {
  const schedule = { final: 0.5, begin: 1, times: 2, every: 2 };

  it("follows the schedule, and what is zero stays zero, in the averages too", async () => {
    const trainer = await load(gradualPruning(original, { schedule }));
    const counts: number[] = [];
    let before: ReadonlyMap<string, Float32Array> | undefined;
    for (let step = 1; step <= 8; step++) {
      await trainer.step(batch);
      counts.push(zeros(trainer));
      expect(zeros(trainer, true)).toBe(zeros(trainer));
      const now = trainer.readWeights();
      for (const [name, values] of before ?? [])
        expect(values.every((x, i) => x !== 0 || now.get(name)?.[i] === 0)).toBe(true);
      before = now;
    }
    // s = 0.5·(1 − (1 − k/2)³) of 576 elements at steps 1, 3 and 5
    expect(counts).toEqual([0, 0, 252, 252, 288, 288, 288, 288]);
    await trainer.close();
  });

  it("spares the weights that are not named, and ranks each on its own if asked", async () => {
    const only = await load(gradualPruning(original, { schedule, weights: ["V"] }));
    const each = await load(gradualPruning(original, { schedule, scope: "layer" }));
    for (let step = 1; step <= 5; step++) {
      await only.step(batch);
      await each.step(batch);
    }
    expect(zerosOf(only)).toEqual({ W: 0, V: 96 });
    expect(zerosOf(each)).toEqual({ W: 192, V: 96 });
    await only.close();
    await each.close();
  });

  it("goes on with its masks after an interruption", async () => {
    const whole = await load(gradualPruning(original, { schedule }));
    for (let step = 1; step <= 4; step++) await whole.step(batch);
    const state = structuredClone(whole.state());
    const resumed = await load(gradualPruning(original, { schedule }));
    resumed.restore(state);
    for (let step = 5; step <= 8; step++) {
      await whole.step(batch);
      await resumed.step(batch);
    }
    expect(resumed.readWeights()).toEqual(whole.readWeights());
    await whole.close();
    await resumed.close();
  });

  it.each([
    [
      { schedule: { final: 1.5, times: 1 } },
      "invalid-option",
      "sparsityAt: final: expected a share in [0, 1], got 1.5",
    ],
    [
      { schedule, weights: ["U"] },
      "unsupported",
      'gradualPruning: weight "U": expected one that can be pruned, got none of that name among 2',
    ],
  ])("refuses %j", (options, code, message) => {
    let error: unknown;
    try {
      gradualPruning(original, options);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(CompressionError);
    expect(error).toMatchObject({ code, message });
  });
});

describe("keepZeros", () => {
  it("keeps the zeros of a pruned model, and trains the rest", async () => {
    const pruned = await pruner.prune(original, { sparsity: 0.4 });
    const trainer = await load(keepZeros(pruned), pruned);
    for (let step = 1; step <= 4; step++) await trainer.step(batch);
    expect(zeros(trainer)).toBe(230);
    expect(masksOf(trainer.model())).toEqual(masksOf(pruned));
    const moved = ModelGraph.from(trainer.model()).main.constant("W")?.data as Float32Array;
    expect(moved).not.toEqual(ModelGraph.from(pruned).main.constant("W")?.data);
    await trainer.close();
  });
});
