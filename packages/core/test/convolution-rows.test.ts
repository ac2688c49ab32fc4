import { describe, expect, test } from "vitest";
import { convolutionRows, tensor } from "../src/index.js";
import { caught } from "./caught.js";

const counted = (shape: readonly number[]) =>
  tensor(
    "int8",
    shape,
    Int8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );

describe("convolutionRows", () => {
  test("puts the channels of each kernel position side by side", () => {
    const rows = convolutionRows(counted([2, 3, 2, 2]));
    expect(rows.shape).toEqual([2, 12]);
    expect([...rows.data.subarray(0, 12)]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    expect([...rows.data.subarray(12, 15)]).toEqual([12, 16, 20]);
  });

  test("takes one channel or one position as it is, without a copy", () => {
    for (const shape of [
      [4, 1, 3, 3],
      [4, 5, 1],
    ]) {
      const weight = counted(shape);
      expect(convolutionRows(weight).data).toBe(weight.data);
    }
  });

  test("refuses a matrix", () => {
    expect(caught(() => convolutionRows(counted([2, 3])))).toMatchObject({
      code: "shape",
      message: "convolutionRows: weight: shape: expected [out, in, ...kernel], got [2, 3]",
    });
  });
});
