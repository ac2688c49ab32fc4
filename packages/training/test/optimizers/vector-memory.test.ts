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
});
