import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { measureLatency } from "../src/index.js";
import { bootstrapInterval, summarizeLatency } from "../src/latency.js";

describe("summarizeLatency", () => {
  it("takes quantiles linearly between neighbours", () => {
    const { p50, p95, mean } = summarizeLatency("a", [4, 1, 3, 2]);
    expect([p50, p95, mean]).toEqual([2.5, 3.8499999999999996, 2.5]);
  });

  it("gives the same interval for the same seed, and another for another", () => {
    const values = Array.from({ length: 20 }, (_, i) => Math.sqrt(i));
    expect(bootstrapInterval(values, 3)).toEqual(bootstrapInterval(values, 3));
    expect(bootstrapInterval(values, 3)).not.toEqual(bootstrapInterval(values, 4));
  });

  it("has the mean inside its interval, and the interval inside the values", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 100, noNaN: true }), { minLength: 5, maxLength: 40 }),
        (values) => {
          const { mean, ci95, p50, p95 } = summarizeLatency("a", values);
          const margin = 1e-9;
          expect(ci95[0]).toBeGreaterThanOrEqual(Math.min(...values) - margin);
          expect(ci95[1]).toBeLessThanOrEqual(Math.max(...values) + margin);
          expect(ci95[0]).toBeLessThanOrEqual(mean + margin);
          expect(ci95[1]).toBeGreaterThanOrEqual(mean - margin);
          expect(p50).toBeLessThanOrEqual(p95);
        },
      ),
      { numRuns: 30 },
    );
  });
});

const wait = (ms: number) => () => new Promise((resolve) => setTimeout(resolve, ms));

describe("measureLatency", () => {
  it("runs candidates in turns and skips the warm-up", async () => {
    const calls: string[] = [];
    const found = await measureLatency(
      [
        { name: "a", run: () => calls.push("a") },
        { name: "b", run: () => Promise.resolve(calls.push("b")) },
      ],
      { rounds: 3, warmup: 1, minMs: 0 },
    );
    expect(calls.join("")).toBe("abbaabba");
    expect(found.map(({ name, samples }) => [name, samples.length])).toEqual([
      ["a", 3],
      ["b", 3],
    ]);
  });

  it("repeats a short run until the measurement is long enough", async () => {
    let calls = 0;
    const [found] = await measureLatency([{ name: "short", run: () => calls++ }], {
      rounds: 1,
      warmup: 0,
      minMs: 5,
    });
    expect(calls).toBeGreaterThan(10);
    expect(found?.p50).toBeLessThan(1);
  });

  it("sees which candidate is slower", async () => {
    const [fast, slow] = await measureLatency(
      [
        { name: "fast", run: wait(1) },
        { name: "slow", run: wait(12) },
      ],
      {
        rounds: 5,
        warmup: 0,
        minMs: 0,
      },
    );
    expect(slow?.p50).toBeGreaterThan((fast?.p50 ?? 0) * 2);
  });

  it.each([
    [[], {}, "measureLatency: candidates: count: expected at least 1, got 0"],
    [
      [{ name: "a", run: () => 0 }],
      { rounds: 0 },
      "measureLatency: rounds: expected an integer of at least 1, got 0",
    ],
  ])("refuses nothing to measure: %#", async (candidates, options, message) => {
    await expect(measureLatency(candidates, options)).rejects.toMatchObject({
      code: "invalid-option",
      message,
    });
  });
});
