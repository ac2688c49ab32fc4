import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from "../src/index.js";

// IEEE 754-2019, binary16; the ties are those of its interchange format.
test.each([
  [0, 0],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [65519.99, 0x7bff],
  [65520, 0x7c00],
  [-Infinity, 0xfc00],
  [NaN, 0x7e00],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [2 ** -25 * 1.0001, 0x0001],
  [3 * 2 ** -25, 0x0002],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [2 - 2 ** -11, 0x4000],
  [1 + 2 ** -11 + 2 ** -40, 0x3c01],
])("float16 of %d is bits %d", (x, bits) => {
  expect(float32ToFloat16(x)).toBe(bits);
});

test("every float16 survives the way to float32 and back", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const real = float16ToFloat32(bits);
    if (Number.isNaN(real)) expect(float32ToFloat16(real)).toBe(0x7e00);
    else if (float32ToFloat16(real) !== bits) expect.fail(`bits ${bits}: ${real}: ${float32ToFloat16(real)}`);
  }
});

test("float16 rounds to the nearest", () => {
  fc.assert(
    fc.property(fc.double({ min: -65000, max: 65000, noNaN: true }), (x) => {
      const bits = float32ToFloat16(x);
      const error = Math.abs(x - float16ToFloat32(bits));
      for (const neighbour of [bits - 1, bits + 1]) {
        if ((neighbour & 0x7fff) < 0x7c00 && (neighbour & 0x8000) === (bits & 0x8000)) {
          expect(error).toBeLessThanOrEqual(Math.abs(x - float16ToFloat32(neighbour)));
        }
      }
    }),
  );
});

test.each([
  [1, 0x3f80],
  [1 + 2 ** -8, 0x3f80],
  [1 + 3 * 2 ** -8, 0x3f82],
  [-1.5, 0xbfc0],
  [3.4028234663852886e38, 0x7f80],
  [NaN, 0x7fc0],
])("bfloat16 of %d is bits %d", (x, bits) => {
  expect(float32ToBfloat16(x)).toBe(bits);
});

test("every bfloat16 survives the way to float32 and back", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const real = bfloat16ToFloat32(bits);
    if (!Number.isNaN(real) && float32ToBfloat16(real) !== bits) expect.fail(`bits ${bits}`);
  }
});
