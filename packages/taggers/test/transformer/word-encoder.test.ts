import { describe, expect, test } from "vitest";
import { TaggerError } from "../../src/index.js";
import { packTokenizer, unpackTokenizer } from "../../src/transformer/compact-tokenizer.js";
import { parseTokenizerJson } from "../../src/transformer/tokenizer-json.js";
import { makeWordEncoder, type WordEncoder } from "../../src/transformer/word-encoder.js";
import { byteLevelBpe, unigram, wordLevel, wordPiece } from "./tiny-tokenizers.js";

const encoderOf = (json: Record<string, unknown>, padId = 0): WordEncoder =>
  makeWordEncoder({ json: parseTokenizerJson(json), padId });

/** Pre-tokenizers inside each other. */
function nested(levels: number): object {
  return levels === 0 ? { type: "Whitespace" } : { type: "Sequence", pretokenizers: [nested(levels - 1)] };
}

describe("makeWordEncoder", () => {
  test("WordPiece: pieces, unknown words, words of which nothing is left, special tokens", () => {
    const encoder = encoderOf(wordPiece(["time", "fl", "##ies", "."]));
    expect(encoder.encode("flies")).toEqual([6, 7]);
    expect(encoder.encode("time.")).toEqual([5, 8]);
    expect(encoder.encode("zebra")).toEqual([1]);
    expect(encoder.encode("\u0000")).toEqual([1]);
    expect(encoder.encode("")).toEqual([1]);
    expect(encoder.special).toEqual({
      before: [2],
      beforeTypes: [0],
      sequenceType: 0,
      after: [3],
      afterTypes: [0],
    });
    expect(encoder.largestId).toBe(8);
  });

  test("byte-level BPE: every word has its leading space, also where the file says it has none", () => {
    const encoder = encoderOf(byteLevelBpe(), 1);
    expect(encoder.encode("abc")).toEqual([9, 7]);
    expect(encoder.encode("bc")).toEqual([4, 10]);
    expect(encoder.encode("€")).toContain(3);
    expect(encoder.special).toMatchObject({ before: [0], after: [2] });
  });

  test("Unigram: Metaspace before every word, unk for the rest, type ids of the template", () => {
    const encoder = encoderOf(unigram(), 1);
    expect(encoder.encode("the")).toEqual([5]);
    expect(encoder.encode("mat")).toEqual([4, 6, 7]);
    expect(encoder.encode("é")).toEqual([4, 3]);
    expect(encoder.special).toEqual({
      before: [0],
      beforeTypes: [0],
      sequenceType: 1,
      after: [2],
      afterTypes: [1],
    });
  });

  test("WordLevel: the library gives undefined for unknown words, we give unk", () => {
    const encoder = encoderOf(wordLevel());
    expect(encoder.encode("Cat")).toEqual([2]);
    expect(encoder.encode("dog")).toEqual([0]);
    expect(encoder.special.before).toEqual([]);
  });

  test("words that JavaScript has properties of are tokens like others", () => {
    const encoder = encoderOf({
      model: { vocab: { "[UNK]": 0, constructor: 1, prototype: 2, ["__proto__"]: 3 } },
    });
    expect(["constructor", "prototype", "__proto__"].map((word) => encoder.encode(word))).toEqual([
      [1],
      [2],
      [3],
    ]);
  });

  test("a few very large ids take no memory between them", async () => {
    const json = parseTokenizerJson({ model: { vocab: { "[UNK]": 0, a: 16_000_000 } } });
    const packed = await packTokenizer(json);
    expect(packed.length).toBeLessThan(1000);
    expect((await unpackTokenizer(packed)).model.vocab).toEqual(json.model.vocab);
  });

  test("the cache is bounded and gives the same ids before and after it forgets", () => {
    const encoder = encoderOf(wordPiece(["time", "fl", "##ies"]));
    const first = encoder.encode("flies");
    expect(encoder.encode("flies")).toBe(first);
    for (let i = 0; i < 40_000; i++) encoder.encode(`w${i}`);
    const again = encoder.encode("flies");
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });

  test.each([
    [{}, 'openTagger: tokenizer.json: model: expected "model", got undefined'],
    [{ model: { vocab: { a: -1 } } }, "model.vocab"],
    [
      { ...wordLevel(), post_processor: { type: "Odd" } },
      "post_processor.type: expected ByteLevel, BertProcessing",
    ],
    [
      { ...wordLevel(), normalizer: { type: "Odd" } },
      'normalizer.type: expected BertNormalizer, NFC, NFD, NFKC, NFKD, StripAccents, Lowercase, Precompiled, Strip, Prepend, Replace, Sequence, got "Odd"',
    ],
    [
      { model: { vocab: { a: 0.5 } } },
      'model.vocab: id of "a": expected an integer from 0 to 16777215, got 0.5',
    ],
    [
      { model: { vocab: { a: 2 ** 28 - 1 } } },
      'id of "a": expected an integer from 0 to 16777215, got 268435455',
    ],
    [{ model: { vocab: { a: "0" } } }, 'model.vocab: id of "a"'],
    [{ model: { vocab: {} } }, "model.vocab: expected at least one token, got none"],
    [{ model: { type: "BPE", vocab: { a: 0 } } }, "model.merges: expected a list of pairs, got nothing"],
    [{ model: { type: "BPE", vocab: { a: 0 }, merges: ["ab"] } }, "model.merges.0"],
    [{ model: { type: "BPE", vocab: { a: 0 }, merges: [["a", 3]] } }, "model.merges.0"],
    [
      { model: { type: "Unigram", vocab: [["a", 0]], unk_id: 4 } },
      "model.unk_id: expected an id below 1, got 4",
    ],
    [{ model: { type: "Unigram", vocab: { a: 0 } } }, "model.vocab: expected a list of tokens and scores"],
    [{ model: { type: "Odd", vocab: { a: 0 } } }, "model.type"],
    [{ ...wordLevel(), added_tokens: [{ id: 2 ** 28 - 1, content: "x" }] }, "added_tokens.0.id"],
    [{ ...wordLevel(), added_tokens: [{ id: -1, content: "x" }] }, "added_tokens.0.id"],
    [{ ...wordLevel(), added_tokens: [{ id: 1, content: "" }] }, "added_tokens.0.content"],
    [{ ...wordLevel(), added_tokens: [{ id: 1, content: "x".repeat(100_000) }] }, "added_tokens.0.content"],
    [{ ...wordLevel(), decoder: 7 }, "decoder"],
    [
      { ...wordLevel(), normalizer: { type: "Sequence" } },
      "normalizer.normalizers: expected a list, got nothing",
    ],
    [
      { ...wordLevel(), normalizer: { type: "Sequence", normalizers: [{ type: "Replace", content: "" }] } },
      "normalizer.normalizers.0.pattern: expected an object with Regex or String, got nothing",
    ],
    [
      { ...wordLevel(), pre_tokenizer: { type: "FixedLength", length: 0 } },
      "pre_tokenizer.length: expected a positive integer, got 0",
    ],
    [
      { ...wordLevel(), post_processor: { type: "BertProcessing", sep: ["[SEP]", 1] } },
      "post_processor.cls: expected a token and its id, got nothing",
    ],
    [
      { ...wordLevel(), post_processor: { type: "TemplateProcessing" } },
      "post_processor.single: expected a list",
    ],
    [
      { ...wordLevel(), post_processor: { type: "TemplateProcessing", single: [null] } },
      "post_processor.single: expected pieces",
    ],
    [{ ...wordLevel(), post_processor: { type: "Sequence", processors: 1 } }, "post_processor.processors"],
    [{ ...wordLevel(), pre_tokenizer: nested(20) }, "at most 8 levels of sequences"],
    [
      { ...wordLevel(), pre_tokenizer: { type: "Split", pattern: { Regex: "(a+)+(?!b)" } } },
      "pre_tokenizer.pattern: expected a pattern whose time is bounded",
    ],
    [
      { ...wordLevel(), pre_tokenizer: { type: "Split", pattern: { Regex: "a".repeat(30_000) } } },
      "pre_tokenizer.pattern: expected at most 20000 characters, got 30000",
    ],
  ])("a wrong tokenizer is named: %#", (json, message) => {
    const make = (): unknown => encoderOf(json);
    expect(make).toThrow(TaggerError);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: "tokenizer", kind: "input" }));
  });
});

