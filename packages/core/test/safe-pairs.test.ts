import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countUnsafePairs,
  type Granularity,
  pairRanges,
  parametersOf,
  perBlock,
  perChannel,
  perTensor,
  quantizationSqnrDb,
  quantizeLinear,
  safePairParameters,
  safePairSteps,
  seededRandom,
  tensor,
} from "../src/index.js";
import { caught } from "./caught.js";

const int8 = { dtype: "int8", symmetric: true } as const;
const asymmetric = { dtype: "int8", symmetric: false } as const;

/** Weights of a product that are bell-shaped, as trained ones are. */
function bellShaped(rows: number, columns: number): Float32Array {
  const random = seededRandom(7);
  return Float32Array.from({ length: rows * columns }, () => {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += random.uniform();
    return sum - 6;
  });
}

describe("pairRanges", () => {
  it("adds rows 2i and 2i + 1 of each column, and no others", () => {
    const x = tensor("float32", [5, 2], Float32Array.of(1, -1, 2, -2, 3, 30, -7, -3, 100, 100));
    expect(pairRanges(x, perChannel(1), 0)).toEqual({
      min: Float32Array.of(-4, -3),
      max: Float32Array.of(3, 27),
    });
    expect(pairRanges(x, perTensor, 0)).toEqual({ min: Float32Array.of(-4), max: Float32Array.of(27) });
  });

  it("adds neighbours along the last axis, an odd one left alone", () => {
    const x = tensor("float32", [2, 3], Float32Array.of(1, 2, 9, -4, -5, -9));
    expect(pairRanges(x, perChannel(0), 1)).toEqual({
      min: Float32Array.of(0, -9),
      max: Float32Array.of(3, 0),
    });
  });

  it("finds channels in front of, behind and beside the summed axis of any rank", () => {
    // A convolution's [output channels, channels, width]: pairs are channels at the same place.
    const x = tensor(
      "float32",
      [2, 2, 3],
      Float32Array.from({ length: 12 }, (_, i) => i),
    );
    expect([...pairRanges(x, perChannel(0), 1).max]).toEqual([7, 19]);
    // Channels behind the pairs, and something behind the channels.
    expect([...pairRanges(x, perChannel(1), 0).max]).toEqual([2 + 8, 5 + 11]);
    expect([...pairRanges(x, perChannel(2), 0).max]).toEqual([3 + 9, 4 + 10, 5 + 11]);
    expect([...pairRanges(x, perTensor, 1).max]).toEqual([19]);
  });

  it("tells axes apart by their place, not by their size", () => {
    // One output channel that sums three inputs, and three channels that sum one.
    for (const [shape, channel, summed, max] of [
      [[1, 4], 0, 1, [7]],
      [[4, 1], 1, 0, [7]],
      [[1, 4], 1, 0, [0, 0, 0, 0]],
      [[4, 1], 0, 1, [0, 0, 0, 0]],
      [[1, 1], 0, 1, [0]],
      [[1, 4], -2, -1, [7]],
    ] as const) {
      const data = Float32Array.of(1, 2, 3, 4).slice(0, shape[0] * shape[1]);
      expect([...pairRanges(tensor("float32", shape, data), perChannel(channel), summed).max]).toEqual(max);
    }
  });

  it("refuses scales along the summed axis, blocks, and an axis that is none", () => {
    const x = tensor("float32", [2, 2], new Float32Array(4));
    expect(caught(() => pairRanges(x, perChannel(0), 0))).toMatchObject({
      code: "scheme",
      message:
        "pairRanges: [2, 2]: granularity: expected one scale a tensor, or scales along another axis than the summed one, got scales along the summed axis 0",
    });
    expect(caught(() => pairRanges(x, perBlock(0, 2), 1))).toMatchObject({ code: "scheme" });
    expect(caught(() => pairRanges(x, perTensor, 2))).toMatchObject({ code: "axis" });
  });
});

