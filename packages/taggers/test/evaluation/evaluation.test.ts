import { parseConllu } from "@nasty/formats/conllu";
import { parseColumns } from "@nasty/formats/iob";
import { describe, expect, test } from "vitest";
import {
  evaluate,
  flips,
  labelledWords,
  lossInterval,
  score,
  type Tagger,
  TaggerError,
  taskOf,
} from "../../src/index.js";

/** A tagger that answers from a list, a few sentences late, as look-ahead makes real ones do. */
function scripted(labels: readonly string[], answers: readonly (readonly string[])[]): Tagger {
  return {
    kind: "neural",
    task: taskOf(labels),
    labels,
    async *tag(sentences) {
      let at = 0;
      let waiting = 0;
      for await (const _ of sentences) {
        if (++waiting < 2) continue;
        for (; waiting > 0; waiting--) yield answers[at++] as readonly string[];
      }
      for (; waiting > 0; waiting--) yield answers[at++] as readonly string[];
    },
    async *feedsOf() {},
    close: async () => {},
  };
}

const counts = (corrects: readonly number[]): { gold: number; predicted: number; correct: number }[] =>
  corrects.map((correct) => ({ gold: 10, predicted: 10, correct }));

const split = (text: string): string[] => text.split(" ");

test("labelledWords: ranges and empty nodes are no words", async () => {
  const row = (id: string, form: string, upos: string) => `${id}\t${form}\t_\t${upos}\t_\t_\t_\t_\t_\t_\n`;
  const text =
    row("1-2", "del", "_") + row("1", "de", "ADP") + row("1.1", "gap", "X") + row("2", "el", "DET");
  const sentences = [];
  for await (const sentence of labelledWords(parseConllu(`${text}\n`))) sentences.push(sentence);
  expect(sentences).toEqual([{ words: ["de", "el"], labels: ["ADP", "DET"], lines: [2, 4] }]);
});

describe("evaluate", () => {
  test("pos: accuracy, rows, counts, predictions in order", async () => {
    const tagger = scripted(
      ["DET", "NOUN", "VERB"],
      [split("DET NOUN"), split("NOUN"), split("NOUN VERB DET")],
    );
    const gold = ["DET NOUN", "VERB", "NOUN VERB NOUN"].map((labels) => ({
      words: split(labels),
      labels: split(labels),
    }));
    const result = await evaluate(tagger, gold);
    expect(result).toMatchObject({ task: "pos", metric: "accuracy", value: 4 / 6, sentences: 3, tokens: 6 });
    expect(result.perLabel).toEqual([
      { label: "DET", precision: 1 / 2, recall: 1, f1: 2 / 3, support: 1, predicted: 2, correct: 1 },
      { label: "NOUN", precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, support: 3, predicted: 3, correct: 2 },
      { label: "VERB", precision: 1, recall: 1 / 2, f1: 2 / 3, support: 2, predicted: 1, correct: 1 },
    ]);
    expect(result.sentenceCounts.map(({ correct }) => correct)).toEqual([2, 0, 2]);
    expect(result.predictions[2]).toEqual(["NOUN", "VERB", "DET"]);
    expect(result.msPerSentence).toBeGreaterThan(0);
  });

  // Counted by hand by the rules of conlleval.pl: gold PER(0-2) LOC(3) ORG(5-6); found PER(0-1) LOC(3) ORG(5-6) PER(7).
  test.each([
    ["IOB2", "B-PER I-PER O B-LOC O B-ORG I-ORG O"],
    ["IOB1", "I-PER I-PER O I-LOC O I-ORG I-ORG O"],
    ["BIOES", "B-PER E-PER O S-LOC O B-ORG E-ORG O"],
  ])("ner: gold as %s, stray I- and a change of type start entities", async (_, gold) => {
    const tagger = scripted(
      ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"],
      [split("I-PER O O B-LOC O I-ORG I-ORG I-PER")],
    );
    const result = await evaluate(tagger, [{ words: split(gold), labels: split(gold) }]);
    expect(result).toMatchObject({ metric: "f1", precision: 2 / 4, recall: 2 / 3, value: 4 / 7 });
    expect(
      result.perLabel.map(({ label, support, predicted, correct }) => [label, support, predicted, correct]),
    ).toEqual([
      ["LOC", 1, 1, 1],
      ["ORG", 1, 1, 1],
      ["PER", 1, 2, 0],
    ]);
  });

  test("a label that the model does not know is named with file and line", async () => {
    const text =
      "# a\n1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\t_\tADP\t_\t_\t0\troot\t_\t_\n2\tel\t_\tDOG\t_\t_\t1\tdet\t_\t_\n\n";
    const run = evaluate(scripted(["ADP", "DET"], []), labelledWords(parseConllu(text)), {
      path: "x.conllu",
    });
    await expect(run).rejects.toBeInstanceOf(TaggerError);
    await expect(run).rejects.toMatchObject({
      code: "unknown-label",
      kind: "input",
      message:
        'evaluate: x.conllu line 4: label of "el": expected one of ADP, DET (the pos model\'s labels), got "DOG"',
      fields: { line: 4, name: "DOG", path: "x.conllu" },
    });
    const columns = parseColumns("Ann\tB-PER\nRex\tB-DOG\n\n");
    await expect(evaluate(scripted(["O", "B-PER"], []), columns)).rejects.toMatchObject({
      code: "unknown-label",
      message:
        'evaluate: line 2: label of "Rex": expected O or a label of PER (the ner model\'s types), got "B-DOG"',
    });
  });

  test("no words, and labels that do not match words", async () => {
    await expect(evaluate(scripted(["A"], []), [])).rejects.toMatchObject({
      code: "empty",
      message: "evaluate: sentences: words: expected at least 1, got 0",
    });
    await expect(evaluate(scripted(["A"], []), [{ words: ["a", "b"], labels: ["A"] }])).rejects.toMatchObject(
      {
        code: "misaligned",
        message: "evaluate: sentence 1 word 1: labels: expected 2 (one a word), got 1",
      },
    );
  });
});

