import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chooseScale,
  groupRanges,
  parametersOf,
  perBlock,
  perChannel,
  perTensor,
  tensor,
} from "../src/index.js";
import { groupOfEach, tensorWithGranularity } from "./arbitrary.js";
import { caught } from "./caught.js";

const x = tensor("float32", [2, 3], new Float32Array([1, -2, 0, 3, 4, 0]));
const int8 = { dtype: "int8", symmetric: true } as const;

const scalesBy = (granularity: Parameters<typeof parametersOf>[2]) => [
  ...parametersOf(x, int8, granularity).scale,
];

describe("parametersOf", () => {
  test("per tensor, channel and block give different scales", () => {
    expect(scalesBy(perTensor)).toEqual([Math.fround(4 / 127)]);
    expect(scalesBy(perChannel(0))).toEqual([Math.fround(2 / 127), Math.fround(4 / 127)]);
    expect(scalesBy(perChannel(-1))).toEqual([Math.fround(3 / 127), Math.fround(4 / 127), 1]);
    expect(scalesBy(perBlock(1, 2))).toEqual([Math.fround(2 / 127), 1, Math.fround(4 / 127), 1]);
  });

  test("each group equals chooseScale of its own minimum and maximum", () => {
    fc.assert(
      fc.property(tensorWithGranularity, fc.boolean(), ({ x, granularity }, symmetric) => {
        const scheme = { dtype: "uint8", symmetric } as const;
        const p = parametersOf(x, scheme, granularity);
        const groups = groupOfEach(x.shape, granularity);
        for (let g = 0; g < p.scale.length; g++) {
          const values = [...x.data].filter((_, i) => groups[i] === g);
          const chosen = chooseScale(Math.min(...values), Math.max(...values), scheme);
          expect({ scale: p.scale[g], zeroPoint: p.zeroPoint[g] }).toEqual(chosen);
        }
      }),
    );
  });

  test("an empty tensor has scale 1", () => {
    expect([
      ...parametersOf(tensor("float32", [0, 2], new Float32Array(0)), int8, perChannel(1)).scale,
    ]).toEqual([1, 1]);
  });

  test.each([NaN, Infinity, -Infinity])("%d is named by its element", (value) => {
    const bad = tensor("float32", [2, 2], new Float32Array([1, 2, value, 3]));
    for (const granularity of [perTensor, perChannel(0), perChannel(1)]) {
      expect(caught(() => parametersOf(bad, int8, granularity))).toMatchObject({
        code: "not-finite",
        message: `groupRanges: element 2: value: expected a finite number, got ${value}`,
      });
    }
  });

  test.each([
    [perChannel(2), "axis", "groupRanges: [2, 3]: axis: expected -2..1, got 2"],
    [perBlock(0, 0), "block-size", "groupRanges: [2, 3]: block size: expected a positive integer, got 0"],
  ])("%j is refused", (granularity, code, message) => {
    expect(caught(() => parametersOf(x, int8, granularity))).toMatchObject({ code, message });
  });
});

test("groupRanges includes 0", () => {
  const { min, max } = groupRanges(tensor("float32", [2], new Float32Array([2, 3])), perTensor);
  expect([min[0], max[0]]).toEqual([0, 3]);
});
