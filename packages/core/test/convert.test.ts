import { expect, test } from "vitest";
import { cast, dtypes, tensor, toFloat32, zeros, type Tensor } from "../src/index.js";
import { caught } from "./caught.js";

const float = (...values: number[]): Tensor<"float32"> =>
  tensor("float32", [values.length], Float32Array.from(values));

test("toFloat32 reads every dtype", () => {
  for (const dtype of dtypes) expect([...toFloat32(zeros(dtype, [3]))]).toEqual([0, 0, 0]);
  expect([...toFloat32(tensor("float16", [2], Uint16Array.of(0x3c00, 0xc000)))]).toEqual([1, -2]);
  expect([...toFloat32(tensor("bfloat16", [1], Uint16Array.of(0x3f80)))]).toEqual([1]);
  expect([...toFloat32(tensor("int4", [3], Uint8Array.of(0xf1, 0x07)))]).toEqual([1, -1, 7]);
  expect([...toFloat32(tensor("uint4", [2], Uint8Array.of(0xf1)))]).toEqual([1, 15]);
  expect([...toFloat32(tensor("int64", [1], BigInt64Array.of(-5n)))]).toEqual([-5]);
  expect([...toFloat32(tensor("float64", [1], Float64Array.of(0.1)))]).toEqual([Math.fround(0.1)]);
});

test("toFloat32 does not copy float32", () => {
  const t = float(1);
  expect(toFloat32(t)).toBe(t.data);
  expect(cast(t, "float32")).toBe(t);
});

test.each([
  ["int8", [1, -1, 127, -128, 0]],
  ["uint8", [1, 0, 255, 0, 0]],
  ["int32", [1, -1, 300, -300, 0]],
  ["uint32", [1, 0, 300, 0, 0]],
  ["bool", [1, 1, 1, 1, 1]],
  ["int64", [1n, -1n, 300n, -300n, 0n]],
  ["uint64", [1n, 0n, 300n, 0n, 0n]],
] as const)("floats become %s by truncation and saturation", (dtype, expected) => {
  expect([...cast(float(1.9, -1.9, 300, -300, NaN), dtype).data]).toEqual(expected);
});

test("floats become packed 4-bit integers", () => {
  expect([...cast(float(1.9, -9, 300), "int4").data]).toEqual([0x81, 0x07]);
  expect([...cast(float(1.9, -9, 300), "uint4").data]).toEqual([0x01, 0x0f]);
});

test("integers keep their low bits", () => {
  const wide = tensor("int32", [2], Int32Array.of(257, -1));
  expect([...cast(wide, "int8").data]).toEqual([1, -1]);
  expect([...cast(wide, "uint16").data]).toEqual([257, 65535]);
  expect([...cast(wide, "int4").data]).toEqual([0xf1]);
  expect([...cast(wide, "uint64").data]).toEqual([257n, 2n ** 64n - 1n]);
  const big = tensor("int64", [2], BigInt64Array.of(2n ** 32n + 5n, -1n));
  expect([...cast(big, "int32").data]).toEqual([5, -1]);
  expect([...cast(big, "uint32").data]).toEqual([5, 4294967295]);
  expect([...cast(big, "uint64").data]).toEqual([2n ** 32n + 5n, 2n ** 64n - 1n]);
  expect([...cast(big, "bool").data]).toEqual([1, 1]);
  expect([...cast(big, "float64").data]).toEqual([2 ** 32 + 5, -1]);
});

test("floats beyond 64 bits saturate", () => {
  const t = tensor("float64", [2], Float64Array.of(1e300, -1e300));
  expect([...cast(t, "int64").data]).toEqual([2n ** 63n - 1n, -(2n ** 63n)]);
  expect([...cast(t, "uint64").data]).toEqual([2n ** 64n - 1n, 0n]);
});

test("float64 becomes float16 with one rounding", () => {
  // Over float32 this would first become the tie 1 + 2^-11 and then 1.
  expect([...cast(tensor("float64", [1], Float64Array.of(1 + 2 ** -11 + 2 ** -40)), "float16").data]).toEqual(
    [0x3c01],
  );
  expect([...cast(float(1.5), "bfloat16").data]).toEqual([0x3fc0]);
});

test("an unknown target is refused", () => {
  expect(caught(() => cast(float(1), "float8" as "float16"))).toMatchObject({
    code: "dtype",
    message: "cast: target: dtype: expected a known element type, got float8",
  });
});
