import { describe, expect, test } from "vitest";
import { bitsOf, byteLength, dtypes, elementCount, reshape, tensor, zeros } from "../src/index.js";
import { isDType } from "../src/dtype.js";
import { caught } from "./caught.js";

describe("tensor", () => {
  test("keeps the data without copying", () => {
    const data = new Float32Array([1, 2, 3, 4]);
    expect(tensor("float32", [2, 2], data).data).toBe(data);
  });

  test.each([
    [
      "float32",
      [2, 2],
      new Float32Array(3),
      "data-length",
      "tensor: float32 [2, 2]: data length: expected 4, got 3",
    ],
    ["int4", [3], new Uint8Array(3), "data-length", "tensor: int4 [3]: data length: expected 2, got 3"],
    [
      "float32",
      [2],
      new Float64Array(2),
      "dtype",
      "tensor: float32: storage: expected Float32Array, got Float64Array",
    ],
    ["float8", [2], new Uint8Array(2), "dtype", "tensor: dtype: expected a known element type, got float8"],
    [
      "int8",
      [2, -1],
      new Int8Array(2),
      "shape",
      "elementCount: [2, -1]: dimension: expected an integer of at least 0, got -1",
    ],
  ])("%s %j is refused", (dtype, shape, data, code, message) => {
    expect(caught(() => tensor(dtype as "float32", shape, data as Float32Array<ArrayBuffer>))).toMatchObject({
      code,
      message,
      kind: "input",
    });
  });

  test("zeros makes the storage of every dtype", () => {
    for (const dtype of dtypes) expect(zeros(dtype, [3]).data.byteLength).toBe(byteLength(dtype, [3]));
    expect(dtypes).toHaveLength(15);
  });

  test("reshape keeps the data and refuses another count", () => {
    const t = zeros("int8", [2, 3]);
    expect(reshape(t, [6]).data).toBe(t.data);
    expect(caught(() => reshape(t, [5]))).toMatchObject({
      code: "shape",
      message: "reshape: [2, 3] to [5]: elements: expected 6, got 5",
    });
  });
});

test("elementCount and byteLength", () => {
  expect(elementCount([])).toBe(1);
  expect(elementCount([2, 0, 3])).toBe(0);
  expect(byteLength("uint4", [3])).toBe(2);
  expect(byteLength("float16", [3])).toBe(6);
  expect(bitsOf("bool")).toBe(8);
  expect(isDType("toString")).toBe(false);
  expect(caught(() => elementCount([2 ** 30, 2 ** 30]))).toMatchObject({ code: "shape" });
});
