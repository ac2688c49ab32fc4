import fc from "fast-check";
import { makeWordEncoder, parseTokenizerJson } from "@nasty/taggers/transformer";
import { describe, expect, it } from "vitest";
import { specialPieces, trainVocabulary } from "../../src/subwords/train-vocabulary.js";
import { wordPieceTokenizer } from "../../src/subwords/word-piece-tokenizer.js";

const encoderOf = (pieces: readonly string[]) =>
  makeWordEncoder({ json: parseTokenizerJson(wordPieceTokenizer(pieces, 64).tokenizerJson), padId: 0 });

const word = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", "c", "#", "é"), minLength: 1, maxLength: 8 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
);
const counts = fc
  .array(fc.tuple(word, fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength: 40 })
  .filter((pairs) => pairs.some(([text]) => text.trim() !== ""))
  .map((pairs) => new Map(pairs));

/** Merges by counting all pairs anew each time: what the incremental counts must come to. */
function slowly(given: ReadonlyMap<string, number>, pieces: string[], size: number): string[] {
  const text = new Map<string, number>();
  for (const [words, count] of given)
    for (const one of words.split(/\s+/)) if (one !== "") text.set(one, (text.get(one) ?? 0) + count);
  const spelled = [...text].map(([one, count]) => ({
    ids: Array.from(one, (c, i) => pieces.indexOf(i === 0 ? c : `##${c}`)),
    count,
  }));
  const out = [...pieces];
  while (out.length < size) {
    const found = new Map<string, { first: number; second: number; count: number }>();
    for (const { ids, count } of spelled) {
      for (let i = 1; i < ids.length; i++) {
        const [first, second] = [ids[i - 1] as number, ids[i] as number];
        const key = `${first} ${second}`;
        found.set(key, { first, second, count: (found.get(key)?.count ?? 0) + count });
      }
    }
    const best = [...found.values()].sort(
      (a, b) => b.count - a.count || a.first - b.first || a.second - b.second,
    )[0];
    if (best === undefined || best.count < 2) break;
    const merged = `${out[best.first]}${out[best.second]?.slice(2)}`;
    if (!out.includes(merged)) out.push(merged);
    const id = out.indexOf(merged);
    for (const one of spelled) {
      const joined: number[] = [];
      for (let i = 0; i < one.ids.length; i++) {
        const isPair = one.ids[i] === best.first && one.ids[i + 1] === best.second;
        joined.push(isPair ? id : (one.ids[i] as number));
        if (isPair) i++;
      }
      one.ids = joined;
    }
  }
  return out;
}

describe("a vocabulary", () => {
  it("has special tokens, characters by code point, then pieces as they were merged", () => {
    // lo 7, then lo+w 7, then the pair of older pieces first: ##e ##r 2, low ##er 2.
    const pieces = trainVocabulary(
      new Map([
        ["low", 5],
        ["lower", 2],
      ]),
      { size: 40 },
    );
    expect(pieces).toEqual([...specialPieces, "l", "##e", "##o", "##r", "##w", "lo", "low", "##er", "lower"]);
  });

  it("writes every training word without [UNK], in at most the pieces asked for, whatever the order of the words", () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 30 }), (given, more) => {
        const all = trainVocabulary(given, { size: 1000 });
        const least = trainVocabulary(given, { size: 1000, leastCount: 1e9 });
        const size = least.length + more;
        const pieces = trainVocabulary(given, { size });
        expect(pieces).toHaveLength(Math.min(size, all.length));
        expect(new Set(pieces).size).toBe(pieces.length);
        expect(trainVocabulary(new Map([...given].reverse()), { size })).toEqual(pieces);
        const { encode } = encoderOf(pieces);
        for (const text of given.keys()) if (text.trim() !== "") expect(encode(text)).not.toContain(1);
      }),
      { numRuns: 60 },
    );
  });

  it("equals the one of counting all pairs anew", () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 30 }), (given, more) => {
        const characters = trainVocabulary(given, { size: 1000, leastCount: 1e9 });
        const size = characters.length + more;
        expect(trainVocabulary(given, { size })).toEqual(slowly(given, characters, size));
      }),
      { numRuns: 60 },
    );
  });

  it("is used as longest pieces first, with case kept and [CLS] and [SEP] around", () => {
    const pieces = trainVocabulary(
      new Map([
        ["walking", 4],
        ["walked", 3],
        ["Talking", 2],
      ]),
      { size: 60 },
    );
    const { encode, special, unknown, padId } = encoderOf(pieces);
    const read = (text: string): string[] => encode(text).map((id) => pieces[id] as string);
    expect(read("walking")).toEqual(["walking"]);
    expect(read("Walking")).toEqual(["[UNK]"]);
    expect([special.before, special.after, unknown, padId]).toEqual([[2], [3], [1], 0]);
  });

  it("refuses a size without room for the characters, and no text", () => {
    expect(() => trainVocabulary(new Map([["abc", 1]]), { size: 7 })).toThrow(
      expect.objectContaining({
        code: "option",
        message:
          "trainVocabulary: size: expected an integer from 8 (special tokens and characters) to 16777216, got 7",
      }),
    );
    expect(() => trainVocabulary(new Map([[" ", 1]]))).toThrow(
      expect.objectContaining({
        code: "empty",
        message: "trainVocabulary: words: characters: expected at least 1, got 0",
      }),
    );
  });
});
