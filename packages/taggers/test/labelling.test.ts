import { describe, expect, test } from "vitest";
import {
  checkLabels,
  entityLabels,
  evaluate,
  labelledAs,
  labellingOf,
  labellingOfSettings,
  type NeuralSettings,
  readTaggerSettings,
  type Tagger,
  withChoice,
  withTagger,
} from "../src/index.js";
import { makeGraph, makeModel } from "@nasty/formats/onnx";

const split = (text: string): string[] => text.split(" ");

describe("labellingOf", () => {
  test("takes helper labels for words outside, and names them", () => {
    expect(labellingOf(split("O B-PER I-PER [CLS] X"))).toMatchObject({
      task: "ner",
      scheme: "IOB2",
      foreign: ["[CLS]", "X"],
      types: ["PER"],
    });
  });

  test("does as it is told, and says so", () => {
    const labels = split("O B-PER I-PER");
    expect(labellingOf(labels, { task: "pos" })).toMatchObject({
      task: "pos",
      scheme: null,
      reason: "as asked for",
    });
    expect(labellingOf(labels, { scheme: "IOB1" }, "model")).toMatchObject({
      scheme: "IOB1",
      reason: "the model file says so",
    });
    expect(labellingOf(split("O soup cake"), { task: "ner" })).toMatchObject({ task: "ner", scheme: "IO" });
    expect(labellingOf(["O"], { task: "ner", scheme: "IOB2" })).toMatchObject({ task: "ner", types: [] });
  });

  test.each([
    [{ scheme: "BIOES" }, "labels", "m.onnx: labels: expected those of BIOES"],
    [{ scheme: "untyped" }, "labels", "m.onnx: labels: expected those of untyped, such as B and I alone"],
    [{ task: "pos", scheme: "IO" }, "option", "m.onnx: scheme: expected none for parts of speech"],
  ] as const)("refuses %j", (choice, code, message) => {
    expect(() => labellingOf(split("O B-PER I-PER"), choice, "choice", "m.onnx")).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test("gives a function that leaves entity labels and O", () => {
    const labelOf = entityLabels(labellingOf(split("O PER-B PER-I [SEP]")));
    expect(split("PER-B [SEP] O B-PER").map(labelOf)).toEqual(split("PER-B O O O"));
  });
});

const settings: NeuralSettings = {
  kind: "neural",
  task: "pos",
  labels: split("O soup cake"),
  features: {
    vocabulary: ["a"],
    prefixes: [],
    suffixes: [2],
    affixRows: 8,
    shapeRows: 4,
    characters: "ab",
    longestWord: 8,
  },
};

describe("a choice", () => {
  test("travels in the model's metadata", async () => {
    const model = makeModel(makeGraph("empty", { nodes: [], inputs: [], outputs: [] }), {
      opsets: { "": 17 },
    });
    const read = await readTaggerSettings(await withTagger(model, withChoice(settings, { scheme: "IO" })));
    expect(read).toMatchObject({ task: "ner", scheme: "IO" });
    expect(read && labellingOfSettings(read)).toMatchObject({
      scheme: "IO",
      reason: "the model file says so",
    });
    expect(await readTaggerSettings(await withTagger(model, settings))).not.toHaveProperty("scheme");
    const broken = { ...settings, labels: ["a\nb"] };
    await expect(withTagger(model, broken)).rejects.toMatchObject({ code: "labels" });
  });

  test("of a scheme that may be the text's leaves a model of another alone", () => {
    const ner = { ...settings, task: "ner", labels: split("O B-X I-X") } as const;
    expect(withChoice(ner, { scheme: "IO" }, { isTextToo: true })).toBe(ner);
    expect(() => withChoice(ner, { scheme: "IO" })).toThrow("labels: expected those of IO");
  });
});

describe("checkLabels", () => {
  test.each([
    ["B-\tPER", '"B-\\tPER"'],
    ["a\u007Fb", '"a\\u007fb"'],
    ["a\u2028", '"a\\u2028"'],
    [" ", "an empty one"],
  ])("refuses %j", (label, got) => {
    expect(() => checkLabels(["O", label], "open")).toThrow(
      `open: label 1: expected text without control characters, got ${got}; give it another name`,
    );
  });

  test("leaves blanks, brackets and other scripts", () => {
    expect(() => checkLabels(["B-creative work", "[SEP]", "Ä", "名詞"], "open")).not.toThrow();
  });
});

/** A tagger that gives the same answer to every sentence. */
const scripted = (labels: readonly string[], answer: readonly string[]): Tagger => ({
  kind: "neural",
  task: labellingOf(labels).task,
  labels,
  async *tag(sentences) {
    for await (const _ of sentences) yield answer;
  },
  async *feedsOf() {},
  close: async () => {},
});

describe("evaluate", () => {
  const judged = async (labels: string, answer: string, gold: string, scheme?: "IO") => {
    const tagger = scripted(split(labels), split(answer));
    const sentence = { words: split(answer), labels: split(gold) };
    return evaluate(tagger, [sentence], { path: "dev.iob2", scheme });
  };

  test.each([
    ["O B-PER I-PER B-LOC I-LOC", "B-PER I-PER O B-LOC", "PER_B PER_E O LOC_S", 1],
    ["O B-PER I-PER B-LOC I-LOC", "B-PER I-PER O B-LOC", "PER PER O LOC", 1],
    ["O B-DISH I-DISH", "B-DISH I-DISH O O", "DISH DISH O DISH", 2 / 3],
    // One side names no types: only places are compared.
    ["O B I", "B I O B", "B-PER I-PER O O", 2 / 3],
    ["O B-PER I-PER B-LOC I-LOC", "B-PER I-PER O B-LOC", "B I O B", 1],
    // Helper labels on either side are outside.
    ["O B-PER I-PER [SEP]", "B-PER I-PER [SEP] O", "B-PER I-PER X O", 1],
  ])("%s: %s against %s", async (labels, answer, gold, value) => {
    expect(await judged(labels, answer, gold)).toMatchObject({ metric: "f1", value });
  });

  test("says what both sides were taken for", async () => {
    const { labelling, goldLabelling } = await judged("O B-PER I-PER", "B-PER O", "S-PER O");
    expect([labelling.scheme, goldLabelling.scheme]).toEqual(["IOB2", "BIOES"]);
  });

  test.each([
    [
      "B-PER NOUN",
      undefined,
      "unknown-label",
      'dev.iob2 sentence 1 word 2: label of "O": expected O or a label of PER',
    ],
    ["NOUN VERB", undefined, "unknown-label", "word 1"],
    ["B-PER O", "IO", "labels", "evaluate: dev.iob2: scheme: expected labels of IO on one side at least"],
  ] as const)("refuses the gold labels %s", async (gold, scheme, code, message) => {
    await expect(judged("O B-PER I-PER", "B-PER O", gold, scheme)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});

test("labelledAs writes entities as the tagger would", () => {
  const tagger = scripted(split("O PER-B PER-I PER-E PER-S"), []);
  const sentences = [{ words: split("a b c d"), labels: split("B-PER I-PER O B-PER") }];
  expect(labelledAs(tagger, sentences, { where: "prune" })[0]?.labels).toEqual(split("PER-B PER-E O PER-S"));
  expect(() => labelledAs(tagger, [{ words: ["a"], labels: ["NOUN"] }], { where: "prune" })).toThrow(
    'prune: sentence 1 word 1: label of "a": expected O or an entity label such as B-PER, got "NOUN"',
  );
});