describe("packTokenizer", () => {
  test.each([
    ["WordPiece", wordPiece(["time", "fl", "##ies", "__proto__"])],
    ["BPE", byteLevelBpe()],
    ["Unigram", unigram()],
    ["WordLevel", wordLevel()],
  ])("%s encodes alike after a round trip, and packs to the same text twice", async (_, json) => {
    const parsed = parseTokenizerJson(json);
    const packed = await packTokenizer(parsed);
    expect(await packTokenizer(parsed)).toBe(packed);
    const there = makeWordEncoder({ json: parsed, padId: 0 });
    const back = makeWordEncoder({ json: await unpackTokenizer(packed), padId: 0 });
    for (const word of ["flies", "time", "abc", "the", "mat", "cat", "é", ""])
      expect(back.encode(word)).toEqual(there.encode(word));
    expect(back.special).toEqual(there.special);
  });

  test("8,000 WordPiece entries take less than 60 kB", async () => {
    // Syllables make entries about as long and as alike as those of a real vocabulary.
    const syllables = [
      "ka",
      "ter",
      "ing",
      "sol",
      "me",
      "ov",
      "ra",
      "ent",
      "li",
      "un",
      "th",
      "is",
      "po",
      "chi",
      "es",
      "or",
      "bu",
      "al",
      "dy",
      "ge",
    ];
    const words = Array.from({ length: 7995 }, (_, i) => {
      const word = [i % 20, (i * 7 + 3) % 20, Math.floor(i / 20) % 20, Math.floor(i / 400)]
        .map((s) => syllables[s])
        .join("");
      return i % 4 === 0 ? `##${word}` : word;
    });
    expect((await packTokenizer(parseTokenizerJson(wordPiece(words)))).length).toBeLessThan(60_000);
  });

  test("ids with gaps and shared ids survive", async () => {
    const json = {
      ...wordLevel(),
      model: { type: "WordLevel", unk_token: "[UNK]", vocab: { "[UNK]": 0, the: 4, The: 4 } },
    };
    const back = await unpackTokenizer(await packTokenizer(parseTokenizerJson(json)));
    expect({ ...(back.model.vocab as object) }).toEqual({ "[UNK]": 0, the: 4, The: 4 });
  });

  test.each(["%%%", "AAAA", ""])("damaged text %j is named", async (text) => {
    await expect(unpackTokenizer(text)).rejects.toMatchObject({
      code: "metadata",
      message: expect.stringContaining(
        "metadata nasty.tokenizer: expected base64 of a gzipped tokenizer, got",
      ),
    });
  });
});
