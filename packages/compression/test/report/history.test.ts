import { getMetadata, withMetadata } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { historyOf, withEarlierHistory, withHistory } from "../../src/index.js";
import { linear } from "../tiny-models.js";

describe("history", () => {
  it("adds steps in order, as JSON with a schema version and no time", () => {
    const first = withHistory(linear(), { step: "prune", options: { sparsity: 0.3 } });
    const second = withHistory(first, { step: "quantize", options: {}, inputSha256: "00" });
    expect(historyOf(second).map(({ step }) => step)).toEqual(["prune", "quantize"]);
    expect(getMetadata(second, "nasty.history")).toBe(
      '{"schemaVersion":1,"steps":[{"step":"prune","options":{"sparsity":0.3}},{"step":"quantize","options":{},"inputSha256":"00"}]}',
    );
    expect(historyOf(linear())).toEqual([]);
  });

  it("takes a record that it cannot read for none", () => {
    for (const text of ["{", "[]", '{"steps":3}', "null"]) {
      expect(historyOf(withMetadata(linear(), { "nasty.history": text }))).toEqual([]);
    }
  });

  it("takes a step that is not in the form of one for none, and keeps those beside it", () => {
    const ours = { step: "prune", options: { sparsity: 0.3 }, data: { train: ["ab", "cd"] } };
    const foreign = [
      null,
      3,
      "prune",
      [],
      {},
      { step: 3, options: {} },
      { step: "prune" },
      { step: "prune", options: null },
      { step: "prune", options: [] },
      { step: "prune", options: {}, inputSha256: 7 },
      { step: "prune", options: {}, data: { train: 3 } },
      { step: "prune", options: {}, data: { train: [null] } },
      { step: "prune", options: {}, data: null },
      { step: "prune", options: {}, versions: { onnx: { major: 1 } } },
    ];
    for (const step of foreign) {
      const text = JSON.stringify({ steps: [step, ours] });
      expect(historyOf(withMetadata(linear(), { "nasty.history": text }))).toEqual([ours]);
    }
  });

  it("puts the steps of an earlier model in front", () => {
    const base = withHistory(linear(), { step: "prune", options: {}, data: { vocabulary: "ab" } });
    const tuned = withHistory(linear(), { step: "fine-tune", options: {} });
    const steps = historyOf(withEarlierHistory(tuned, historyOf(base)));
    expect(steps).toEqual([...historyOf(base), ...historyOf(tuned)]);
    expect(withEarlierHistory(tuned, [])).toBe(tuned);
  });
});

it("a record that is not ours describes nothing, and entries that are no steps are left out", () => {
  const model = linear();
  const step = { step: "train", options: {} };
  for (const [text, steps] of [
    ["null", []],
    ["[]", []],
    ['{"steps": 3}', []],
    [JSON.stringify({ steps: [null, 3, "x", { step: 1 }, { step: "x", options: [] }, step] }), [step]],
    ["[".repeat(10_000), []],
  ] as const) {
    expect(historyOf(withMetadata(model, { "nasty.history": text }))).toEqual(steps);
  }
});
