import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { contractionCuts } from "../../src/segmentation/contractions.js";
import { segmentSentence, segmentText } from "../../src/segmentation/segment-text.js";

const sentences = (text: string): string[] => segmentText(text).map((sentence) => sentence.text);
const words = (text: string): string =>
  segmentSentence(text)
    .words.map(({ form }) => form)
    .join(" ");

// Each right side as UD English-EWT writes it.
describe("segmentSentence: conventions of UD English-EWT", () => {
  test.each([
    ["I don't know.", "I do n't know ."],
    ["They cannot, won’t and dont.", "They can not , wo n’t and do nt ."],
    ["It's Sam's, we'll see; I'd've", "It 's Sam 's , we 'll see ; I 'd 've"],
    ["I wouldn't've gone", "I would n't 've gone"],
    ["the workers' rights", "the workers ' rights"],
    ["so-called 'terrorists' came", "so - called ' terrorists ' came"],
    ["gonna wanna gotta", "gon na wan na got ta"],
    ["o'clock ma'am Shi'ite the 60's and '72", "o'clock ma'am Shi'ite the 60's and '72"],
    ["a 15-year-old, non-profit e-mail anti-war", "a 15 - year - old , non-profit e-mail anti-war"],
    [
      "Mr. Smith of the U.S. met Dr. J. Who at 5 p.m. today.",
      "Mr. Smith of the U.S. met Dr. J. Who at 5 p.m. today .",
    ],
    ["Bring pens, etc.", "Bring pens , etc ."],
    ["Call 713-853-3989 or 345-9945!!", "Call 713-853-3989 or 345-9945 !!"],
    ["pages 5-10 cost $3,500.50, 20% off", "pages 5 - 10 cost $ 3,500.50 , 20 % off"],
    ["at 5pm, 10k runs, 35mm", "at 5 pm , 10 k runs , 35 mm"],
    ["the 23rd, 1980s, 11/28/2000 at 5:00", "the 23rd , 1980s , 11/28/2000 at 5:00"],
    ["See http://a.org/b?c=d. Or (www.x.com).", "See http://a.org/b?c=d . Or ( www.x.com ) ."],
    ["<john.doe@enron.com>, x@y.co.uk.", "< john.doe@enron.com > , x@y.co.uk ."],
    ["report.doc and galleryfurniture.com", "report.doc and galleryfurniture.com"],
    ["Nice :) but sad :-( ^_^ <3", "Nice :) but sad :-( ^_^ <3"],
    ['Well... what?! -- "yes"', 'Well ... what ?! -- " yes "'],
    ["AT&T and/or w/o R&D", "AT&T and / or w/o R&D"],
    ["#tag @user 👍🏽 🇬🇧", "#tag @user 👍🏽 🇬🇧"],
    ["我喜欢猫。", "我 喜欢 猫 。"],
  ])("%s", (text, expected) => {
    expect(words(text)).toBe(expected);
  });

  test("a contraction is kept as a multiword token over its words", () => {
    expect(segmentSentence("We can't go").multiwordTokens).toEqual([
      { form: "can't", start: 3, end: 8, firstWord: 1, wordsEnd: 3 },
    ]);
    expect(contractionCuts("cat")).toBeUndefined();
    expect(contractionCuts("Sam's")).toEqual([0, 3]);
  });
});

describe("segmentText", () => {
  test.each([
    ["Dr. Who is in. Ask him!", ["Dr. Who is in.", "Ask him!"]],
    ["J. Smith came.\nHe left at 5 p.m. The end?", ["J. Smith came.", "He left at 5 p.m.", "The end?"]],
    ["A heading\n\nand text\nthat wraps.", ["A heading", "and text\nthat wraps."]],
    ["1. First item.", ["1. First item."]],
    ["  \n\n ", []],
    ["", []],
  ])("%j", (text, expected) => {
    expect(sentences(text)).toEqual(expected);
  });

  const piece = oneof(
    constantFrom(
      "don't",
      "U.S.",
      "etc.",
      "e-mail",
      "workers'",
      "...",
      ":-)",
      "5pm",
      "a@b.c",
      "http://x.y/z.",
      "\n\n",
      " ",
      "'",
      "’s",
      "-",
      "/",
      "🎉",
      "猫が",
    ),
    string({ unit: "binary", maxLength: 6 }),
  );

  test("offsets are exact and nothing but white space is left out", () => {
    assert(
      property(array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join("");
        let at = 0;
        for (const sentence of segmentText(text)) {
          expect(text.slice(sentence.start, sentence.end)).toBe(sentence.text);
          for (const word of sentence.words) {
            expect(word.form).not.toBe("");
            expect(text.slice(word.start, word.end)).toBe(word.form);
            expect(word.form).not.toMatch(/\s/u);
            expect(text.slice(at, word.start)).toMatch(/^\s*$/u);
            at = word.end;
          }
          for (const { firstWord, wordsEnd, form } of sentence.multiwordTokens) {
            expect(
              sentence.words
                .slice(firstWord, wordsEnd)
                .map((word) => word.form)
                .join(""),
            ).toBe(form);
          }
        }
        expect(text.slice(at)).toMatch(/^\s*$/u);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test("a long run without spaces takes time in proportion to its length", () => {
    // In proportion to its square it would take longer than a test may.
    for (const piece of ["a.", "a-", "_a", "("]) {
      const text = piece.repeat(200_000);
      const ends = segmentText(text).map(({ end }) => end);
      expect(ends.at(-1)).toBe(text.length);
    }
  });
});
