import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cast,
  dequantizeLinear,
  integerRange,
  parametersOf,
  perBlock,
  perChannel,
  perTensor,
  quantizeLinear,
  roundHalfEven,
  tensor,
  toFloat32,
  type Granularity,
  type QuantizationParameters,
  type QuantizedDType,
} from "../src/index.js";
import { groupOfEach, tensorWithGranularity } from "./arbitrary.js";
import { caught } from "./caught.js";

const quantizedTypes = ["int8", "uint8", "int4", "uint4", "int16", "uint16"] as const;

function parameters<D extends QuantizedDType | "int32">(
  dtype: D,
  scale: readonly number[],
  zeroPoint: readonly number[],
  granularity: Granularity = perTensor,
): QuantizationParameters<D> {
  return { dtype, granularity, scale: Float32Array.from(scale), zeroPoint: Int32Array.from(zeroPoint) };
}

const vector = (...values: number[]) => tensor("float32", [values.length], Float32Array.from(values));

describe("quantizeLinear", () => {
  test("rounds halves to even", () => {
    const q = quantizeLinear(vector(0.5, 1.5, 2.5, -1.5), parameters("int8", [1], [0]));
    expect([...q.data]).toEqual([0, 2, 2, -2]);
  });

  test("rounds before it adds an odd zero point", () => {
    const q = quantizeLinear(vector(0.5, 1.5, 2.5, -1.5), parameters("int8", [1], [1]));
    expect([...q.data]).toEqual([1, 3, 3, -1]);
  });

  test.each(quantizedTypes)("saturates to the full range of %s, infinities too", (dtype) => {
    const { min, max } = integerRange(dtype);
    const q = quantizeLinear(vector(1e9, -1e9, Infinity, -Infinity, 1), parameters(dtype, [1], [0]));
    expect([...toFloat32(q)]).toEqual([max, min, max, min, 1]);
  });

  test("packs 4-bit types", () => {
    expect([...quantizeLinear(vector(1, -1, 7), parameters("int4", [1], [0])).data]).toEqual([0xf1, 0x07]);
  });

  test("equals clip(rne(float32(x / scale)) + zero point), element by element", () => {
    fc.assert(
      fc.property(
        tensorWithGranularity,
        fc.constantFrom(...quantizedTypes),
        fc.infiniteStream(fc.float({ min: Math.fround(1e-6), max: 50, noNaN: true })),
        fc.infiniteStream(fc.nat(7)),
        ({ x, granularity }, dtype, scales, zeroPoints) => {
          const groups = groupOfEach(x.shape, granularity);
          const count = Math.max(...groups) + 1;
          const p = parameters(dtype, [...scales.take(count)], [...zeroPoints.take(count)], granularity);
          const { min, max } = integerRange(dtype);
          const q = toFloat32(quantizeLinear(x, p));
          const y = dequantizeLinear(quantizeLinear(x, p), p).data;
          for (let i = 0; i < q.length; i++) {
            const g = groups[i] as number;
            const scale = p.scale[g] as number;
            const zero = p.zeroPoint[g] as number;
            const rounded = roundHalfEven(Math.fround((x.data[i] as number) / scale)) + zero;
            expect(q[i]).toBe(Math.min(max, Math.max(min, rounded)));
            expect(y[i]).toBe(Math.fround(((q[i] as number) - zero) * scale));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test("the product with the reciprocal equals the float32 quotient near ties", () => {
    // Pairs whose quotient is as near to a half as float32 operands allow.
    for (let k = 0; k < 20000; k++) {
      const scale = Math.fround(1e-3 + ((k * 2654435761) % 4096) * 1.7e-5);
      const x = Math.fround(((k % 253) - 126.5) * scale);
      const q = quantizeLinear(vector(x), parameters("int8", [scale], [0])).data[0];
      const expected = Math.max(-128, Math.min(127, roundHalfEven(Math.fround(x / scale))));
      if (q !== expected) expect.fail(`${x} / ${scale}: expected ${expected}, got ${q}`);
    }
  });

  test("inside the range the error is at most half a step", () => {
    fc.assert(
      fc.property(tensorWithGranularity, fc.constantFrom(...quantizedTypes), ({ x, granularity }, dtype) => {
        const p = parametersOf(x, { dtype, symmetric: false }, granularity);
        const y = dequantizeLinear(quantizeLinear(x, p), p).data;
        const groups = groupOfEach(x.shape, granularity);
        for (let i = 0; i < y.length; i++) {
          const step = p.scale[groups[i] as number] as number;
          // The rounded zero point may cost another half at one end of an asymmetric range.
          const bound = step * 1.0001 + 1e-6;
          expect(Math.abs((x.data[i] as number) - (y[i] as number))).toBeLessThanOrEqual(bound);
        }
        const s = parametersOf(x, { dtype: "int8", symmetric: true }, granularity);
        const z = dequantizeLinear(quantizeLinear(x, s), s).data;
        for (let i = 0; i < z.length; i++) {
          const step = s.scale[groups[i] as number] as number;
          expect(Math.abs((x.data[i] as number) - (z[i] as number))).toBeLessThanOrEqual((step / 2) * 1.0001);
        }
      }),
    );
  });

  test("per channel along rows, columns and middle axes", () => {
    const x = tensor("float32", [2, 2, 2], new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]));
    const q = (axis: number) => [
      ...quantizeLinear(x, parameters("uint8", [1, 0.5], [0, 10], perChannel(axis))).data,
    ];
    expect(q(0)).toEqual([1, 2, 3, 4, 20, 22, 24, 26]);
    expect(q(1)).toEqual([1, 2, 16, 18, 5, 6, 24, 26]);
    expect(q(2)).toEqual([1, 14, 3, 18, 5, 22, 7, 26]);
  });

  test("per block with a shorter last block", () => {
    const x = tensor("float32", [3, 2], new Float32Array([1, 2, 3, 4, 5, 6]));
    const p = parameters("uint8", [1, 0.5, 0.25, 0.125], [0, 0, 0, 0], perBlock(0, 2));
    expect([...quantizeLinear(x, p).data]).toEqual([1, 4, 3, 8, 20, 48]);
  });

  test("a NaN is named", () => {
    for (const granularity of [perTensor, perChannel(0)]) {
      const p = parameters(
        "int8",
        granularity.kind === "per-tensor" ? [1] : [1, 1],
        [0, 0].slice(granularity.kind === "per-tensor" ? 1 : 0),
        granularity,
      );
      expect(caught(() => quantizeLinear(vector(1, NaN), p))).toMatchObject({
        code: "not-finite",
        message: "quantizeLinear: element 1: value: expected a number, got NaN",
      });
    }
  });

  test.each([
    [
      parameters("int8", [1], [0], perChannel(0)),
      "length",
      "quantizeLinear: scale: length: expected 2 (axis 0 of [2]), got 1",
    ],
    [
      parameters("int8", [1], []),
      "length",
      "quantizeLinear: zeroPoint: length: expected 1 (per-tensor), got 0",
    ],
    [
      parameters("int8", [0], [0]),
      "scale",
      "quantizeLinear: group 0: scale: expected a finite number other than 0, got 0",
    ],
    [
      parameters("int8", [1], [200]),
      "zero-point",
      "quantizeLinear: group 0: zero point: expected -128..127 (int8), got 200",
    ],
  ])("parameters that do not fit are refused: %#", (p, code, message) => {
    expect(caught(() => quantizeLinear(vector(1, 2), p))).toMatchObject({ code, message });
  });
});

describe("dequantizeLinear", () => {
  test("uint8 with a zero point", () => {
    const q = tensor("uint8", [2], new Uint8Array([0, 255]));
    expect([...dequantizeLinear(q, parameters("uint8", [2], [128])).data]).toEqual([-256, 254]);
  });

  test("int32 in float32 steps", () => {
    const q = tensor("int32", [2], new Int32Array([16777217, -5]));
    expect([...dequantizeLinear(q, parameters("int32", [0.5], [0])).data]).toEqual([8388608, -2.5]);
  });

  test.each(quantizedTypes)("%s values that are on the grid survive", (dtype) => {
    const { min, max } = integerRange(dtype);
    const q = cast(vector(min, max, 1), dtype);
    const p = parameters(dtype, [0.25, 0.5, 2], [0, 1, 2], perChannel(0));
    const y = dequantizeLinear(q, p);
    expect([...quantizeLinear(y, p).data]).toEqual([...q.data]);
  });

  test("another dtype than the parameters' is refused", () => {
    expect(caught(() => dequantizeLinear(vector(1), parameters("int8", [1], [0])))).toMatchObject({
      code: "dtype",
      message: "dequantizeLinear: tensor: dtype: expected int8 (the parameters'), got float32",
    });
    expect(
      caught(() => dequantizeLinear(tensor("int8", [1], new Int8Array(1)), parameters("int8", [NaN], [0]))),
    ).toMatchObject({
      code: "scale",
      message: "dequantizeLinear: group 0: scale: expected a finite number, got NaN",
    });
  });
});