describe("score", () => {
  const gold = [
    { words: ["a", "b"], labels: ["O", "B-X"], line: 1 },
    { words: ["c"], labels: ["B-Y"], line: 4 },
  ];

  test("finds the task, takes labels that only one side has as wrong", async () => {
    const system = [
      { words: ["a", "b"], labels: ["B-Z", "B-X"] },
      { words: ["c"], labels: ["O"] },
    ];
    expect(await score(gold, system)).toMatchObject({
      task: "ner",
      metric: "f1",
      value: 0.5,
      precision: 0.5,
      recall: 0.5,
      tokens: 3,
      sentences: 2,
    });
    expect(await score(gold, system, { task: "pos" })).toMatchObject({ metric: "accuracy", value: 1 / 3 });
  });

  test("what was never found has the precision 0, what is not in the gold text the recall 0", async () => {
    const system = [
      { words: ["a", "b"], labels: ["B-Z", "B-X"] },
      { words: ["c"], labels: ["O"] },
    ];
    const { perLabel } = await score(gold, system);
    expect(perLabel.map(({ label, precision, recall, f1 }) => [label, precision, recall, f1])).toEqual([
      ["X", 1, 1, 1],
      ["Y", 0, 0, 0],
      ["Z", 0, 0, 0],
    ]);
  });

  test("where one side names no types, entities are compared by their places alone", async () => {
    const untyped = [
      { words: ["a", "b"], labels: ["O", "B"] },
      { words: ["c"], labels: ["B"] },
    ];
    for (const [one, other] of [
      [gold, untyped],
      [untyped, gold],
    ] as const) {
      expect(await score(one, other)).toMatchObject({
        task: "ner",
        value: 1,
        goldLabelling: { task: "ner" },
      });
    }
  });

  test.each([
    [
      [{ words: ["a", "B"], labels: ["O", "O"], line: 1 }],
      'score: sys line 2: word 2 of sentence 1: expected "b", got "B"',
    ],
    [
      [{ words: ["a"], labels: ["O"], line: 1 }],
      'score: sys line 1: word 2 of sentence 1: expected "b", got the sentence\'s end',
    ],
    [[gold[0]], "score: gold line 4: sentence 2: expected a sentence in the system file too, got its end"],
    [
      [...gold, { words: ["d"], labels: ["O"], line: 6 }],
      "score: sys line 6: sentences: expected 2 as in the gold file, got more",
    ],
  ])("files that do not match: %#", async (system, message) => {
    const run = score(gold, system as typeof gold, { goldPath: "gold", systemPath: "sys" });
    await expect(run).rejects.toMatchObject({ code: "misaligned", kind: "input", message });
  });

  test("nothing to score", async () => {
    await expect(score([], [])).rejects.toMatchObject({ code: "empty" });
  });
});

describe("flips and lossInterval", () => {
  test("flips have positions", () => {
    expect(flips([["A"], ["B", "C"]], [["A"], ["B", "D"]])).toEqual([
      { sentence: 1, word: 1, original: "C", changed: "D" },
    ]);
    expect(() => flips([["A"]], [])).toThrow("flips: sentences: expected 1 in both outputs, got 0");
    expect(() => flips([["A"]], [["A", "B"]])).toThrow(
      "flips: sentence 1: words: expected 1 in both outputs, got 2",
    );
  });

  test("the interval holds the loss, is seeded, and is a point for equal outputs", () => {
    const before = counts(Array.from({ length: 200 }, (_, i) => 9 + (i % 2)));
    const after = counts(Array.from({ length: 200 }, (_, i) => 9 + (i % 2) - (i % 5 === 0 ? 1 : 0)));
    const interval = lossInterval("accuracy", before, after, { seed: 3 });
    expect(interval.loss).toBeCloseTo(0.02, 10);
    // Binomial: 200 sentences lose 1 of 10 words with p = 0.2, so the standard error is 0.1·√(0.16/200) = 0.00283.
    expect(interval.low).toBeCloseTo(0.02 - 1.96 * 0.00283, 2.5);
    expect(interval.high).toBeCloseTo(0.02 + 1.96 * 0.00283, 2.5);
    expect(lossInterval("accuracy", before, after, { seed: 3 })).toEqual(interval);
    expect(lossInterval("accuracy", before, after, { seed: 4 })).not.toEqual(interval);
    expect(lossInterval("f1", before, before)).toEqual({ loss: 0, low: 0, high: 0 });
    expect(() => lossInterval("f1", before, [])).toThrow(
      "lossInterval: sentences: expected 200 in both outputs, got 0",
    );
    expect(() => lossInterval("f1", [], [])).toThrow("lossInterval: sentences: expected at least 1, got 0");
  });
});
