import { describe, expect, it } from "vitest";
import { mseSearch, observerOf, percentileSearch, streamingHistogram } from "../src/index.js";
import { normals } from "./random-samples.js";

/** 0.005, 0.015, … 0.995 and their negatives: one value in each of 200 equal parts of [−1, 1]. */
const evenly = Float32Array.from({ length: 200 }, (_, i) => -0.995 + i / 100);

const histogramOf = (values: Float32Array) => {
  const histogram = streamingHistogram({ bins: 2048 });
  histogram.add(values);
  return histogram.read();
};

describe("percentileSearch", () => {
  const extremes = { min: -0.995, max: 0.995 };

  it("takes (100 − p) / 200 off each tail", () => {
    const { min, max } = percentileSearch({ percentile: 90 })(histogramOf(evenly), extremes);
    // 5 % of 200 values at each end: the eleventh from outside stays.
    expect(min).toBeCloseTo(-0.895, 2);
    expect(max).toBeCloseTo(0.895, 2);
    expect(min).toBeLessThanOrEqual(-0.8949);
    expect(max).toBeGreaterThanOrEqual(0.8949);
  });

  it("takes (100 − p) / 100 off the magnitudes when symmetric", () => {
    const skewed = Float32Array.from({ length: 100 }, (_, i) => (i < 90 ? i / 1000 : 1 + i));
    const { min, max } = percentileSearch({ percentile: 90, symmetric: true })(histogramOf(skewed), {
      min: 0,
      max: 100,
    });
    expect(max).toBeCloseTo(0.089, 0);
    expect(min).toBe(-max);
  });

  it("is min-max at 100", () => {
    const observer = observerOf({ method: "percentile", percentile: 100 });
    observer.observe(evenly);
    expect(observer.range()).toEqual(observer.extremes);
  });
});

describe("mseSearch", () => {
  it("clips the tails of a normal distribution at 4 bits but hardly at 8", () => {
    const values = normals(50_000);
    const histogram = histogramOf(values);
    const extremes = { min: Math.min(...values), max: Math.max(...values) };
    const four = mseSearch({ scheme: { dtype: "int4", symmetric: true } })(histogram, extremes);
    const eight = mseSearch({ scheme: { dtype: "int8", symmetric: true } })(histogram, extremes);
    // Optimal uniform 15-level quantizer of a unit normal: ±2.6 to ±2.9 (Max 1960 gives step 0.335 for 16 levels).
    expect(four.max).toBeGreaterThan(2.2);
    expect(four.max).toBeLessThan(3.1);
    expect(eight.max).toBeGreaterThan(four.max);
  });

  it("clips one tail alone when the scheme is asymmetric", () => {
    const values = normals(20_000);
    values[0] = 50;
    const histogram = histogramOf(values);
    const extremes = { min: Math.min(...values), max: 50 };
    const found = mseSearch({ scheme: { dtype: "uint4", symmetric: false } })(histogram, extremes);
    expect(found.max).toBeLessThan(12);
    expect(found.min).toBeLessThan(-2);
    expect(found.max).toBeGreaterThan(-found.min);
  });
});
