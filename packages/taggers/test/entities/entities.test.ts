import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Aggregation,
  aggregations,
  entities,
  type Entity,
  type EntityOptions,
  sentenceEntities,
  type Tagger,
  wordEntities,
} from "../../src/index.js";
import { byteLevelBpe, unigram, wordPiece } from "../transformer/tiny-tokenizers.js";
import { lookupTagger, type LookupOptions, type Shares } from "./lookup-tagger.js";

const labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
const pieces: readonly (readonly [piece: string, shares: Shares])[] = [
  ["Ada", { "B-PER": 8, O: 2 }],
  ["Love", { "I-PER": 4, O: 3, "B-PER": 2, "I-LOC": 1 }],
  ["##lace", { "I-LOC": 5, O: 4, "B-LOC": 1 }],
  ["saw", { O: 10 }],
  ["Par", { "B-LOC": 6, O: 4 }],
  ["##is", { "I-LOC": 9, O: 1 }],
  [".", { O: 7, "I-LOC": 3 }],
];
const firstPiece = 5;
const withPieces: Pick<LookupOptions, "labels" | "tokenizer" | "shares"> = {
  labels,
  tokenizer: wordPiece(pieces.map(([piece]) => piece)),
  shares: Object.fromEntries(pieces.map(([, shares], i) => [i + firstPiece, shares])),
};

const open: Tagger[] = [];
const opened = async (options: LookupOptions): Promise<Tagger> => {
  const tagger = await lookupTagger(options);
  open.push(tagger);
  return tagger;
};
afterAll(() => Promise.all(open.map((one) => one.close())));

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const result of results) out.push(result);
  return out;
}

/** `TYPE text score`, after the offsets were checked. */
async function found(tagger: Tagger, text: string, options: EntityOptions = {}): Promise<string[]> {
  return (await all(entities(tagger, text, options))).map(({ type, text: own, start, end, score, words }) => {
    expect(text.slice(start, end)).toBe(own);
    for (const { form, start: from, end: to } of words) expect(text.slice(from, to)).toBe(form);
    return `${type} ${own} ${score.toFixed(4)}`;
  });
}

describe("aggregation: facts worked out by hand from the rules of the token classification pipeline", () => {
  let tagger: Tagger;
  beforeAll(async () => {
    tagger = await opened(withPieces);
  });
  const text = "  Ada\tLovelace saw  Paris.";

  test.each<[Aggregation, string[]]>([
    // Each subword by itself.
    ["none", ["PER Ada 0.8000", "PER Love 0.4000", "LOC lace 0.5000", "LOC Par 0.6000", "LOC is 0.9000"]],
    // Subwords by their own labels: (0.8 + 0.4) / 2; I-LOC behind PER begins another; (0.6 + 0.9) / 2.
    ["simple", ["PER Ada\tLove 0.6000", "LOC lace 0.5000", "LOC Paris 0.7500"]],
    // Love is I-PER 0.4; Par is B-LOC 0.6.
    ["first", ["PER Ada\tLovelace 0.6000", "LOC Paris 0.6000"]],
    // O (0.3 + 0.4) / 2 = 0.35 is before I-LOC (0.1 + 0.5) / 2; Paris is I-LOC (0 + 0.9) / 2.
    ["average", ["PER Ada 0.8000", "LOC Paris 0.4500"]],
    // ##lace is surer (I-LOC 0.5) than Love, ##is (I-LOC 0.9) than Par.
    ["max", ["PER Ada 0.8000", "LOC Lovelace 0.5000", "LOC Paris 0.9000"]],
  ])("%s", async (aggregation, expected) => {
    expect(await found(tagger, text, { aggregation })).toEqual(expected);
    expect(await found(tagger, text, { aggregation, batchSize: 1 })).toEqual(expected);
  });

  test("of equal subwords the first counts, of equal labels too", async () => {
    const even = await opened({
      labels,
      tokenizer: wordPiece(["a", "##b"]),
      shares: { 5: { "B-PER": 5, "B-LOC": 5 }, 6: { "B-LOC": 5, O: 5 } },
    });
    expect(await found(even, "ab", { aggregation: "max" })).toEqual(["PER ab 0.5000"]);
    expect(await found(even, "ab", { aggregation: "average" })).toEqual(["LOC ab 0.5000"]);
  });

  test("words have offsets, the label of the model and their own score", async () => {
    const [person] = await all(entities(tagger, text));
    expect(person).toEqual({
      type: "PER",
      text: "Ada\tLovelace",
      start: 2,
      end: 14,
      score: expect.closeTo(0.6, 6),
      words: [
        { form: "Ada", start: 2, end: 5, label: "B-PER", score: expect.closeTo(0.8, 6) },
        { form: "Lovelace", start: 6, end: 14, label: "I-PER", score: expect.closeTo(0.4, 6) },
      ],
    });
    const [, , place] = await all(entities(tagger, text, { aggregation: "simple" }));
    expect(place?.words).toEqual([
      { form: "Paris", start: 20, end: 25, label: "B-LOC", score: expect.closeTo(0.75, 6) },
    ]);
  });

  test("the default has the labels of tag", async () => {
    const [tags] = await all(tagger.tag([["Ada", "Lovelace", "saw", "Paris", "."]]));
    expect(tags).toEqual(["B-PER", "I-PER", "O", "B-LOC", "O"]);
    expect(await found(tagger, text)).toEqual(await found(tagger, text, { aggregation: "first" }));
  });

  test("sentences that have none are given too; offsets go on over sentences", async () => {
    const two = "Saw saw.\n\nAda saw. Paris.";
    const sentences = await all(sentenceEntities(tagger, two));
    expect(sentences.map(({ entities: own }) => own.map(({ start }) => start))).toEqual([[], [10], [19]]);
    expect(await all(entities(tagger, " \n"))).toEqual([]);
  });
});

