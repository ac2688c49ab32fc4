import { expect, test } from "vitest";
import { dynamicQuantizeLinear, tensor } from "../src/index.js";
import { caught } from "./caught.js";

const quantize = (...values: number[]) =>
  dynamicQuantizeLinear(tensor("float32", [values.length], Float32Array.from(values)));

// ONNX Runtime 1.30, CPU kernel.
test.each([
  [[0, 0], 1, 0],
  [[3, 3], Math.fround(3 / 255), 0],
  [[-3, -3], Math.fround(3 / 255), 255],
  [[-1, 2], Math.fround(3 / 255), 85],
  [[], 1, 0],
])("%j gives scale %d and zero point %d", (values, scale, zeroPoint) => {
  expect(quantize(...values)).toMatchObject({ scale, zeroPoint });
});

// The example of the ONNX specification, DynamicQuantizeLinear-11.
test("the specification's example", () => {
  const { y, scale, zeroPoint } = quantize(0, 2, -3, -2.5, 1.34, 0.5);
  expect(scale).toBe(Math.fround(0.0196078438311815));
  expect(zeroPoint).toBe(153);
  expect([...y.data]).toEqual([153, 255, 0, 26, 221, 179]);
});

test("a NaN is refused", () => {
  expect(caught(() => quantize(1, NaN))).toMatchObject({
    code: "not-finite",
    message: "groupRanges: element 1: value: expected a finite number, got NaN",
  });
});
