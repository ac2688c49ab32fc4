import type { ClassifierSettings } from "@nasty/taggers/texts";
import { expect, test } from "vitest";
import { classVerdict } from "../../src/kinds/class-verdict.js";
import type { LabelledText } from "../../src/kinds/text-samples.js";

const of = (problem: ClassifierSettings["problem"], labels: readonly string[]): ClassifierSettings =>
  ({ kind: "sequence-classification", problem, labels }) as unknown as ClassifierSettings;
const rows = (...all: number[][]): Float32Array[] => all.map((one) => Float32Array.from(one));
const texts = (...all: Partial<LabelledText>[]): LabelledText[] =>
  all.map((one, i) => ({ text: `text ${i}`, place: `line ${i + 1}`, ...one }));

test("one label: accuracy and the mean of the labels' F1, by name or by number", () => {
  const gold = texts({ label: "a" }, { label: 1 }, { label: "1" }, { label: ["a"] });
  const said = rows([2, 1], [0, 3], [5, 1], [1, 0]);
  const { metric, value, figures, perLabel } = classVerdict(said, gold, of("single-label", ["a", "b"]), {
    path: "x.jsonl",
  });
  expect({ metric, value }).toEqual({ metric: "accuracy", value: 0.75 });
  // a: 2 of 3 predicted, 2 of 2 found; b: 1 of 1, 1 of 2.
  expect(figures?.["macroF1"]).toBeCloseTo((4 / 5 + 2 / 3) / 2, 12);
  expect(perLabel[1]).toMatchObject({ label: "b", support: 2, predicted: 1, correct: 1 });
});

test("several labels: F1 over pairs of text and label, above a probability of a half", () => {
  const gold = texts({ label: ["a", "b"] }, { label: [] });
  const said = rows([1, -1, 1], [-1, -1, -1]);
  const found = classVerdict(said, gold, of("multi-label", ["a", "b", "c"]), { path: "x.jsonl" });
  expect(found).toMatchObject({ metric: "f1", value: 0.5 });
});

test("numbers: Spearman's correlation with the right ones, and with the original's", () => {
  const gold = texts({ score: 1 }, { label: 2 }, { score: 3 });
  const settings = of("regression", ["score"]);
  const before = classVerdict(rows([0.1], [0.4], [0.9]), gold, settings, { path: "x.jsonl" });
  expect(before).toMatchObject({ metric: "spearman" });
  expect(before.value).toBeCloseTo(1, 12);
  const after = classVerdict(rows([0.9], [0.4], [0.1]), gold, settings, {
    path: "x.jsonl",
    reference: before,
  });
  expect(after.against?.agreement).toBeCloseTo(-1, 12);
  expect(after.against?.agreementOf).toBe("Spearman's correlation");
});

test("against another model: what changed is listed with the right label, and the loss is paired", () => {
  const gold = texts({ label: "a" }, { label: "b", pair: "and\tmore" });
  const settings = of("single-label", ["a", "b"]);
  const before = classVerdict(rows([2, 1], [0, 3]), gold, settings, { path: "x.jsonl" });
  const { against } = classVerdict(rows([2, 1], [4, 3]), gold, settings, {
    path: "x.jsonl",
    reference: before,
  });
  expect(against?.flips).toEqual([{ sentence: 1, word: 0, original: "b", changed: "a" }]);
  expect(against?.shown[1]).toEqual({ words: ["text 1 ‖ and more"], labels: ["b"] });
  expect(against?.agreement).toBe(0.5);
  expect(against?.loss(1)).toMatchObject({ loss: 0.5, low: 0, high: 1 });
  expect(against?.drift(1).loss).toBe(0.5);
});

test.each([
  [texts({ label: "c" }), /x\.jsonl: line 1: label: expected one of a, b \(the model's labels\), got "c"/],
  [texts({ label: 2 }), /got 2/],
  [texts({ label: "a" }, {}), /line 2: label: expected one label for every text, got none/],
  [texts({ label: ["a", "b"] }), /line 1: label: expected one label for every text, got \["a","b"\]/],
])("refuses labels that the model cannot have: %#", (gold, message) => {
  const said = gold.map(() => Float32Array.of(1, 0));
  expect(() => classVerdict(said, gold, of("single-label", ["a", "b"]), { path: "x.jsonl" })).toThrow(
    message,
  );
});
