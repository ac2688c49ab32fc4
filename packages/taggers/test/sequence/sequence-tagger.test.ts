import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withMetadata } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { openSession, type Session } from "@nasty/runtime";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BatchOptions,
  makeSequenceTagger,
  readTaggerSettings,
  type SequenceSettings,
  withTagger,
} from "../../src/index.js";
import { openTagger } from "../../src/node.js";
import { labels, settings, table, type TinySequence, tinySequence, words } from "./tiny-sequence.js";

async function tagAll(
  model: Partial<TinySequence>,
  changed: Partial<SequenceSettings>,
  sentences: readonly (readonly string[])[],
  options?: BatchOptions,
) {
  const session = await openSession(tinySequence({ table, ...model }));
  const tagger = await makeSequenceTagger(session, { ...settings, ...changed });
  const out: (readonly string[])[] = [];
  for await (const tags of tagger.tag(sentences, options)) out.push(tags);
  await tagger.close();
  return out;
}

describe("words to ids", () => {
  test("looks words up as they are; unknown ones get the unknown id; an empty sentence gets no labels", async () => {
    expect(await tagAll({}, {}, [["the", "cat", "sat"], [], ["The", "<PAD>"]])).toEqual([
      ["DET", "NOUN", "VERB"],
      [],
      ["X", "X"],
    ]);
  });

  test("lower case only if asked for", async () => {
    expect(await tagAll({}, { lowercase: true }, [["The", "CAT"]])).toEqual([["DET", "NOUN"]]);
    expect(await tagAll({}, { unknownId: 3 }, [["The"]])).toEqual([["NOUN"]]);
  });

  test("int64 ids", async () => {
    expect(await tagAll({ dtype: "int64" }, {}, [["the", "cat"]])).toEqual([["DET", "NOUN"]]);
  });
});