describe("label schemes", () => {
  // Ada Lovelace, and Paris and London beside each other.
  const words = ["Ada", "Lovelace", "saw", "Paris", "London"];
  test.each<[string, string[], LookupOptions["scheme"], string[]]>([
    ["IOB2", ["B-PER", "I-PER", "O", "B-LOC", "B-LOC"], undefined, ["PER", "LOC", "LOC"]],
    ["IOB1", ["I-PER", "I-PER", "O", "I-LOC", "B-LOC"], "IOB1", ["PER", "LOC", "LOC"]],
    ["BIOES", ["B-PER", "E-PER", "O", "S-LOC", "S-LOC"], undefined, ["PER", "LOC", "LOC"]],
    ["BILOU", ["B-PER", "L-PER", "O", "U-LOC", "U-LOC"], undefined, ["PER", "LOC", "LOC"]],
    ["BMES", ["B-PER", "E-PER", "O", "S-LOC", "S-LOC"], "BMES", ["PER", "LOC", "LOC"]],
    ["suffixes", ["PER_B", "PER_I", "O", "LOC_B", "LOC_B"], undefined, ["PER", "LOC", "LOC"]],
    ["IO", ["PER", "PER", "O", "LOC", "LOC"], "IO", ["PER", "LOC"]],
    ["IO with letters", ["I-PER", "I-PER", "O", "I-LOC", "I-LOC"], "IO", ["PER", "LOC"]],
    ["untyped", ["B", "I", "O", "B", "B"], undefined, ["", "", ""]],
    ["with helpers", ["B-PER", "I-PER", "[SEP]", "B-LOC", "B-LOC"], undefined, ["PER", "LOC", "LOC"]],
  ])("%s", async (_name, given, scheme, types) => {
    const own = [...new Set(["O", "[SEP]", ...given])];
    const tagger = await opened({
      labels: own,
      tokenizer: wordPiece(words),
      shares: Object.fromEntries(
        given.map((label, i) => [
          i + firstPiece,
          { [label]: 9, "[SEP]": label === "O" ? 1 : 0, O: label === "O" ? 9 : 1 },
        ]),
      ),
      ...(scheme === undefined ? {} : { scheme }),
    });
    const results = await all(entities(tagger, words.join(" ")));
    expect(results.map(({ type }) => type)).toEqual(types);
    expect(results[0]).toMatchObject({ text: "Ada Lovelace", score: expect.closeTo(0.9, 6) });
    for (const aggregation of aggregations.filter((one) => one !== "none")) {
      expect(await all(entities(tagger, words.join(" "), { aggregation }))).toEqual(results);
    }
    // One of each word that has an entity label.
    expect(await all(entities(tagger, words.join(" "), { aggregation: "none" }))).toHaveLength(4);
  });
});

