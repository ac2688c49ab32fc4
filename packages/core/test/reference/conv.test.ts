import { describe, expect, test } from "vitest";
import { convInteger, qLinearConv, tensor } from "../../src/index.js";
import { caught } from "../caught.js";

const x = tensor("uint8", [1, 1, 3, 3], Uint8Array.of(2, 3, 4, 5, 6, 7, 8, 9, 10));
const ones = tensor("uint8", [1, 1, 2, 2], Uint8Array.of(1, 1, 1, 1));

describe("convInteger", () => {
  // The two examples of the ONNX specification, ConvInteger-10.
  test("the specification's examples", () => {
    expect([...convInteger(x, ones, { xZeroPoint: 1 }).data]).toEqual([12, 16, 24, 28]);
    const padded = convInteger(x, ones, { xZeroPoint: 1, pads: [1, 1, 1, 1] });
    expect(padded.shape).toEqual([1, 1, 4, 4]);
    expect([...padded.data]).toEqual([1, 3, 5, 3, 5, 12, 16, 9, 11, 24, 28, 15, 7, 15, 17, 9]);
  });

  test("strides, dilations, one spatial axis", () => {
    const line = tensor("int8", [1, 1, 6], Int8Array.of(1, 2, 3, 4, 5, 6));
    const w = tensor("int8", [1, 1, 2], Int8Array.of(1, 10));
    expect([...convInteger(line, w, { strides: [2] }).data]).toEqual([21, 43, 65]);
    expect([...convInteger(line, w, { dilations: [3] }).data]).toEqual([41, 52, 63]);
    expect([...convInteger(line, w, { autoPad: "SAME_UPPER" }).data]).toEqual([21, 32, 43, 54, 65, 6]);
    expect([...convInteger(line, w, { autoPad: "SAME_LOWER" }).data]).toEqual([10, 21, 32, 43, 54, 65]);
    expect([...convInteger(line, w, { autoPad: "VALID" }).data]).toEqual([21, 32, 43, 54, 65]);
  });

  test("groups and a zero point per output channel", () => {
    const two = tensor("uint8", [1, 2, 2], Uint8Array.of(1, 2, 3, 4));
    const w = tensor("uint8", [2, 1, 1], Uint8Array.of(5, 7));
    expect([...convInteger(two, w, { group: 2, wZeroPoint: [0, 5] }).data]).toEqual([5, 10, 6, 8]);
  });

  test.each([
    [{ strides: [0, 1] }, "convInteger: strides: values: expected 2 integers of at least 1, got [0, 1]"],
    [{ pads: [1] }, "convInteger: pads: values: expected 4 integers of at least 0, got [1]"],
    [{ group: 2 }, "convInteger: group 2: channels: expected 2 in and a multiple of 2 out, got 1 and 1"],
  ])("%j is refused", (options, message) => {
    expect(caught(() => convInteger(x, ones, options))).toMatchObject({ code: "shape", message });
  });

  test("ranks that differ are refused", () => {
    expect(caught(() => convInteger(x, tensor("uint8", [1, 1, 1], new Uint8Array(1))))).toMatchObject({
      code: "shape",
      message:
        "convInteger: [1, 1, 3, 3] and [1, 1, 1]: rank: expected equal ranks of at least 3, got 4 and 3",
    });
  });
});

describe("qLinearConv", () => {
  const operand = { values: x, scale: Float32Array.of(0.5), zeroPoint: Int32Array.of(1) };
  const kernel = { values: ones, scale: Float32Array.of(1), zeroPoint: Int32Array.of(0) };

  test("scales, bias and zero point", () => {
    const result = { dtype: "uint8", scale: 2, zeroPoint: 3 } as const;
    // sums 12 16 24 28 times 0.5 / 2
    expect([...qLinearConv(operand, kernel, result).data]).toEqual([6, 7, 9, 10]);
    const bias = tensor("int32", [1], Int32Array.of(8));
    expect([...qLinearConv(operand, kernel, { ...result, bias }).data]).toEqual([8, 9, 11, 12]);
  });

  test("a bias of another length is refused", () => {
    const bias = tensor("int32", [2], new Int32Array(2));
    expect(
      caught(() => qLinearConv(operand, kernel, { dtype: "uint8", scale: 1, zeroPoint: 0, bias })),
    ).toMatchObject({
      code: "length",
      message: "qLinearConv: bias: length: expected 1, got 2",
    });
  });
});
