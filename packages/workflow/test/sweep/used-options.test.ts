import { expect, it } from "vitest";
import { usedOptions } from "../../src/sweep/used-options.js";

const facts = { has: (name: string) => name === "calibration", hasLstms: false };
const all = {
  method: "percentile",
  percentile: "99",
  activations: "symmetric",
  "block-size": "32",
  rounding: "nearest",
  "per-channel": false,
  pairs: "full",
  limit: "100",
  "skip-layers": ["a"],
};
const names = (options: object, more: object = {}): string[] =>
  Object.keys(usedOptions({ ...all, ...options }, { ...facts, ...more })).sort();

it("leaves each mode the options that act in it", () => {
  const ofWeights = ["mode", "pairs", "per-channel", "skip-layers"];
  expect(names({ mode: "static" })).toEqual([
    "activations",
    "limit",
    "method",
    ...ofWeights.slice(0, 3),
    "percentile",
    "skip-layers",
  ]);
  expect(names({ mode: "static", method: "mse" })).not.toContain("percentile");
  expect(names({ mode: "dynamic" })).toEqual(ofWeights);
  expect(names({ mode: "weight-only" })).toEqual(["block-size", "mode", "rounding", "skip-layers"]);
});

it("knows what only a model with LSTMs has a use for", () => {
  expect(names({ mode: "int4" })).toEqual(["block-size", "mode", "rounding", "skip-layers"]);
  expect(names({ mode: "int4" }, { hasLstms: true })).toEqual([
    "block-size",
    "mode",
    "pairs",
    "per-channel",
    "rounding",
    "skip-layers",
  ]);
});

it("keeps what is said of calibration text where it is read", () => {
  expect(names({ mode: "int4", rounding: "gptq" })).toContain("limit");
  expect(names({ mode: "dynamic", "correct-biases": true })).toContain("limit");
  expect(names({ mode: "int4", rounding: "gptq" }, { has: () => false })).not.toContain("limit");
});
