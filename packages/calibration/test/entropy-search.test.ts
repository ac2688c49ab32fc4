import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entropySearch, type Histogram, streamingHistogram } from "../src/index.js";
import { normals } from "./random-samples.js";

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

/** The definition, bin by bin: the search must agree with it. */
const plainSearch = ({ counts, stride }: Histogram, levels: number): number => {
  const middle = counts.length / 2;
  const epsilon = 1e-4;
  const smooth = (values: number[], empty: boolean[]): number[] => {
    const zeros = empty.filter(Boolean).length;
    const taken = (epsilon * zeros) / (values.length - zeros);
    return values.map((value, i) => (empty[i] ? epsilon : value - taken));
  };
  let best = middle;
  let smallest = Number.POSITIVE_INFINITY;
  for (let half = Math.ceil(levels / 2); half <= middle; half++) {
    const [start, end] = [middle - half, middle + half];
    const slice = [...counts.subarray(start, end)];
    const p = [...slice];
    p[0] = (p[0] as number) + sum(counts.subarray(0, start));
    p[p.length - 1] = (p.at(-1) as number) + sum(counts.subarray(end));
    const merge = Math.floor(slice.length / levels);
    const q = p.map(() => 0);
    for (let group = 0; group < levels; group++) {
      const from = group * merge;
      const to = group === levels - 1 ? p.length : from + merge;
      const filled = p.slice(from, to).filter((value) => value > 0).length;
      const level = filled === 0 ? 0 : sum(slice.slice(from, to)) / filled;
      for (let i = from; i < to; i++) if ((p[i] as number) > 0) q[i] = level;
    }
    const smoothP = smooth(
      p,
      p.map((value) => value === 0),
    );
    const smoothQ = smooth(
      q,
      q.map((value) => value === 0),
    );
    if (smoothQ.some((value) => value <= 0)) continue;
    const [totalP, totalQ] = [sum(smoothP), sum(smoothQ)];
    let divergence = 0;
    for (let i = 0; i < p.length; i++) {
      const share = (smoothP[i] as number) / totalP;
      divergence += share * Math.log(share / ((smoothQ[i] as number) / totalQ));
    }
    if (divergence < smallest) {
      smallest = divergence;
      best = half;
    }
  }
  return best * stride;
};

const read = (samples: readonly Float32Array[], bins: number): Histogram => {
  const histogram = streamingHistogram({ bins });
  for (const sample of samples) histogram.add(sample);
  return histogram.read();
};

describe("entropySearch", () => {
  it.each([31, 63, 64])("agrees with the plain definition at %i levels", (levels) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 20 }), (seed, outlier) => {
        const values = normals(4000, seed);
        if (outlier > 0) values[0] = outlier;
        const histogram = read([values], 256);
        const { max } = entropySearch({ levels })(histogram, { min: -1, max: 1 });
        const expected = plainSearch(histogram, levels);
        // The smoothing is of first order in ε here, so neighbouring candidates may swap.
        expect(Math.abs(max - expected)).toBeLessThanOrEqual(3 * histogram.stride);
      }),
      { numRuns: 15 },
    );
  });

  it("cuts off an outlier that min-max keeps", () => {
    const values = normals(20_000);
    values[0] = 40;
    const { max } = entropySearch({ levels: 255 })(read([values], 2048), { min: -6, max: 40 });
    expect(max).toBeLessThan(12);
  });
});
