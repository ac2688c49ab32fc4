import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matMulInteger, qLinearMatMul, tensor, zeros } from "../../src/index.js";
import { caught } from "../caught.js";

const u8 = (shape: number[], ...values: number[]) => tensor("uint8", shape, Uint8Array.from(values));
const i8 = (shape: number[], ...values: number[]) => tensor("int8", shape, Int8Array.from(values));

describe("matMulInteger", () => {
  // The example of the ONNX specification, MatMulInteger-10.
  test("the specification's example", () => {
    const a = u8([4, 3], 11, 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0);
    const b = u8([3, 2], 1, 4, 2, 5, 3, 6);
    const y = matMulInteger(a, b, { a: [12], b: [0] });
    expect(y.shape).toEqual([4, 2]);
    expect([...y.data]).toEqual([-38, -83, -44, -98, -50, -113, -56, -128]);
  });

  test("zero points per row and per column", () => {
    const a = u8([2, 2], 1, 2, 3, 4);
    const b = i8([2, 2], 1, -1, 2, -2);
    expect([...matMulInteger(a, b, { a: [1, 2], b: [0, 1] }).data]).toEqual([2, -3, 5, -8]);
  });

  test("vectors and broadcast batches", () => {
    expect(matMulInteger(u8([3], 1, 2, 3), u8([3], 4, 5, 6))).toMatchObject({
      shape: [],
      data: Int32Array.of(32),
    });
    const y = matMulInteger(u8([2, 1, 1, 2], 1, 2, 3, 4), u8([3, 2, 1], 1, 0, 0, 1, 1, 1));
    expect(y.shape).toEqual([2, 3, 1, 1]);
    expect([...y.data]).toEqual([1, 2, 3, 3, 4, 7]);
  });

  test.each([
    [[2, 3], [2, 2], "matMulInteger: [2, 3] x [2, 2]: inner size: expected 3, got 2"],
    [[2, 1, 2], [3, 2, 1], "matMulInteger: [2, 1, 2] x [3, 2, 1]: batch dimension: expected 2 or 1, got 3"],
    [[], [1], "matMulInteger: operands: rank: expected at least 1, got 0 and 1"],
  ])("%j times %j is refused", (a, b, message) => {
    expect(caught(() => matMulInteger(zeros("uint8", a), zeros("uint8", b)))).toMatchObject({
      code: "shape",
      message,
    });
  });
});

describe("qLinearMatMul", () => {
  test("one zero point and scale: rounds to even, saturates", () => {
    const operand = (values: ReturnType<typeof u8>) => ({
      values,
      scale: Float32Array.of(0.5),
      zeroPoint: Int32Array.of(0),
    });
    const a = operand(u8([1, 1], 1));
    const b = operand(u8([1, 4], 2, 6, 10, 255));
    const y = qLinearMatMul(a, b, { dtype: "int8", scale: 1, zeroPoint: 100 });
    expect([...y.data]).toEqual([100, 102, 102, 127]);
  });

  test("a scale per column", () => {
    const y = qLinearMatMul(
      { values: u8([2, 1], 1, 2), scale: Float32Array.of(1, 2), zeroPoint: Int32Array.of(0, 0) },
      { values: i8([1, 2], 3, -3), scale: Float32Array.of(1, 0.5), zeroPoint: Int32Array.of(0, 1) },
      { dtype: "int8", scale: 1, zeroPoint: 0 },
    );
    expect([...y.data]).toEqual([3, -2, 12, -8]);
  });

  test("is within half a step of the real product", () => {
    const bytes = fc.uint8Array({ minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(bytes, bytes, (x, w) => {
        const a = {
          values: tensor("uint8", [3, 4], x),
          scale: Float32Array.of(0.02),
          zeroPoint: Int32Array.of(128),
        };
        const b = {
          values: tensor("uint8", [4, 3], w),
          scale: Float32Array.of(0.01),
          zeroPoint: Int32Array.of(120),
        };
        const y = qLinearMatMul(a, b, { dtype: "uint8", scale: 0.1, zeroPoint: 127 });
        for (let m = 0; m < 3; m++) {
          for (let n = 0; n < 3; n++) {
            let real = 0;
            for (let k = 0; k < 4; k++)
              real += ((x[m * 4 + k] as number) - 128) * 0.02 * ((w[k * 3 + n] as number) - 120) * 0.01;
            const clipped = Math.min(12.8, Math.max(-12.7, real));
            expect(Math.abs(((y.data[m * 3 + n] as number) - 127) * 0.1 - clipped)).toBeLessThan(0.0501);
          }
        }
      }),
    );
  });

  test("scales that fit no row are refused", () => {
    const a = { values: u8([1, 1], 1), scale: Float32Array.of(1, 1), zeroPoint: Int32Array.of(0) };
    const b = { ...a, scale: Float32Array.of(1) };
    expect(caught(() => qLinearMatMul(a, b, { dtype: "int8", scale: 1, zeroPoint: 0 }))).toMatchObject({
      code: "length",
      message: "qLinearMatMul: scale of A: length: expected 1 or 1, got 2",
    });
  });
});
