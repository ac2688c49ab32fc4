import { describe, expect, it } from "vitest";
import { countedValues } from "../src/counted-values.js";
import { noRuns } from "../src/real-positions.js";

const take = (values: readonly number[], ...pairs: readonly (readonly [number, number])[]) => {
  const runs = noRuns();
  for (const [from, to] of pairs) {
    runs.bounds.set([from, to], runs.length);
    runs.length += 2;
  }
  const found = countedValues(Float32Array.from(values), runs, {
    scratch: new Float32Array(values.length),
    maskedBelow: -1e4,
    tensor: "h",
    sample: 5,
  });
  return { values: [...found.values], masked: found.masked };
};

describe("countedValues", () => {
  it("counts a score that is as low as a mask as masked", () => {
    expect(take([3, -1e4, 2, -9999], [0, 4])).toEqual({ values: [3, 2, -9999], masked: 1 });
  });

  it("takes the real positions", () => {
    expect(take([1, 2, 3, 4, 5, 6], [0, 6])).toEqual({ values: [1, 2, 3, 4, 5, 6], masked: 0 });
    expect(take([1, 2, 3, 4, 5, 6], [1, 2], [4, 6])).toEqual({ values: [2, 5, 6], masked: 0 });
    expect(take([1, 2, 3])).toEqual({ values: [], masked: 0 });
  });

  it("leaves out masked scores and counts them", () => {
    expect(take([0.5, -1e4, -10_003, -3.4e38, Number.NEGATIVE_INFINITY, -9999], [0, 6])).toEqual({
      values: [0.5, -9999],
      masked: 4,
    });
  });

  it("ignores whatever padding holds, NaN too", () => {
    expect(take([5, 6, Number.NaN, Number.POSITIVE_INFINITY, 7], [0, 2], [4, 5]).values).toEqual([5, 6, 7]);
  });

  it.each([
    [Number.NaN, "nan", "NaN"],
    [Number.POSITIVE_INFINITY, "infinite-value", "Infinity"],
  ])("refuses %d at a real position", (value, code, text) => {
    expect(() => take([1, value], [0, 2])).toThrow(
      expect.objectContaining({
        code,
        tensor: "h",
        sample: 5,
        message: `calibrate: tensor h, sample 5: value: expected finite numbers, got ${text}; check the model in float32 on this sample`,
      }),
    );
  });
});