describe("other tokenizers", () => {
  test("byte-level BPE: the blank before a word has no character", async () => {
    // Ġab c | Ġ bc | '
    const tagger = await opened({
      labels,
      tokenizer: byteLevelBpe(),
      shares: {
        4: { "B-PER": 6, O: 4 },
        7: { "I-PER": 7, O: 3 },
        9: { "B-PER": 9, O: 1 },
        10: { "I-LOC": 8, O: 2 },
        11: { O: 10 },
      },
    });
    expect(await found(tagger, "abc", { aggregation: "none" })).toEqual(["PER ab 0.9000", "PER c 0.7000"]);
    expect(await found(tagger, "x bc", { aggregation: "simple" })).toContain("LOC bc 0.8000");
    expect(await found(tagger, "bc")).toEqual(["PER bc 0.6000"]);
    expect(await found(tagger, "bc", { aggregation: "max" })).toEqual(["LOC bc 0.8000"]);
    expect(await found(tagger, "abc", { aggregation: "simple" })).toEqual(["PER abc 0.8000"]);
  });

  test("Unigram", async () => {
    const tagger = await opened({
      labels,
      tokenizer: unigram(),
      shares: { 4: { O: 10 }, 5: { O: 10 }, 6: { "B-LOC": 6, O: 4 }, 7: { "I-LOC": 8, O: 2 } },
    });
    expect(await found(tagger, "the mat", { aggregation: "simple" })).toEqual(["LOC mat 0.7000"]);
    expect(await found(tagger, "the mat", { aggregation: "none" })).toEqual([
      "LOC m 0.6000",
      "LOC at 0.8000",
    ]);
    expect(await found(tagger, "the mat", { aggregation: "max" })).toEqual([]);
    // O 1, 0.4, 0.2 of three subwords.
    expect(await found(tagger, "the mat", { aggregation: "average" })).toEqual([]);
  });
});

describe("long text", () => {
  test.each(aggregations)(
    "goes through windows, and each entity stands where it should: %s",
    async (aggregation) => {
      const tagger = await opened({ ...withPieces, positions: 8 });
      const wide = await opened({ ...withPieces, positions: 512 });
      const text = Array.from({ length: 60 }, (_, i) => ["Ada Lovelace", "saw", "Paris"][i % 3]).join(" ");
      const expected = await found(wide, text, { aggregation });
      expect(expected.length).toBeGreaterThanOrEqual(40);
      expect(await found(tagger, text, { aggregation })).toEqual(expected);
      expect(await found(tagger, text, { aggregation, batchSize: 1 })).toEqual(expected);
    },
  );

  test("a word longer than the model, and one of more than is looked at", async () => {
    const tagger = await opened({ ...withPieces, positions: 8 });
    const cut = `Ada${"lace".repeat(20)}`;
    for (const aggregation of aggregations) {
      const results = await all(wordEntities(tagger, [["saw", cut, "saw"]], { aggregation }));
      expect(results[0]?.[0]).toMatchObject({ firstWord: 1, wordsEnd: 2, start: 0 });
    }
    expect(await all(wordEntities(tagger, [[cut]]))).toMatchObject([
      [{ start: 0, end: cut.length, type: "PER" }],
    ]);
    const unknown = await opened({
      ...withPieces,
      shares: { ...withPieces.shares, 1: { "B-LOC": 7, O: 3 } },
    });
    const long = "x".repeat(1600);
    expect(await all(wordEntities(unknown, [[long]]))).toMatchObject([
      [{ start: 0, end: 1600, type: "LOC" }],
    ]);
    const [[part]] = (await all(wordEntities(unknown, [[long]], { aggregation: "simple" }))) as [[object]];
    expect(part).toMatchObject({ start: 0, end: 1000 });
  });
});

describe("what is refused", () => {
  const next = (tagger: Tagger, options = {}) => entities(tagger, "Ada saw.", options).next();

  test("a tagger of parts of speech", async () => {
    const tagger = await opened({ ...withPieces, labels: ["NOUN", "VERB", "ADJ", "ADV", "PRON"] });
    await expect(next(tagger)).rejects.toMatchObject({
      code: "labels",
      message: expect.stringContaining(
        "expected those of entities, such as B-PER, I-PER and O, got NOUN, VERB",
      ),
    });
    expect(tagger.choices).toBeUndefined();
  });

  test("a tagger that gives no probabilities, an unknown aggregation, and words that are none", async () => {
    const tagger = await opened(withPieces);
    const { choices: _choices, ...silent } = tagger;
    await expect(next(silent)).rejects.toMatchObject({ code: "labels" });
    await expect(next(tagger, { aggregation: "last" })).rejects.toMatchObject({
      code: "option",
      message: "entities: aggregation: expected none, simple, first, average, max, got last",
    });
    await expect(wordEntities(tagger, 3 as never).next()).rejects.toMatchObject({ code: "words" });
    await expect(wordEntities(tagger, [["a", 3 as never]]).next()).rejects.toMatchObject({ code: "words" });
  });

  test.each(aggregations)("scores that are not numbers: %s", async (aggregation) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const tagger = await opened({
        ...withPieces,
        shares: { ...withPieces.shares, 8: { O: 1, "I-LOC": bad } },
      });
      await expect(next(tagger, { aggregation })).rejects.toMatchObject({ code: "output" });
    }
  });

  test("a call whose signal is aborted", async () => {
    const tagger = await opened(withPieces);
    await expect(next(tagger, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});

test("an entity is of plain data", async () => {
  const tagger = await opened(withPieces);
  const [first] = await all(entities(tagger, "Ada"));
  expect(JSON.parse(JSON.stringify(first)) as Entity).toEqual(first);
});
