import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { streamingHistogram } from "../src/index.js";
import { normals } from "./random-samples.js";

const samples = fc.array(
  fc
    .array(fc.float({ min: Math.fround(-1e6), max: Math.fround(1e6), noNaN: true }), {
      minLength: 1,
      maxLength: 20,
    })
    .map((values) => Float32Array.from(values)),
  { minLength: 1, maxLength: 20 },
);

describe("streamingHistogram", () => {
  it("counts over [−T, T] with T the first sample's largest magnitude", () => {
    const histogram = streamingHistogram({ bins: 256 });
    histogram.add(Float32Array.of(-4, 0, 1, 4));
    const { counts, limit, stride, total } = histogram.read();
    expect([limit, stride, total, counts.length]).toEqual([4, 8 / 256, 4, 256]);
    expect([counts[0], counts[128], counts[160], counts[255]]).toEqual([1, 1, 1, 1]);
  });

  it("grows by whole bins on both sides and keeps old counts in their place", () => {
    const histogram = streamingHistogram({ bins: 256 });
    histogram.add(Float32Array.of(-4, 1, 4));
    histogram.add(Float32Array.of(5));
    const { counts, limit, stride } = histogram.read();
    // ⌊(5 − 4) / (8 / 256)⌋ + 1 = 33 bins a side.
    expect(counts.length).toBe(256 + 66);
    expect(limit).toBe(4 + 33 * (8 / 256));
    expect([counts[33], counts[33 + 160], counts[33 + 255]]).toEqual([1, 1, 1]);
    expect(counts[Math.floor((5 + limit) / stride)]).toBe(1);
  });

  it("keeps leading zeros", () => {
    const histogram = streamingHistogram({ bins: 256 });
    histogram.add(new Float32Array(10));
    histogram.add(Float32Array.of(1));
    const { counts, total } = histogram.read();
    expect([total, counts[128]]).toEqual([11, 10]);
  });

  it("loses nothing, covers everything, and stays small whatever comes", () => {
    fc.assert(
      fc.property(samples, (values) => {
        const histogram = streamingHistogram({ bins: 256 });
        for (const sample of values) histogram.add(sample);
        const { counts, limit, stride, total } = histogram.read();
        const all = values.flatMap((sample) => [...sample]);
        const magnitude = Math.max(...all.map(Math.abs));
        expect(total).toBe(all.length);
        if (magnitude === 0) return;
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all.length);
        expect(limit).toBeGreaterThanOrEqual(magnitude * (1 - 1e-12));
        expect(Math.abs(counts.length * stride - 2 * limit)).toBeLessThan(limit * 1e-9);
        expect(counts.length).toBeLessThanOrEqual(4 * 256 + 2);
      }),
    );
  });

  it("still has a fine resolution after growing a millionfold", () => {
    const histogram = streamingHistogram({ bins: 2048 });
    histogram.add(Float32Array.of(1e-6));
    histogram.add(normals(1000));
    const { counts, limit } = histogram.read();
    expect(limit).toBeLessThan(10);
    expect(counts.length).toBeGreaterThanOrEqual(2048);
  });
});
