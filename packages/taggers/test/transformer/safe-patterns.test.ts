import { describe, expect, test } from "vitest";
import { isTame, linearPattern } from "../../src/transformer/safe-patterns.js";
import { parseTokenizerJson } from "../../src/transformer/tokenizer-json.js";
import { makeWordEncoder } from "../../src/transformer/word-encoder.js";

/**
 * Patterns of tokenizers in use, in the forms that their authors wrote: they stay on the engine that they were written
 * for.
 */
const used = [
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}]*[\\p{Ll}\\p{Lm}]+(?i:'s|'t|'re)?|\\p{N}{1,3}",
  " ?[^(\\s|[.,!?…。，、।۔،])]+",
  "\\p{Nd}",
  " {2,}",
  "``|''",
];

/** Patterns on which a backtracking engine takes exponential time, or a high power of the length. */
const catastrophic = [
  "(a+)+$",
  "(a|a)*b",
  "(a*)*b",
  "([a-z]+)*!",
  "(.*)*x",
  "(?:a?){40}a{40}",
  "a*a*a*a*a*a*b",
  "a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "(x+x+)+y",
  "(\\w|\\d)+$",
  "((a{1,10}){1,10})+b",
  "(?:(?:a|aa)+)b",
];

const splitting = (regex: string) =>
  makeWordEncoder({
    json: parseTokenizerJson({
      pre_tokenizer: { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false },
      model: { vocab: { "[UNK]": 0, a: 1, b: 2 }, unk_token: "[UNK]" },
    }),
    padId: 0,
  });

describe("patterns of tokenizers", () => {
  test.each(used)("%j is tame", (regex) => expect(isTame(regex)).toBe(true));

  test.each(catastrophic)("%j is not tame, and ends all the same", (regex) => {
    expect(isTame(regex)).toBe(false);
    const encoder = splitting(regex);
    for (const word of ["a".repeat(5000), `${"a".repeat(5000)}!`, "x".repeat(5000)]) {
      expect(encoder.encode(word).length).toBeGreaterThan(0);
    }
  });

  test.each(["(a+)+(?!b)", "(a|b)*\\1", "(?<=(a+)+)b", "(?:a|\\bb)+", "(", "[a"])(
    "%j is refused",
    (regex) => {
      expect(() => splitting(regex)).toThrow(
        expect.objectContaining({ name: "TaggerError", code: "tokenizer" }),
      );
    },
  );

  test("the linear engine finds what the other finds", () => {
    const text = "ab1 caa\u00a0été 42 x😀y";
    const patterns = ["(?:\\p{L}+)+", "(?:a|b)+", "\\s", "\\S+", "\\d+|[^\\d\\s]+", "\\u00a0", "a*"];
    for (const source of patterns) {
      const [own, native] = [linearPattern(source, "test"), new RegExp(source, "gu")];
      expect(text.match(own as RegExp), source).toEqual(text.match(native));
      expect(text.replaceAll(own as RegExp, "_"), source).toBe(text.replaceAll(native, "_"));
      const places = (pattern: RegExp) =>
        [...text.matchAll(pattern)].map(({ 0: found, index }) => [found, index]);
      expect(places(own as RegExp), source).toEqual(places(native));
      if (source !== "a*") expect(text.split(own as RegExp), source).toEqual(text.split(native));
    }
  });
});
