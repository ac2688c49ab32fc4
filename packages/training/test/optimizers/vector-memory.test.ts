import { describe, expect, it } from "vitest";
import { createOptimizer, optimizerMemory, type OptimizerOptions, seededRandom } from "../../src/index.js";

const options: OptimizerOptions = {
  kind: "adamw",
  learningRate: 0.01,
  weightDecay: 0.1,
  clipNorm: 3,
  averageDecay: 0.9,
};

/** Three steps over a weight whose length is no multiple of four and more than one chunk. */
function train(
  vectors: boolean,
  length: number,
): { w: Float32Array; average: Float32Array; shared: boolean } {
  const random = seededRandom(5);
  const memory = vectors ? optimizerMemory([length], options) : undefined;
  const w = memory?.allocate(length) ?? new Float32Array(length);
  for (let i = 0; i < length; i++) w[i] = random.normal();
  const optimizer = createOptimizer([{ name: "w", shape: [length], values: w }], options, memory);
  for (let step = 0; step < 3; step++) {
    const dense = Float32Array.from({ length }, () => random.normal());
    optimizer.step(new Map([["w", { dense, rows: [] }]]));
  }
  return { w, average: optimizer.averages()?.get("w") as Float32Array, shared: memory?.owns(w) === true };
}

describe("the loops in WebAssembly", () => {
  it("are there, and give what the loops in JavaScript give", () => {
    for (const length of [3, 1030, 40_001]) {
      const [fast, slow] = [train(true, length), train(false, length)];
      expect([fast.shared, slow.shared]).toEqual([true, false]);
      for (const name of ["w", "average"] as const) {
        const worst = fast[name].reduce(
          (max, x, i) => Math.max(max, Math.abs(x - (slow[name][i] as number))),
          0,
        );
        expect(worst, `${name} of ${length}`).toBeLessThan(2e-6);
      }
      // Float32 rounding differs somewhere: otherwise the vectors did not run at all.
      if (length > 1024)
        expect(Buffer.from(fast.w.slice().buffer).equals(Buffer.from(slow.w.buffer))).toBe(false);
    }
  });

  it("take gradients where they lie in the memory, and their norm in vectors", () => {
    for (const length of [5, 8, 1030, 40_001]) {
      const values = Float32Array.from({ length }, (_, i) => Math.sin(i) * 10 ** (i % 7));
      const results = [true, false].map((inside) => {
        const memory = optimizerMemory([length], options);
        const w = memory?.allocate(length) as Float32Array;
        const optimizer = createOptimizer([{ name: "w", shape: [length], values: w }], options, memory);
        const dense = inside ? (memory?.allocate(length) as Float32Array) : new Float32Array(length);
        expect(memory?.owns(dense)).toBe(inside);
        dense.set(values);
        const { gradientNorm } = optimizer.step(new Map([["w", { dense, rows: [] }]]));
        return { gradientNorm, bytes: Buffer.from(w.slice().buffer).toString("hex") };
      });
      const squares = values.reduce((sum, x) => sum + x * x, 0);
      for (const { gradientNorm } of results) expect(gradientNorm / Math.sqrt(squares)).toBeCloseTo(1, 12);
      expect(results[0]?.bytes).toBe(results[1]?.bytes);
    }
  });
});

/** The first and second moments after a gradient for row 0 and many steps that only look up row 1. */
function momentsOfARareRow(kind: OptimizerOptions["kind"], vectors: boolean): Float32Array[] {
  const [height, width] = [4, 64];
  const settings: OptimizerOptions = { ...options, kind, momentum: 0.9, beta2: 0.95, weightDecay: 0 };
  const memory = vectors ? optimizerMemory([height * width], settings) : undefined;
  const values = memory?.allocate(height * width) ?? new Float32Array(height * width);
  const optimizer = createOptimizer([{ name: "t", shape: [height, width], values }], settings, memory);
  const look = (row: bigint): void => {
    const rows = [{ indices: BigInt64Array.of(row), values: new Float32Array(width).fill(0.01) }];
    optimizer.step(new Map([["t", { dense: undefined, rows }]]));
  };
  look(0n);
  for (let step = 0; step < 2000; step++) look(1n);
  return Object.values(optimizer.state().arrays)
    .filter((array): array is Float32Array => array instanceof Float32Array)
    .slice(0, kind === "sgd" ? 1 : 2);
}

describe("moments that no longer count", () => {
  it("become 0: those that are almost 0 would take processors a hundred times as long, for good", () => {
    for (const kind of ["adamw", "adam", "sgd"] as const) {
      for (const vectors of [true, false]) {
        for (const moments of momentsOfARareRow(kind, vectors)) {
          expect([...moments.subarray(0, 64)], kind).toEqual(Array.from({ length: 64 }, () => 0));
          expect(moments[64], kind).toBeGreaterThan(0);
        }
      }
    }
  });

  it("are kept where ε is 0, since a step of any gradient is as long then", () => {
    for (const vectors of [true, false]) {
      const settings: OptimizerOptions = { kind: "adamw", learningRate: 0.01, epsilon: 0 };
      const memory = vectors ? optimizerMemory([256], settings) : undefined;
      const w = memory?.allocate(256) ?? new Float32Array(256);
      const optimizer = createOptimizer([{ name: "w", shape: [256], values: w }], settings, memory);
      optimizer.step(new Map([["w", { dense: new Float32Array(256).fill(1e-16), rows: [] }]]));
      for (const x of w) expect(x).toBeCloseTo(-0.01, 5);
    }
  });
});
