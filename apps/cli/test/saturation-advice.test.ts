import { expect, test } from "vitest";
import { adviceOf } from "../src/quantization/saturation-advice.js";

test("7-bit weights are advised where pairs saturate, with the worst product, and only there", () => {
  const rows = [
    { name: "W", node: "dense", pairs: 1000, saturated: 25 },
    { name: "V", node: "out", pairs: 1000, saturated: 0 },
  ];
  expect(adviceOf(rows)).toEqual([
    "1 of 2 products overflow 16-bit sums on this processor (up to 2.5% of the pairs, in dense): --reduce-range avoids it",
  ]);
  expect(adviceOf(rows.slice(1))).toEqual([]);
});
