import * as fc from "fast-check";
import { expect, test } from "vitest";
import { roundHalfAway, roundHalfEven } from "../src/index.js";

test.each([
  [0.5, 0],
  [1.5, 2],
  [2.5, 2],
  [-1.5, -2],
  [-0.5, 0],
  [-2.5, -2],
  [0.49999999999999994, 0],
  [2 ** 51 + 0.5, 2 ** 51],
  [2 ** 51 + 1.5, 2 ** 51 + 2],
  [-(2 ** 51) - 1.5, -(2 ** 51) - 2],
  [2 ** 53, 2 ** 53],
  [Infinity, Infinity],
  [NaN, NaN],
])("roundHalfEven(%d) is %d", (x, expected) => {
  expect(roundHalfEven(x)).toBe(expected);
});

test.each([
  [0.5, 1],
  [-0.5, -1],
  [2.5, 3],
  [-2.5, -3],
  [0.49999999999999994, 0],
  [2.4, 2],
  [Infinity, Infinity],
])("roundHalfAway(%d) is %d", (x, expected) => {
  expect(roundHalfAway(x)).toBe(expected);
});

test("roundHalfEven is the nearest integer", () => {
  fc.assert(
    fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (x) => {
      const rounded = roundHalfEven(x);
      expect(Number.isInteger(rounded)).toBe(true);
      expect(Math.abs(x - rounded)).toBeLessThanOrEqual(0.5);
    }),
  );
});