describe("rows of several lengths", () => {
  // Padding (id 0) speaks for X, loudly: a neighbour that hears it says X.
  const hearing = { before: 0.5, after: 0.5 };
  const sentences = [["the"], ["the", "cat"], ["the", "cat", "sat", "the"], ["cat"]];
  const alone = [["DET"], ["DET", "NOUN"], ["DET", "NOUN", "VERB", "DET"], ["NOUN"]];

  test("never: only rows of one length share a run", async () => {
    expect(await tagAll(hearing, {}, sentences)).toEqual(alone);
    expect(await tagAll(hearing, { padding: "masked" }, sentences)).toEqual(alone);
    // The same model with rows that are filled hears the padding.
    expect((await tagAll(hearing, { padding: "right", maxLength: 4 }, sentences))[0]).toEqual(["X"]);
  });

  test("masked: rows of like length are filled with the padding id on the right", async () => {
    const session = await openSession(tinySequence({ table }));
    const tagger = await makeSequenceTagger(session, { ...settings, padding: "masked", paddingId: 1 });
    const long = Array<string>(10).fill("cat");
    const batches = [];
    for await (const batch of tagger.feedsOf([long, [...long, "sat"], ["the"]])) batches.push(batch);
    await tagger.close();
    expect(batches.map(({ mask, words: count }) => [mask.shape, count])).toEqual([
      [[1, 1], 1],
      [[2, 11], 21],
    ]);
    expect([...(batches[1]?.feeds["ids"]?.data ?? [])].slice(9, 12)).toEqual([3, 1, 3]);
    expect([...(batches[1]?.mask.data ?? [])].slice(9, 12)).toEqual([1, 0, 1]);
  });

  test.each(["right", "left"] as const)("%s: every row is filled to the model's length", async (padding) => {
    const session = await openSession(tinySequence({ table, length: 3 }));
    const tagger = await makeSequenceTagger(session, { ...settings, padding });
    const fed = [];
    for await (const { feeds } of tagger.feedsOf([["the"]])) fed.push([...(feeds["ids"]?.data ?? [])]);
    expect(fed).toEqual([padding === "right" ? [2, 0, 0] : [0, 0, 2]]);
    await tagger.close();
    expect(await tagAll({ length: 3 }, { padding }, [["the", "cat"]])).toEqual([["DET", "NOUN"]]);
  });

  test("the labels of a sentence do not depend on batch sizes", async () => {
    const word = fc.constantFrom("the", "cat", "sat", "dog");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(word, { maxLength: 9 }), { maxLength: 12 }),
        fc.record({
          batchSize: fc.integer({ min: 1, max: 5 }),
          batchTokens: fc.integer({ min: 1, max: 20 }),
          lookAhead: fc.integer({ min: 1, max: 6 }),
        }),
        fc.constantFrom<Partial<SequenceSettings>>({}, { padding: "left", maxLength: 4 }, { maxLength: 4 }),
        async (given, options, changed) => {
          const one = await tagAll(hearing, changed, given, { batchSize: 1 });
          expect(await tagAll(hearing, changed, given, options)).toEqual(one);
          expect(one.map((tags) => tags.length)).toEqual(given.map((sentence) => sentence.length));
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe("sentences longer than the model", () => {
  const long = Array.from({ length: 11 }, (_, i) => ["the", "cat", "sat"][i % 3] as string);
  const right = long.map((_, i) => labels[i % 3]);

  test("go through windows", async () => {
    expect(await tagAll({ length: 4 }, { padding: "right" }, [long])).toEqual([right]);
    expect(await tagAll({}, { maxLength: 4 }, [long, ["cat"]])).toEqual([right, ["NOUN"]]);
    const session = await openSession(tinySequence({ table }));
    const tagger = await makeSequenceTagger(session, { ...settings, maxLength: 4 });
    const shapes = [];
    for await (const { mask } of tagger.feedsOf([long], { batchSize: 1 })) shapes.push(mask.shape[1]);
    expect(shapes.length).toBeGreaterThan(2);
    expect(Math.max(...(shapes as number[]))).toBe(4);
    await tagger.close();
  });
});

describe("entities", () => {
  const names = ["O", "B-PER", "I-PER"];
  // Apart from each other, the best labels are I-PER, O; as a sequence that begins right, B-PER or O come first.
  const chances = [
    [1, 0, 0],
    [0.9, 0.05, 0.05],
    [0.2, 0.35, 0.45],
    [0.5, 0.01, 0.49],
    [1, 0, 0],
    [1, 0, 0],
  ];
  const ner = { task: "ner", labels: names } as const;

  test("the best sequence that the scheme allows; of probabilities it is that of their product", async () => {
    const sentence = [["the", "cat"]];
    // Sums: B O .85, B I .84, O O .7; products: B O .175, B I .1715.
    expect(await tagAll({ table: chances }, ner, sentence)).toEqual([["B-PER", "O"]]);
    const close = chances.with(3, [0.5, 0.001, 0.499]).with(2, [0.34, 0.33, 0.33]);
    // Sums: O O .84, B O .83, B I .829.
    expect(await tagAll({ table: close }, ner, sentence)).toEqual([["O", "O"]]);
    const far = chances.with(2, [0.51, 0.44, 0.05]).with(3, [0.1, 0.01, 0.2]);
    // Sums: B I .64, O O .61; products: B I .088, O O .051.
    expect(await tagAll({ table: far }, ner, sentence)).toEqual([["B-PER", "I-PER"]]);
    const split = chances.with(2, [0.05, 0.001, 0.9]).with(3, [0.01, 0.01, 0.1]);
    // Sums: B I .101, O O .06; products: O O .0005, B I .0001.
    expect(await tagAll({ table: split }, ner, sentence)).toEqual([["B-PER", "I-PER"]]);
    expect(await tagAll({ table: split }, { ...ner, probabilities: true }, sentence)).toEqual([["O", "O"]]);
  });
});

describe("files", () => {
  test("a written model carries its tagger", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nasty-sequence-"));
    try {
      const path = join(folder, "pos.onnx");
      const full = { ...settings, maxLength: 7, lowercase: true, words: [...words, "", "naïve"] };
      await writeModelFile(path, await withTagger(tinySequence({ table: [...table, ...table] }), full));
      const tagger = await openTagger(path);
      const out = [];
      for await (const tags of tagger.tag([["The", "cat"]])) out.push(tags);
      expect(out).toEqual([["DET", "NOUN"]]);
      expect([tagger.kind, tagger.task, tagger.labels]).toEqual(["sequence", "pos", labels]);
      await tagger.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("settings come back as they were", async () => {
    for (const one of [
      settings,
      { ...settings, maxLength: 9, words: ["", "a", "", "\u0000", "__proto__"] },
    ]) {
      expect(await readTaggerSettings(await withTagger(tinySequence({ table }), one))).toEqual(one);
    }
  });

  test.each([
    ["nasty.vocabulary", undefined, "nasty.vocabulary: expected packed words, got no such entry"],
    [
      "nasty.tagger",
      '{"schema":1,"kind":"sequence","task":"pos","labels":["X"]}',
      "nasty.tagger: lowercase: expected",
    ],
  ])("damaged metadata %s %j is named", async (key, text, message) => {
    const model = withMetadata(await withTagger(tinySequence({ table }), settings), { [key]: text });
    await expect(readTaggerSettings(model)).rejects.toMatchObject({
      code: "metadata",
      message: expect.stringContaining(message),
    });
  });
});

describe("models that do not fit", () => {
  test.each<[string, Partial<TinySequence>, Partial<SequenceSettings>, string, string]>([
    [
      "a list longer than the table",
      { table: table.slice(0, 4) },
      {},
      "word-index",
      "at least 6 rows, got 4 rows",
    ],
    ["an unknown id beyond the table", {}, { unknownId: 6 }, "word-index", "at least 7 rows, got 6 rows"],
    ["another number of labels", {}, { labels: ["A", "B"] }, "model-outputs", "2 labels"],
    ["no labels", {}, { labels: [] }, "labels", "at least 1, got 0"],
    ["no length to fill to", {}, { padding: "left" }, "window", "expected a fixed one to fill rows to"],
    ["another length", { length: 5 }, { padding: "left", maxLength: 4 }, "window", "expected 4"],
  ])("%s", async (_, model, changed, code, message) => {
    await expect(tagAll(model, changed, [["cat"]])).rejects.toMatchObject({
      name: "TaggerError",
      kind: "input",
      code,
      message: expect.stringContaining(message),
    });
  });

  test("two inputs", async () => {
    const two = {
      inputs: [
        { name: "a", dtype: "int32", shape: ["b", "t"] },
        { name: "c", dtype: "int32", shape: ["b", "t"] },
      ],
    } as unknown as Session;
    await expect(makeSequenceTagger(two, settings)).rejects.toMatchObject({
      code: "model-inputs",
      message:
        "openTagger: model: inputs: expected one of word ids, int32 or int64 [batch, length], got a int32 [b, t], c int32 [b, t]",
    });
  });

  test("NaN is an error, not a label", async () => {
    await expect(
      tagAll({ table: table.with(3, [Number.NaN, Number.NaN, Number.NaN, Number.NaN]) }, {}, [["cat"]]),
    ).rejects.toMatchObject({ code: "output" });
  });

  test("batch sizes below 1", async () => {
    await expect(tagAll({}, {}, [["cat"]], { batchSize: 0 })).rejects.toThrow(
      "tag: batchSize: expected an integer of at least 1, got 0",
    );
  });
});
