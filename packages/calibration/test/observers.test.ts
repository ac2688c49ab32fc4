import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  entropySearch,
  histogramObserver,
  minMaxObserver,
  movingAverageObserver,
  observerOf,
} from "../src/index.js";
import { calibrationMethods } from "../src/method.js";
import { normals } from "./random-samples.js";

const samples = fc.array(
  fc
    .array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 1, maxLength: 30 })
    .map((values) => Float32Array.from(values)),
  { minLength: 1, maxLength: 20 },
);

describe("minMaxObserver", () => {
  it("keeps the extremes of all samples", () => {
    const observer = minMaxObserver();
    expect(observer.range()).toBeUndefined();
    observer.observe(Float32Array.of());
    expect(observer.range()).toBeUndefined();
    observer.observe(Float32Array.of(0.5, 2));
    observer.observe(Float32Array.of(-3));
    expect(observer.range()).toEqual({ min: -3, max: 2 });
    expect(observer.count).toBe(3);
  });
});

describe("movingAverageObserver", () => {
  it("moves by c towards each sample's extremes", () => {
    const observer = movingAverageObserver({ constant: 0.25 });
    observer.observe(Float32Array.of(-1, 1));
    observer.observe(Float32Array.of(-5, 3));
    // −1 + ¼·(−5 + 1), 1 + ¼·(3 − 1)
    expect(observer.range()).toEqual({ min: -2, max: 1.5 });
    expect(observer.extremes).toEqual({ min: -5, max: 3 });
  });
});

describe.each(calibrationMethods)("%s", (method) => {
  it("stays within what was seen", () => {
    fc.assert(
      fc.property(samples, (values) => {
        const observer = observerOf({ method, bins: 256 });
        for (const sample of values) observer.observe(sample);
        const all = values.flatMap((sample) => [...sample]);
        const range = observer.range();
        expect(range?.min).toBeGreaterThanOrEqual(Math.min(...all));
        expect(range?.max).toBeLessThanOrEqual(Math.max(...all));
        expect(range?.min).toBeLessThanOrEqual(range?.max as number);
      }),
      { numRuns: 50 },
    );
  });

  it("takes a tensor that is always the same number", () => {
    for (const value of [0, -2.5, 7]) {
      const observer = observerOf({ method });
      observer.observe(Float32Array.of(value, value));
      expect(observer.range()).toEqual({ min: value, max: value });
    }
  });
});

describe("entropy", () => {
  it("counts the levels of the type: one less where it is symmetric", () => {
    const sample = normals(5000, 3);
    const found = (dtype: "int8" | "int4", symmetric: boolean) => {
      const observer = observerOf({ method: "entropy", bins: 256, scheme: { dtype, symmetric } });
      observer.observe(sample);
      return observer.range();
    };
    const expected = (levels: number) => {
      const observer = histogramObserver(entropySearch({ levels }), { bins: 256 });
      observer.observe(sample);
      return observer.range();
    };
    expect(found("int4", true)).toEqual(expected(15));
    expect(found("int4", false)).toEqual(expected(16));
    expect(expected(15)).not.toEqual(expected(16));
  });
});

describe("methods differ", () => {
  it("on data with rare outliers, and every one of them clips but min-max", () => {
    const ranges = calibrationMethods.map((method) => {
      const observer = observerOf({ method, percentile: 99.9, scheme: { dtype: "int8", symmetric: true } });
      for (let sample = 0; sample < 200; sample++) {
        const values = normals(500, sample + 1);
        if (sample === 150) values[7] = 60;
        observer.observe(values);
      }
      return observer.range()?.max as number;
    });
    const [minmax, average, percentile, entropy, mse] = ranges as [number, number, number, number, number];
    expect(minmax).toBe(60);
    expect(new Set(ranges).size).toBe(5);
    // One value of 60 in 100,000 costs about as much squared error when clipped as finer steps save.
    expect(mse).toBeLessThan(50);
    for (const clipped of [average, percentile, entropy]) {
      expect(clipped).toBeLessThan(12);
      expect(clipped).toBeGreaterThan(2);
    }
  });

  it.each([
    [
      { method: "best" as "mse" },
      "calibrate: method: expected minmax, moving-average, percentile, entropy, mse, got best",
    ],
    [{ percentile: 0 }, "calibrate: percentile: expected a number in 0..100, not 0, got 0"],
    [{ percentile: 101 }, "calibrate: percentile: expected a number in 0..100, not 0, got 101"],
    [{ averagingConstant: 2 }, "calibrate: averagingConstant: expected a number in 0..1, not 0, got 2"],
    [{ bins: 257 }, "calibrate: bins: expected an even integer in 256..1048576, got 257"],
  ])("options out of range are refused: %#", (options, message) => {
    expect(() => observerOf(options)).toThrow(expect.objectContaining({ code: "invalid-option", message }));
  });
});