describe("safePairParameters", () => {
  it("gives the larger of the scales of single weights and of pairs", () => {
    // Column 0: a pair of 2; column 1: unlike signs; column 2: a pair that fits beside a larger weight.
    const x = tensor("float32", [4, 3], Float32Array.of(1, 1, 0.4, 1, -1, 0.4, 0, 0, 1, 0, 0, -1));
    const { scale, zeroPoint } = safePairParameters(x, int8, perChannel(1), [0]);
    expect(scale).toEqual(Float32Array.of(2 / safePairSteps, 1 / 127, 1 / 127));
    expect([...zeroPoint]).toEqual([0, 0, 0]);
    const q = quantizeLinear(x, safePairParameters(x, int8, perChannel(1), [0]));
    expect(q.data.slice(0, 4)).toEqual(Int8Array.of(64, 127, 51, 64));
  });

  it("is parametersOf without a summed axis, without pairs, and with 7 bits", () => {
    const x = tensor("float32", [2, 2], Float32Array.of(1, 2, 1, 3));
    expect(safePairParameters(x, int8, perChannel(1), [])).toEqual(parametersOf(x, int8, perChannel(1)));
    const row = tensor("float32", [1, 2], Float32Array.of(1, 2));
    expect(safePairParameters(row, asymmetric, perChannel(1), [0])).toEqual(
      parametersOf(row, asymmetric, perChannel(1)),
    );
    const reduced = { ...int8, reduceRange: true };
    expect(safePairParameters(x, reduced, perChannel(1), [0])).toEqual(
      parametersOf(x, reduced, perChannel(1)),
    );
  });

  it("gives weights of zero the scale 1", () => {
    const x = tensor("float32", [2, 1], Float32Array.of(0, 0));
    expect(safePairParameters(x, int8, perTensor, [0])).toMatchObject({ scale: Float32Array.of(1) });
    expect(safePairParameters(x, asymmetric, perTensor, [0])).toMatchObject({ scale: Float32Array.of(1) });
  });

  it.each([
    ["symmetric", int8],
    ["asymmetric", asymmetric],
  ])("leaves no unsafe pair and rounds each %s weight by at most a step", (_, scheme) => {
    const value = fc.oneof(
      fc.float({ min: -1, max: 1, noNaN: true }),
      fc.constantFrom(-1, 1, 0.5, -0.5, 0),
      fc.float({ min: Math.fround(0.9), max: 1, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(value, { minLength: 28, maxLength: 28 }),
        fc.integer({ min: -30, max: 30 }),
        fc.constantFrom<[Granularity, number[]]>([perTensor, [0]], [perTensor, [0, 1]], [perChannel(1), [0]]),
        (rows, columns, values, exponent, [granularity, axes]) => {
          const data = Float32Array.from(values.slice(0, rows * columns), (v) => v * 2 ** exponent);
          const x = tensor("float32", [rows, columns], data);
          const p = safePairParameters(x, scheme, granularity, axes);
          const q = quantizeLinear(x, p);
          for (const axis of axes) expect(countUnsafePairs(q, axis)).toBe(0);
          for (const [i, v] of data.entries()) {
            const g = granularity.kind === "per-tensor" ? 0 : i % columns;
            const real = ((q.data[i] as number) - (p.zeroPoint[g] as number)) * (p.scale[g] as number);
            // A half step of rounding, and with a zero point another half at the ends of the range.
            expect(Math.abs(v - real)).toBeLessThanOrEqual(
              (scheme.symmetric ? 0.50001 : 1.00001) * (p.scale[g] as number),
            );
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("costs bell-shaped weights less than 3 dB, and 7 bits 6", () => {
    const x = tensor("float32", [256, 64], bellShaped(256, 64));
    const lost = (p: ReturnType<typeof parametersOf>): number =>
      quantizationSqnrDb(
        x,
        quantizeLinear(x, parametersOf(x, int8, perChannel(1))),
        parametersOf(x, int8, perChannel(1)),
      ) - quantizationSqnrDb(x, quantizeLinear(x, p), p);
    const safe = lost(safePairParameters(x, int8, perChannel(1), [0]));
    const reduced = lost(parametersOf(x, { ...int8, reduceRange: true }, perChannel(1)));
    expect(safe).toBeGreaterThan(1.5);
    expect(safe).toBeLessThan(3);
    expect(reduced).toBeGreaterThan(5.5);
  });

  it("refuses what is not finite, also where only a sum is not", () => {
    const huge = tensor("float32", [2, 1], Float32Array.of(3e38, 3e38));
    expect(caught(() => safePairParameters(huge, asymmetric, perTensor, [0]))).toMatchObject({
      code: "range",
      message: expect.stringContaining("sum of two neighbours: expected a finite float32 number") as string,
    });
    const nan = tensor("float32", [2, 1], Float32Array.of(1, Number.NaN));
    expect(caught(() => safePairParameters(nan, int8, perTensor, [0]))).toMatchObject({ code: "not-finite" });
  });
});

describe("countUnsafePairs", () => {
  it("counts like-signed neighbours over 128, stored as they are", () => {
    const q = tensor("int8", [6, 1], Int8Array.of(64, 64, 64, 65, -128, -1));
    expect(countUnsafePairs(q, 0)).toBe(2);
    expect(countUnsafePairs(tensor("int8", [2, 2], Int8Array.of(127, -127, -128, 127)), 0)).toBe(0);
    expect(countUnsafePairs(tensor("int8", [2, 2], Int8Array.of(127, 127, -127, -127)), 0)).toBe(0);
    expect(countUnsafePairs(tensor("int8", [2, 2], Int8Array.of(127, 127, -127, -127)), 1)).toBe(2);
  });

  it("is what exact and saturating sums differ by, for every pair of int8 weights", () => {
    const clip = (v: number): number => Math.min(32767, Math.max(-32768, v));
    for (let a = -128; a <= 127; a++) {
      for (let b = -128; b <= 127; b++) {
        const wrong = [0, 255].some((x) => [0, 255].some((y) => clip(x * a + y * b) !== x * a + y * b));
        expect(countUnsafePairs(tensor("int8", [2], Int8Array.of(a, b)), 0) === 1).toBe(wrong);
      }
    }
  });
});
