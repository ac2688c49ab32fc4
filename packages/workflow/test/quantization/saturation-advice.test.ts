import { expect, test } from "vitest";
import { adviceOf } from "../../src/quantization/saturation-advice.js";

test("products that overflow are counted, with the worst one, and nothing is said where none does", () => {
  const rows = [
    { name: "W", node: "dense", pairs: 1000, saturated: 25 },
    { name: "V", node: "out", pairs: 1000, saturated: 0 },
  ];
  expect(adviceOf(rows)).toEqual([
    "with the calibration text 1 of 2 products overflow 16-bit sums on processors without int8 dot products (up to 2.5% of the pairs, in dense): without --pairs full none can",
  ]);
  expect(adviceOf(rows.slice(1))).toEqual([]);
});
