import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createOptimizer,
  type GradientOfWeight,
  type OptimizerOptions,
  scheduleFactor,
} from "../../src/index.js";

const dense = (values: readonly number[]): GradientOfWeight => ({
  dense: Float32Array.from(values),
  rows: [],
});
const one = (values: Float32Array, options: OptimizerOptions) =>
  createOptimizer([{ name: "w", shape: [values.length], values }], options);

describe("optimizers", () => {
  it("SGD with momentum follows its recursion", () => {
    const w = Float32Array.of(1);
    const optimizer = one(w, { kind: "sgd", learningRate: 0.1, momentum: 0.9 });
    for (let i = 0; i < 3; i++) optimizer.step(new Map([["w", dense([1])]]));
    // v = 1, 1.9, 2.71
    expect(w[0]).toBeCloseTo(1 - 0.1 * (1 + 1.9 + 2.71), 6);
  });
  it("SGD with Nesterov's momentum looks one step ahead", () => {
    const w = Float32Array.of(1);
    const optimizer = one(w, { kind: "sgd", learningRate: 0.1, momentum: 0.9, nesterov: true });
    for (let i = 0; i < 2; i++) optimizer.step(new Map([["w", dense([1])]]));
    // v = 1, 1.9; the step is g + 0.9·v
    expect(w[0]).toBeCloseTo(1 - 0.1 * (1 + 0.9 * 1 + (1 + 0.9 * 1.9)), 6);
  });
  it("AdamW equals the paper's algorithm 2 step by step", () => {
    const options = {
      kind: "adamw",
      learningRate: 0.01,
      weightDecay: 0.1,
      beta1: 0.8,
      beta2: 0.95,
      epsilon: 1e-6,
    } as const;
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 8 }),
        (gradients) => {
          const w = Float32Array.of(0.7);
          const optimizer = one(w, options);
          let [x, m, v] = [Math.fround(0.7), 0, 0];
          for (const [i, g] of gradients.entries()) {
            optimizer.step(new Map([["w", dense([g])]]));
            m = options.beta1 * m + (1 - options.beta1) * g;
            v = options.beta2 * v + (1 - options.beta2) * g * g;
            const [mHat, vHat] = [m / (1 - options.beta1 ** (i + 1)), v / (1 - options.beta2 ** (i + 1))];
            x -=
              options.learningRate * (mHat / (Math.sqrt(vHat) + options.epsilon) + options.weightDecay * x);
          }
          expect(w[0]).toBeCloseTo(x, 5);
        },
      ),
    );
  });
  it("Adam adds the decay to the gradient, AdamW does not", () => {
    const after = (kind: "adam" | "adamw"): number => {
      const w = Float32Array.of(2);
      one(w, { kind, learningRate: 0.1, weightDecay: 0.5 }).step(new Map([["w", dense([0])]]));
      return w[0] as number;
    };
    expect(after("adam")).toBeCloseTo(1.9, 5); // a gradient of 1, normalised
    expect(after("adamw")).toBeCloseTo(2 * (1 - 0.05), 6);
  });
  it("clips by the norm over all weights", () => {
    const [a, b] = [Float32Array.of(0), Float32Array.of(0)];
    const optimizer = createOptimizer(
      [
        { name: "a", shape: [1], values: a },
        { name: "b", shape: [1], values: b },
      ],
      { kind: "sgd", learningRate: 1, clipNorm: 1 },
    );
    const { gradientNorm } = optimizer.step(
      new Map([
        ["a", dense([3])],
        ["b", dense([4])],
      ]),
    );
    expect(gradientNorm).toBeCloseTo(5, 6);
    expect([a[0], b[0]]).toEqual([Math.fround(-0.6), Math.fround(-0.8)]);
  });
  it("groups change rate and decay, and freeze", () => {
    const weights = ["bias", "slow.w", "cold.w"].map((name) => ({
      name,
      shape: [1],
      values: Float32Array.of(1),
    }));
    const optimizer = createOptimizer(weights, {
      kind: "sgd",
      learningRate: 0.1,
      weightDecay: 1,
      groups: [
        { weights: "bias", weightDecay: 0 },
        { weights: /^slow/, learningRateFactor: 0.5 },
        { weights: ["cold.*"], frozen: true },
      ],
    });
    optimizer.step(new Map(weights.map(({ name }) => [name, dense([1])])));
    expect(weights.map(({ values }) => values[0])).toEqual([Math.fround(0.9), Math.fround(0.9), 1]);
  });
  it("keeps running averages", () => {
    const w = Float32Array.of(0);
    const optimizer = one(w, { kind: "sgd", learningRate: 1, averageDecay: 0.5 });
    optimizer.step(new Map([["w", dense([-1])]])); // decay (1 + 1)/(10 + 1) at the first step
    expect(optimizer.averages()?.get("w")?.[0]).toBeCloseTo(9 / 11, 6);
    for (let i = 0; i < 20; i++) optimizer.step(new Map([["w", dense([0])]]));
    expect(optimizer.averages()?.get("w")?.[0]).toBeCloseTo(1, 3);
  });
  it("adds up rows of the same index, negative ones counted from the end", () => {
    const w = new Float32Array(6);
    const rows = [{ indices: BigInt64Array.of(1n, -1n, 1n), values: Float32Array.of(1, 2, 3, 4, 5, 6) }];
    const optimizer = createOptimizer([{ name: "w", shape: [3, 2], values: w }], {
      kind: "sgd",
      learningRate: 1,
    });
    const { gradientNorm } = optimizer.step(new Map([["w", { dense: undefined, rows }]]));
    expect([...w]).toEqual([0, 0, -6, -8, -3, -4]);
    expect(gradientNorm).toBeCloseTo(Math.sqrt(36 + 64 + 9 + 16), 5);
    optimizer.step(new Map([["w", { dense: Float32Array.of(1, 1, 1, 1, 1, 1), rows }]]));
    expect([...w]).toEqual([-1, -1, -13, -17, -7, -9]);
  });
  it("a lazy table moves looked-up rows as a full one does, and no other", () => {
    const table = (lazyFrom: number) => {
      const values = new Float32Array(6).fill(1);
      return {
        values,
        optimizer: createOptimizer([{ name: "w", shape: [3, 2], values }], {
          kind: "adamw",
          learningRate: 0.1,
          lazyFrom,
        }),
      };
    };
    const [lazy, full] = [table(1), table(100)];
    const step = (row: bigint): void => {
      const gradient = {
        dense: undefined,
        rows: [{ indices: BigInt64Array.of(row), values: Float32Array.of(0.5, -1) }],
      };
      for (const { optimizer } of [lazy, full]) optimizer.step(new Map([["w", gradient]]));
    };
    step(0n);
    expect([...lazy.values]).toEqual([...full.values]);
    step(1n);
    step(1n);
    expect(lazy.values[0]).not.toBe(full.values[0]);
    expect(lazy.values[4]).toBe(1);
    // Moments of the missed steps are decayed: the same first moment as in the full table.
    step(0n);
    const first = (which: typeof lazy): number => which.optimizer.state().arrays["w:first"]?.[0] as number;
    expect(first(lazy)).toBeCloseTo(first(full), 7);
  });
  it("stops at a gradient that is not finite, before anything changed", () => {
    const w = Float32Array.of(1, 2);
    const optimizer = one(w, { kind: "adamw", learningRate: 0.1 });
    expect(() => optimizer.step(new Map([["w", dense([Number.NaN, 1])]]))).toThrow(
      expect.objectContaining({
        code: "non-finite-loss",
        step: 1,
        message: "step 1: gradient norm: expected a finite number, got NaN",
      }),
    );
    expect([...w, optimizer.count()]).toEqual([1, 2, 0]);
  });
  it("refuses a state of other weights", () => {
    const state = one(new Float32Array(3), { kind: "adamw", learningRate: 1 }).state();
    expect(() => one(new Float32Array(2), { kind: "adamw", learningRate: 1 }).restore(state)).toThrow(
      expect.objectContaining({
        code: "checkpoint-mismatch",
        message: 'restore: optimizer state "w:first": expected 2 elements, got 3',
      }),
    );
    expect(() => one(new Float32Array(2), { kind: "adam", learningRate: 0 })).toThrow(
      expect.objectContaining({ code: "invalid-option" }),
    );
  });
});

describe("schedules", () => {
  it("rise, hold and fall as documented", () => {
    expect([1, 5, 10, 99].map((step) => scheduleFactor({ warmUpSteps: 10 }, step))).toEqual([0.1, 0.5, 1, 1]);
    expect(scheduleFactor({ kind: "linear", totalSteps: 110, warmUpSteps: 10 }, 60)).toBeCloseTo(0.5, 12);
    expect(scheduleFactor({ kind: "cosine", totalSteps: 100, finalFactor: 0.2 }, 50)).toBeCloseTo(0.6, 12);
    expect(scheduleFactor({ kind: "cosine", totalSteps: 100, finalFactor: 0.2 }, 500)).toBeCloseTo(0.2, 12);
  });
  it("refuse a decay without an end", () => {
    expect(() => scheduleFactor({ kind: "linear", warmUpSteps: 3 }, 5)).toThrow(
      expect.objectContaining({
        code: "invalid-option",
        message: "scheduleFactor: linear: totalSteps: expected more than the 3 warm-up steps, got undefined",
      }),
    );
  });
});
