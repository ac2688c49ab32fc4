import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { uniformNumbers } from "../src/index.js";

const words = (random: () => number, count: number): number[] =>
  Array.from({ length: count }, () => random() * 2 ** 32);

describe("uniformNumbers", () => {
  // Golden values: results of the same seed must not change between versions.
  test.each([
    [1, [2693262067, 11749833, 2265367787]],
    [-7, [1860010037, 1397564179]],
    [2 ** 32 + 1, [2693262067, 11749833]],
  ])("seed %d gives the words of mulberry32", (seed, expected) => {
    expect(words(uniformNumbers(seed), expected.length)).toEqual(expected);
  });

  test("numbers are in [0, 1), every tenth as often", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = uniformNumbers(seed);
        const tenths = new Int32Array(10);
        for (let i = 0; i < 1000; i++) {
          const at = Math.floor(random() * 10);
          tenths[at] = (tenths[at] as number) + 1;
        }
        // Ten standard deviations.
        expect(tenths.every((count) => count > 5 && count < 195)).toBe(true);
        expect(tenths.reduce((sum, count) => sum + count)).toBe(1000);
      }),
      { numRuns: 20 },
    );
  });
});
