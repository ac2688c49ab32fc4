import { describe, expect, it } from "vitest";
import { countedValues, layoutOf, type TokenMask } from "../src/counted-values.js";

const take = (
  values: readonly number[],
  shape: readonly number[],
  { mask, row = 0, fixed = [] }: { mask?: TokenMask; row?: number; fixed?: readonly boolean[] } = {},
) => {
  const layout = layoutOf(shape, mask ?? { rows: shape[0] ?? 1, length: 0 }, fixed);
  const found = countedValues(Float32Array.from(values), row, {
    layout,
    mask,
    scratch: new Float32Array(values.length),
    maskedBelow: -1e4,
    tensor: "h",
    sample: 5,
  });
  return { values: [...found.values], masked: found.masked };
};

/** Two sentences of length 2 and 1 in a batch. */
const mask: TokenMask = { rows: 2, length: 2, real: Uint8Array.of(1, 1, 1, 0) };

describe("countedValues", () => {
  it("leaves out padding of [batch, length, features]", () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    expect(take(values, [2, 2, 3], { mask }).values).toEqual([1, 2, 3, 4, 5, 6]);
    expect(take(values, [2, 2, 3], { mask, row: 1 }).values).toEqual([7, 8, 9]);
  });

  it("leaves out rows and columns of padding in [batch, heads, length, length]", () => {
    const values = Array.from({ length: 16 }, (_, i) => i);
    // Second sentence, two heads: of each 2 × 2 scores only the first is between real tokens.
    expect(take(values, [2, 2, 2, 2], { mask, row: 1, fixed: [false, true, false, false] }).values).toEqual([
      8, 12,
    ]);
  });

  it("counts a score that is as low as a mask as masked", () => {
    expect(take([3, -1e4, 2, -9999], [1, 4])).toEqual({ values: [3, 2, -9999], masked: 1 });
  });

  it("leaves out padding of a flattened batch", () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    expect(take(values, [4, 3], { mask }).values).toEqual([1, 2, 3, 4, 5, 6]);
    expect(take(values, [4, 3], { mask, row: 1 }).values).toEqual([7, 8, 9]);
  });

  it("does not take a fixed size for the length", () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(take(values, [2, 2, 2], { mask, row: 1, fixed: [false, false, true] }).values).toEqual([5, 6]);
    expect(take(values, [2, 2, 2], { mask, row: 1 }).values).toEqual([5]);
  });

  it("leaves out masked scores and counts them", () => {
    expect(take([0.5, -1e4, -10_003, -3.4e38, Number.NEGATIVE_INFINITY, -9999], [1, 6])).toEqual({
      values: [0.5, -9999],
      masked: 4,
    });
  });

  it("ignores whatever padding holds, NaN too", () => {
    const values = [1, 2, 3, 4, 5, 6, Number.NaN, Number.POSITIVE_INFINITY];
    expect(take(values, [2, 2, 2], { mask, row: 1, fixed: [false, false, true] }).values).toEqual([5, 6]);
  });

  it.each([
    [Number.NaN, "nan", "NaN"],
    [Number.POSITIVE_INFINITY, "infinite-value", "Infinity"],
  ])("refuses %d at a real position", (value, code, text) => {
    expect(() => take([1, value], [1, 2])).toThrow(
      expect.objectContaining({
        code,
        tensor: "h",
        sample: 5,
        message: `calibrate: tensor h, sample 5: value: expected finite numbers, got ${text}; check the model in float32 on this sample`,
      }),
    );
  });
});
