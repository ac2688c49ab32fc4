import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  cosineSimilarity,
  dequantizeLinear,
  maxAbsoluteError,
  parametersOf,
  quantizationSqnrDb,
  quantizeLinear,
  sqnrDb,
  tensor,
} from "../src/index.js";
import { tensorWithGranularity } from "./arbitrary.js";
import { caught } from "./caught.js";

const f32 = (...values: number[]) => Float32Array.from(values);

test("sqnrDb", () => {
  expect(sqnrDb(f32(10, 0), f32(9, 0))).toBeCloseTo(20, 10);
  expect(sqnrDb(f32(1), f32(1))).toBe(Infinity);
  expect(sqnrDb(f32(0), f32(1))).toBe(-Infinity);
  expect(sqnrDb(f32(1), f32(NaN))).toBeNaN();
});

test("a bit more is about 6 dB more", () => {
  const x = tensor(
    "float32",
    [1000],
    Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i * 0.7)),
  );
  const db = (dtype: "int4" | "int8" | "int16") => {
    const p = parametersOf(x, { dtype, symmetric: true }, { kind: "per-tensor" });
    return quantizationSqnrDb(x, quantizeLinear(x, p), p);
  };
  expect(db("int8") - db("int4")).toBeGreaterThan(20);
  expect((db("int16") - db("int8")) / 8).toBeCloseTo(6.02, 0);
});

test("quantizationSqnrDb equals sqnrDb of the dequantized tensor", () => {
  fc.assert(
    fc.property(
      tensorWithGranularity,
      fc.constantFrom("int8", "uint4", "int16"),
      ({ x, granularity }, dtype) => {
        const p = parametersOf(x, { dtype: dtype as "int8", symmetric: false }, granularity);
        const q = quantizeLinear(x, p);
        expect(quantizationSqnrDb(x, q, p)).toBe(sqnrDb(x.data, dequantizeLinear(q, p).data));
      },
    ),
  );
});

test("cosineSimilarity", () => {
  expect(cosineSimilarity(f32(1, 0), f32(1, 1))).toBeCloseTo(Math.SQRT1_2, 12);
  expect(cosineSimilarity(f32(1, 2), f32(-1, -2))).toBeCloseTo(-1, 12);
  expect(cosineSimilarity(f32(0), f32(0))).toBe(1);
  expect(cosineSimilarity(f32(0), f32(1))).toBe(0);
});

test("maxAbsoluteError", () => {
  expect(maxAbsoluteError(f32(1, 2), f32(1, 4))).toBe(2);
  expect(maxAbsoluteError(f32(Infinity), f32(Infinity))).toBe(0);
  expect(maxAbsoluteError(f32(1, 5), f32(NaN, 1))).toBeNaN();
  expect(maxAbsoluteError(f32(), f32())).toBe(0);
});

test.each([sqnrDb, cosineSimilarity, maxAbsoluteError])(
  "arrays of different length are refused",
  (metric) => {
    expect(caught(() => metric(f32(1), f32(1, 2)))).toMatchObject({
      code: "length",
      message: `${metric.name}: second array: length: expected 1, got 2`,
    });
  },
);
