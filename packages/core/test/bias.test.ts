import * as fc from "fast-check";
import { expect, test } from "vitest";
import { biasScale, enlargeWeightScale, quantizeBias, tensor } from "../src/index.js";
import { caught } from "./caught.js";

const vector = (...values: number[]) => tensor("float32", [values.length], Float32Array.from(values));

test("divides by input scale times weight scale and rounds half to even", () => {
  const scales = new Float32Array([0.25, 0.5]);
  expect([...biasScale(0.5, scales)]).toEqual([0.125, 0.25]);
  expect([...quantizeBias(vector(1, 0.375), 0.5, scales).data]).toEqual([8, 2]);
  expect([...quantizeBias(vector(1, -0.3125), 0.5, new Float32Array([0.25])).data]).toEqual([8, -2]);
});

test("saturates", () => {
  expect([...quantizeBias(vector(1e9, -1e9), 1e-6, new Float32Array([1e-6])).data]).toEqual([
    2147483647, -2147483648,
  ]);
});

test("scales that fit are kept, others enlarged", () => {
  const given = new Float32Array([0.01, 1e-12]);
  const scales = enlargeWeightScale(vector(1, 1), 1, given);
  expect(scales[0]).toBe(given[0]);
  expect(scales[1]).toBeCloseTo((1.0001 * 2) / (2 ** 32 - 2), 15);
  expect(given[1]).toBe(Math.fround(1e-12));
});

test("after the enlargement no bias saturates and the bound holds", () => {
  const positive = fc.float({ min: Math.fround(1e-12), max: 10, noNaN: true });
  const bias = fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(bias, positive, positive, fc.boolean(), (values, input, weight, perChannel) => {
      const b = vector(...values);
      const scales = enlargeWeightScale(
        b,
        input,
        new Float32Array(perChannel ? values.length : 1).fill(weight),
      );
      biasScale(input, scales).forEach((scale, i) => {
        const magnitude = perChannel ? Math.abs(values[i] as number) : Math.max(...values.map(Math.abs));
        expect(scale).toBeGreaterThanOrEqual((1.0001 * 2 * magnitude) / (2 ** 32 - 2));
      });
      for (const q of quantizeBias(b, input, scales).data) expect(Math.abs(q)).toBeLessThan(2147483647);
    }),
  );
});

test.each([
  [
    [1, 2],
    1,
    [1, 1, 1],
    "length",
    "quantizeBias: weight scale: length: expected 1 or 2 (the bias has shape [2]), got 3",
  ],
  [[1], 0, [1], "scale", "quantizeBias: scale: value: expected a positive finite number, got 0"],
  [[NaN], 1, [1], "not-finite", "quantizeBias: element 0: value: expected a finite number, got NaN"],
])("%j with %d and %j is refused", (values, input, weights, code, message) => {
  expect(caught(() => quantizeBias(vector(...values), input, Float32Array.from(weights)))).toMatchObject({
    code,
    message,
  });
});
