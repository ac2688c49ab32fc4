import { describe, expect, it } from "vitest";
import { readSweep } from "../../src/pipeline/index.js";
import type { StepSchema } from "../../src/pipeline/index.js";

const schemas: readonly StepSchema[] = [
  { name: "prune", options: [{ name: "sparsity", takes: "value" }] },
  {
    name: "quantize",
    options: [
      { name: "mode", takes: "value", check: (value) => (value === "bad" ? "expected a mode" : undefined) },
      { name: "skip-layers", takes: "list" },
      { name: "per-channel", takes: "flag" },
      { name: "calibration", takes: "data" },
    ],
  },
];
const read = (sweep: string, data = "") =>
  readSweep(`model: pos.onnx\n${data}sweep:\n${sweep}`, schemas, "s.yaml");

describe("readSweep", () => {
  it("reads one value or a list of them for each option, and steps in their order", () => {
    const { model, entries } = read(
      "  - prune: { sparsity: [0.1, 0.2] }\n    quantize: { mode: static, per-channel: [true, false] }\n  - quantize\n  - quantize: {}\n".replace(
        "  - quantize\n",
        "",
      ),
    );
    expect(model).toBe("pos.onnx");
    expect(
      entries.map(({ steps }) => steps.map(({ kind, axes }) => [kind, ...axes.map(({ values }) => values)])),
    ).toEqual([
      [
        ["prune", ["0.1", "0.2"]],
        ["quantize", ["static"], [true, false]],
      ],
      [["quantize"]],
    ]);
  });

  it("takes a list of lists for an option that takes a list", () => {
    const { entries } = read("  - quantize: { skip-layers: [[], a, [b, c]] }\n");
    expect(entries[0]?.steps[0]?.axes[0]?.values).toEqual([[], ["a"], ["b", "c"]]);
  });

  it.each([
    ["  []\n", "line 3, column 3: sweep: expected at least 1 recipe, got 0"],
    [
      "  - quantize: { mode: [static, bad] }\n",
      "line 3, column 32: recipe 1 (quantize): mode: expected a mode, got bad",
    ],
    [
      "  - quantize: { mode: [] }\n",
      "line 3, column 23: recipe 1 (quantize): mode: expected at least 1 value, got 0",
    ],
    [
      "  - quantize: { skip-layers: [] }\n",
      "line 3, column 30: recipe 1 (quantize): skip-layers: expected at least 1 value, got 0; [[]] is a list without entries as the only value",
    ],
    ["  - quantize: { modes: static }\n", "line 3, column 17: recipe 1 (quantize): option:"],
    [
      "  - quantize: { per-channel: [yes] }\n",
      "recipe 1 (quantize): per-channel: expected true or false, got yes",
    ],
    [
      "  - quantize: { calibration: [dev] }\n",
      "recipe 1 (quantize): calibration: expected a text of the data section",
    ],
    [
      "  - { quantize: {}, prune: {} }\n",
      "line 3, column 21: recipe 1: prune: expected it before quantize, got it behind",
    ],
    ["  - compress: {}\n", "line 3, column 5: recipe 1:"],
    ["  - {}\n", "line 3, column 5: recipe 1: expected at least 1 step, got 0"],
    ["  - [quantize]\n", "line 3, column 5: recipe 1: expected keys and values, got a list"],
  ])("refuses %j with its place", (sweep, message) => {
    expect(() => read(sweep)).toThrow(message);
  });

  it("refuses a recipe of a pipeline", () => {
    expect(() => readSweep("model: a\nsteps: [quantize]\n", schemas, "s.yaml")).toThrow(
      "line 2, column 1: recipe: key:",
    );
    expect(() => readSweep("model: a\n", schemas, "s.yaml")).toThrow(
      "sweep: expected a list of recipes, got none",
    );
  });
});
