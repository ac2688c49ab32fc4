import { Tokenizer } from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import { makeTextEncoder } from "../../src/transformer/text-encoder.js";
import { parseTokenizerJson } from "../../src/transformer/tokenizer-json.js";
import { byteLevelBpe, unigram, wordPiece } from "./tiny-tokenizers.js";

const pairOf = (
  before: readonly string[],
  between: readonly string[],
  after: readonly string[],
  second: number,
): object[] => {
  const token = (id: string, type_id: number): object => ({ SpecialToken: { id, type_id } });
  return [
    ...before.map((id) => token(id, 0)),
    { Sequence: { id: "A", type_id: 0 } },
    ...between.map((id) => token(id, 0)),
    { Sequence: { id: "B", type_id: second } },
    ...after.map((id) => token(id, second)),
  ];
};

const words = wordPiece(["a", "b", "the", "##m", "."]);
const bert = {
  ...words,
  post_processor: {
    ...(words["post_processor"] as object),
    pair: pairOf(["[CLS]"], ["[SEP]"], ["[SEP]"], 1),
  },
};
const pieces = unigram();
const xlm = {
  ...pieces,
  post_processor: {
    ...(pieces["post_processor"] as object),
    pair: pairOf(["<s>"], ["</s>", "</s>"], ["</s>"], 0),
  },
};
const old = { ...words, post_processor: { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] } };
const bare = { ...words, post_processor: null };

const encoderOf = (json: object) =>
  makeTextEncoder({ json: parseTokenizerJson(json, "tokenizer.json"), padId: 0 });

const tokenizers = { bert, roberta: byteLevelBpe(), xlm, old } as const;

describe.each(Object.entries(tokenizers))("texts of %s", (name, json) => {
  const encoder = encoderOf(json);
  const reference = new Tokenizer(json, {});

  it.each([
    ["a the.", undefined],
    ["the b", "a. b"],
    ["", undefined],
    ["", "a"],
    ["  a   b ", undefined],
  ])("%j, %j are encoded as the tokenizers library does", (text, pair) => {
    const { ids, types } = encoder.encode(text, pair, 64);
    const expected = reference.encode(text, {
      add_special_tokens: true,
      return_token_type_ids: true,
      ...(pair !== undefined && { text_pair: pair }),
    });
    const known = expected.ids as (number | undefined)[];
    if (known.every((id) => id !== undefined)) {
      expect([...ids]).toEqual(known);
      // RoBERTa has one type, for the second text too; the library says 1, which no table of its kin has.
      const kinds = name === "roberta" ? known.map(() => 0) : expected.token_type_ids;
      if (pair !== undefined) expect([...types]).toEqual(kinds);
    }
    expect(ids).toHaveLength(types.length);
  });
});

describe("what is longer than the model", () => {
  const encoder = encoderOf(bert);
  const [cls, sep, a, b] = [2, 3, 5, 6];

  it("is cut at its end, special tokens staying", () => {
    expect([...encoder.encode("a a b b", undefined, 4).ids]).toEqual([cls, a, a, sep]);
  });

  it.each([
    ["a a a a", "b", 6, [cls, a, a, sep, b, sep]],
    ["a", "b b b b", 6, [cls, a, sep, b, b, sep]],
    ["a a a a", "b b b b", 8, [cls, a, a, sep, b, b, b, sep]],
    ["a a a a", "b b b", 8, [cls, a, a, a, sep, b, b, sep]],
  ])("of a pair the longer text first: %s ‖ %s in %i", (text, pair, most, expected) => {
    expect([...encoder.encode(text, pair, most).ids]).toEqual(expected);
  });

  it("is encoded in pieces that change nothing, and only as far as it is read", () => {
    const long = "the a. ".repeat(2000);
    const all = encoder.encode(long, undefined, 100_000);
    const whole = new Tokenizer(bert, {}).encode(long, { add_special_tokens: true });
    expect([...all.ids]).toEqual(whole.ids);
    // Without pieces this would be gigabytes of tokens.
    expect(encoder.encode("a".repeat(50_000_000), undefined, 16).ids.length).toBeLessThanOrEqual(16);
    expect(encoder.encode("a ".repeat(20_000_000), undefined, 16).ids).toHaveLength(16);
  });

  it("leaves room for a subword, or is refused", () => {
    expect(() => encoder.encode("a", undefined, 2)).toThrow(
      "room for a subword beside 2 special tokens, got 2",
    );
    expect(() => encoder.encode("a", "b", 3)).toThrow("room for a subword beside 3 special tokens, got 3");
  });
});

it("a tokenizer without special tokens puts one text behind the other, and reads nothing as one unknown", () => {
  const encoder = encoderOf(bare);
  expect([...encoder.encode("a", "b", 8).ids]).toEqual([5, 6]);
  expect([...encoder.encode("a", "b", 8).types]).toEqual([0, 1]);
  expect([...encoder.encode("", undefined, 8).ids]).toEqual([1]);
});

it("a template without a form for two texts refuses pairs alone", () => {
  const encoder = encoderOf(words);
  expect(encoder.encode("a", undefined, 8).ids).toHaveLength(3);
  expect(() => encoder.encode("a", "b", 8)).toThrow("expected a form for pairs of texts, got none");
});
