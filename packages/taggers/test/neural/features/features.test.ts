import fc from "fast-check";
import { expect, test } from "vitest";
import { makeWordFeatures } from "../../../src/neural/features/word-features.js";
import { hashText } from "../../../src/neural/features/hash-text.js";
import { gzip } from "@nasty/formats/archive";
import { toBase64 } from "../../../src/base64.js";
import { packVocabulary, unpackVocabulary } from "../../../src/neural/features/pack-vocabulary.js";
import { wordShape } from "../../../src/neural/features/word-shape.js";
import { tinyFeatures } from "../tiny-neural.js";

// Computed once with this function: shipped models depend on these numbers.
test.each([
  ["", 0, 0, 2872998923],
  ["ing", 515, 0, 202844745],
  ["walking", 515, 4, 202844745],
])("hash of %j seed %i from %i", (text, seed, start, expected) => {
  expect(hashText(text, { seed, start })).toBe(expected);
});

test.each([
  ["Time", "Xxx"],
  ["NATO", "XX"],
  ["iPhone", "xXxx"],
  ["McDonald's", "XxXxx'x"],
  ["1,200", "d,dd"],
  ["Élan", "Xxx"],
  ["...", ".."],
  ["http://www.example.org/a", "xx://xx.xx"],
  ["", ""],
])("shape of %j is %j", (word, shape) => expect(wordShape(word)).toBe(shape));

test("words, affixes, shape and characters of a word", () => {
  const featuresOf = makeWordFeatures(tinyFeatures);
  const time = featuresOf("Time");
  expect(time.word).toBe(3);
  expect(featuresOf("arrow").word).toBe(0);
  // begin, T, i, m, e, end: characters are numbered from 4 in the order of "aeiklmtT".
  expect([...time.characters]).toEqual([2, 11, 6, 9, 5, 3]);
  expect([...featuresOf("x").characters]).toEqual([2, 1, 3]);
  // Eight places: both marks, and three characters from either end.
  expect([...featuresOf("Timetables").characters]).toEqual([2, 11, 6, 9, 8, 5, 1, 3]);
  expect(time.affixes).toEqual(featuresOf("TIME").affixes);
  expect(time.shape).not.toBe(featuresOf("TIME").shape);
  expect(featuresOf("time").affixes[2]).toBe(featuresOf("me").affixes[2]);
});

test("codes of a word are rows of its codebooks; a word without codes has the first row", () => {
  const codes = { words: ["naïve", "time"], books: 3, codes: Uint8Array.of(7, 255, 0, 1, 9, 2) };
  const featuresOf = makeWordFeatures({ ...tinyFeatures, codes });
  expect([...featuresOf("TIME").codes]).toEqual([256, 258, 515]);
  expect([...featuresOf("naïve").codes]).toEqual([8, 257, 522]);
  expect([...featuresOf("arrow").codes]).toEqual([0, 0, 0]);
  expect([...makeWordFeatures(tinyFeatures)("time").codes]).toEqual([]);
});

test("ids stay inside their tables for any word", () => {
  const featuresOf = makeWordFeatures(tinyFeatures);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (word) => {
      const { word: id, affixes, shape, characters } = featuresOf(word);
      expect(id).toBeLessThanOrEqual(tinyFeatures.vocabulary.length);
      expect(affixes.every((row) => row >= 1 && row < tinyFeatures.affixRows)).toBe(true);
      expect(shape).toBeLessThan(tinyFeatures.shapeRows);
      expect(characters.length).toBeLessThanOrEqual(tinyFeatures.longestWord);
      expect(characters.every((row) => row >= 1 && row < 4 + tinyFeatures.characters.length)).toBe(true);
    }),
  );
});

test("more words than any vocabulary has are counted before the list is made", async () => {
  const many = toBase64(await gzip(new Uint8Array(2_000_001).fill(10)));
  await expect(unpackVocabulary(many)).rejects.toMatchObject({
    code: "metadata",
    message: expect.stringContaining("expected at most 2000000 words, got 2000001"),
  });
});

test("packed words come back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ unit: "grapheme" }).filter((word) => !word.includes("\n")),
        {},
      ),
      async (words) => {
        expect(await unpackVocabulary(await packVocabulary(words))).toEqual(words);
      },
    ),
    { numRuns: 30 },
  );
});
