import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chooseScale,
  CoreError,
  quantRange,
  type QuantizationScheme,
  type QuantizedDType,
} from "../src/index.js";
import { caught } from "./caught.js";

// Values of ONNX Runtime 1.30's Python quantizer for the range [-0.5, 1].
const golden: readonly (readonly [QuantizationScheme, number, number])[] = [
  [{ dtype: "int8", symmetric: true }, 0.00787402, 0],
  [{ dtype: "int8", symmetric: false }, 0.00588235, -43],
  [{ dtype: "uint8", symmetric: true }, 0.00784314, 128],
  [{ dtype: "uint8", symmetric: false }, 0.00588235, 85],
  [{ dtype: "int8", symmetric: true, reduceRange: true }, 0.015625, 0],
  [{ dtype: "uint8", symmetric: false, reduceRange: true }, 0.01181102, 42],
  [{ dtype: "int8", symmetric: false, reduceRange: true }, 0.01171875, -21],
  [{ dtype: "uint4", symmetric: false }, 0.1, 5],
];

describe("chooseScale", () => {
  test.each(golden)("[-0.5, 1] with %j gives scale %d and zero point %d", (scheme, scale, zeroPoint) => {
    const chosen = chooseScale(-0.5, 1, scheme);
    expect(chosen.scale).toBeCloseTo(scale, 8);
    expect(chosen.scale).toBe(Math.fround(chosen.scale));
    expect(chosen.zeroPoint).toBe(zeroPoint);
  });

  test("a symmetric range reaches as far as the larger of its ends", () => {
    for (const [min, max] of [
      [-4, 1],
      [-1, 4],
      [-4, -1],
    ] as const)
      expect(chooseScale(min, max, { dtype: "int8", symmetric: true }).scale).toBe(Math.fround(4 / 127));
  });

  test("a range without 0 is widened to it", () => {
    expect(chooseScale(0.2, 1, { dtype: "uint8", symmetric: false })).toEqual({
      scale: Math.fround(1 / 255),
      zeroPoint: 0,
    });
    expect(chooseScale(-1, -0.2, { dtype: "uint8", symmetric: false }).zeroPoint).toBe(255);
  });

  test.each([0, 1e-40])("a range of width %d gives (1, 0), also for uint8 symmetric", (width) => {
    for (const symmetric of [true, false]) {
      expect(chooseScale(0, width, { dtype: "uint8", symmetric })).toEqual({ scale: 1, zeroPoint: 0 });
    }
  });

  test("minRealRange widens the top", () => {
    expect(chooseScale(-1, 0, { dtype: "uint8", symmetric: false, minRealRange: 2 })).toEqual({
      scale: Math.fround(2 / 255),
      zeroPoint: 128,
    });
  });

  test("fullRange gives int4 symmetric -8..7", () => {
    expect(chooseScale(-1, 1, { dtype: "int4", symmetric: true, fullRange: true }).scale).toBe(
      Math.fround(2 / 15),
    );
    expect(chooseScale(-1, 1, { dtype: "int4", symmetric: true }).scale).toBe(Math.fround(1 / 7));
  });

  test("the zero point lies in the scheme's range and 0 is exact", () => {
    const real = fc.double({ min: -1e30, max: 1e30, noNaN: true });
    const dtype = fc.constantFrom<QuantizedDType>("int8", "uint8", "int4", "uint4", "int16", "uint16");
    fc.assert(
      fc.property(real, real, dtype, fc.boolean(), (a, b, type, symmetric) => {
        const scheme = { dtype: type, symmetric };
        const { quantMin, quantMax } = quantRange(scheme);
        const { scale, zeroPoint } = chooseScale(Math.min(a, b), Math.max(a, b), scheme);
        expect(Number.isInteger(zeroPoint)).toBe(true);
        expect(zeroPoint).toBeLessThanOrEqual(quantMax);
        if (scale !== 1) expect(zeroPoint).toBeGreaterThanOrEqual(quantMin);
        expect(scale).toBeGreaterThan(0);
      }),
    );
  });

  test.each([
    [NaN, 1, "not-finite", "chooseScale: range: bounds: expected finite numbers, got [NaN, 1]"],
    [0, Infinity, "not-finite", "chooseScale: range: bounds: expected finite numbers, got [0, Infinity]"],
    [2, 1, "range", "chooseScale: range: order: expected min <= max, got [2, 1]"],
  ])("[%d, %d] is refused", (min, max, code, message) => {
    const error = caught(() => chooseScale(min, max, { dtype: "int8", symmetric: true }));
    expect(error).toMatchObject({ code, message, kind: "input" });
    expect(error).toBeInstanceOf(CoreError);
  });

  test("a negative minRealRange is refused", () => {
    expect(
      caught(() => chooseScale(0, 1, { dtype: "int8", symmetric: true, minRealRange: -1 })),
    ).toMatchObject({
      code: "range",
      message: "chooseScale: minRealRange: value: expected a finite number of at least 0, got -1",
    });
  });
});

describe("quantRange", () => {
  test.each([
    ["int8", [-128, 127], [-127, 127], [-64, 64]],
    ["uint8", [0, 255], [0, 255], [0, 127]],
    ["int4", [-8, 7], [-7, 7], [-4, 3]],
    ["uint4", [0, 15], [0, 15], [0, 7]],
    ["int16", [-32768, 32767], [-32767, 32767], undefined],
    ["uint16", [0, 65535], [0, 65535], undefined],
  ] as const)("%s", (dtype, full, symmetric, reduced) => {
    const range = (scheme: Omit<QuantizationScheme, "dtype">) =>
      Object.values(quantRange({ dtype, ...scheme }));
    expect(range({ symmetric: false })).toEqual(full);
    expect(range({ symmetric: true })).toEqual(symmetric);
    expect(range({ symmetric: true, fullRange: true })).toEqual(full);
    if (reduced) expect(range({ symmetric: true, reduceRange: true })).toEqual(reduced);
    else {
      expect(caught(() => range({ symmetric: true, reduceRange: true }))).toMatchObject({
        code: "scheme",
        message: `quantRange: ${dtype}: reduced range: expected a type of 4 or 8 bits, got ${dtype}`,
      });
    }
  });
});
