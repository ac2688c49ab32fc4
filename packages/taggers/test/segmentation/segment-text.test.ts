import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  contractionCuts,
  segmentSentence,
  segmentText,
  textSentences,
} from "../../src/segmentation/segment-text.js";
import { longestPiece, pieceEnd } from "../../src/segmentation/text-pieces.js";

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
    [
      "Look at http://a.org/news.asp?ID=97508 now, or a.org/x?y=1&z=2.",
      "Look at http://a.org/news.asp?ID=97508 now , or a.org/x?y=1&z=2 .",
    ],
    [
      "01-Feb-02, 2001-02-03 and 2001-02-03T12:34:56Z at 10.0.0.1",
      "01-Feb-02 , 2001-02-03 and 2001-02-03T12:34:56Z at 10.0.0.1",
    ],
    [
      "Mail ann.o'neil@a-b.co.uk, user@host; see a.org?x=1&y=2, b.com:8080/c?d. What is a.org?",
      "Mail ann.o'neil@a-b.co.uk , user@host ; see a.org?x=1&y=2 , b.com:8080/c?d . What is a.org ?",
    ],
    ["@name_1 #2020vision #Zürich", "@name_1 #2020vision #Zürich"],
    ["Call X3-5290 or (3-5213), $$$ at Yahoo! on 3G", "Call X3-5290 or ( 3-5213 ) , $$$ at Yahoo! on 3G"],
    ["a 3,40 Euro v1.2 ~*~*~*", "a 3,40 Euro v1.2 ~*~*~*"],
    [
      "❤️‍🔥 1️⃣ 👩🏽‍💻 🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}!",
      "❤️‍🔥 1️⃣ 👩🏽‍💻 🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F} !",
    ],
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

describe("segmentSentence: characters that are no letters", () => {
  test.each([
    [
      "format characters inside of a word belong to it",
      "re\u00ADmember co\u200Bop\u2060erate",
      "re\u00ADmember co\u200Bop\u2060erate",
    ],
    ["those between words are in none", "\u200Eyes\u200F, \u200B no\u00AD.", "yes , no ."],
    ["they cut no contraction", "do\u00ADn't", "do\u00AD n't"],
    ["a joiner alone is no word", "a \u200D \u2060 b", "a b"],
    ["a byte order mark separates", "\uFEFFone\uFEFFtwo", "one two"],
    [
      "white space and control characters of any kind separate",
      "a\u0085b\u001Cc\u001Dd\u001Ee\u001Ff\u2028g\u3000h\u0007i",
      "a b c d e f g h i",
    ],
    ["a mark belongs to what stands before it", "e\u0301. .\u0301x !\u20DD", "e\u0301 . .\u0301 x !\u20DD"],
    ["a mark behind white space is in no word", "a \u0301b \u0301", "a b"],
    ["half a surrogate pair is a character", "a \uD83D b", "a \uD83D b"],
  ])("%s", (_name, text, expected) => {
    expect(words(text)).toBe(expected);
  });

  test("a run longer than a word may be is cut between characters", () => {
    const { words: runs } = segmentSentence(
      `${"7".repeat(999)}${"e\u0301".repeat(1000)} ${"👩‍💻".repeat(700)}`,
    );
    expect(Math.max(...runs.map(({ form }) => form.length))).toBeLessThanOrEqual(1001);
    for (const { form } of runs)
      expect(form).not.toMatch(/^[\p{M}\p{Cf}\uDC00-\uDFFF]|[\u200D\uD800-\uDBFF]$/u);
  });
});

describe("segmentText", () => {
  test.each([
    ["Dr. Who is in. Ask him!", ["Dr. Who is in.", "Ask him!"]],
    ["J. Smith came.\nHe left at 5 p.m. The end?", ["J. Smith came.", "He left at 5 p.m.", "The end?"]],
    ["A heading\n\nand text\nthat wraps.", ["A heading", "and text\nthat wraps."]],
    ["1. First item.", ["1. First item."]],
    ["See http://a.org/x.asp?id=1 now. Go!", ["See http://a.org/x.asp?id=1 now.", "Go!"]],
    ["It was great!more than that", ["It was great!more than that"]],
    ["call me. i am here. maria knows e.g. this", ["call me.", "i am here.", "maria knows e.g. this"]],
    ["Born in Paris.[2][3] He left (d. 1975).", ["Born in Paris.[2][3]", "He left (d. 1975)."]],
    ["Ann Lee 08/16/2000 12:05 PM I agree.", ["Ann Lee", "08/16/2000 12:05 PM", "I agree."]],
    ["a text ----- another ====== end", ["a text", "-----", "another", "======", "end"]],
    ["Thanks, Ann", ["Thanks,", "Ann"]],
    ["See a@b.org Then http://c.org/ Call", ["See a@b.org", "Then http://c.org/", "Call"]],
    ["one\r\n \t\r\ntwo\rthree\r\rfour", ["one", "two\rthree", "four"]],
    ["你好。再见。", ["你好。", "再见。"]],
    ["\u200B\n\n\u00AD", []],
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
      "\u00AD",
      "\u200B",
      "\u200D",
      "\u0301",
      "\uFEFF",
      "\u0085",
      "猫が",
    ),
    string({ unit: "binary", maxLength: 6 }),
  );

  const leftOut = /^[\s\p{Cc}\p{Cf}\p{M}]*$/u;

  test("offsets are exact and nothing but separators, format characters and marks is left out", () => {
    assert(
      property(array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join("");
        let at = 0;
        for (const sentence of segmentText(text)) {
          expect(text.slice(sentence.start, sentence.end)).toBe(sentence.text);
          for (const word of sentence.words) {
            expect(word.form).not.toBe("");
            expect(text.slice(word.start, word.end)).toBe(word.form);
            expect(word.form).not.toMatch(/[\s\p{Cc}]|^\p{M}|^\p{Cf}+$/u);
            expect(text.slice(at, word.start)).toMatch(leftOut);
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
        expect(text.slice(at)).toMatch(leftOut);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test("a text read piece by piece has the sentences of the whole", () => {
    const text =
      "One is here. Two, e.g. this, is there! and three\n\nA heading\r\n\r\n".repeat(3000) +
      "word ".repeat(30_000);
    const found: string[] = [];
    let pending = "";
    for (let at = 0; at < text.length; at += 1009) {
      pending += text.slice(at, at + 1009);
      const isWhole = at + 1009 >= text.length;
      for (let end = pieceEnd(pending, { isWhole }); end > 0; end = pieceEnd(pending, { isWhole })) {
        found.push(...sentences(pending.slice(0, end)));
        pending = pending.slice(end);
      }
    }
    expect(pending).toBe("");
    expect(found).toEqual(sentences(text));
  });

  test("each line is a sentence where that is said", () => {
    const text = "Paris is nice\nI like\tLondon. It is big\r\n\r\n  Hello world \rBye";
    const found = segmentText(text, { onePerLine: true });
    expect(found.map((sentence) => sentence.text)).toEqual([
      "Paris is nice",
      "I like\tLondon. It is big",
      "Hello world",
      "Bye",
    ]);
    for (const { start, end, text: own } of found) expect(text.slice(start, end)).toBe(own);
  });

  test("a sentence is cut where it is longer than a piece", () => {
    const found = segmentText("word ".repeat(40_000));
    expect(found.length).toBeGreaterThan(2);
    for (const { start, end } of found) expect(end - start).toBeLessThanOrEqual(longestPiece);
    expect(found.flatMap((sentence) => sentence.words)).toHaveLength(40_000);
    expect(found.every((sentence) => sentence.words.every(({ form }) => form === "word"))).toBe(true);
  });

  test.each(["a.", "a-", "_a", "(", ".[1]", "-", "7", "a@", "\n", "a\u0301\u0301\u0301", "\u200B"])(
    "a run of %j takes time in proportion to its length",
    (piece) => {
      // In proportion to its square it would take longer than a test may.
      const text = `x ${piece.repeat(200_000)} y`;
      const found = [...textSentences(text)];
      expect(found.at(-1)?.end).toBe(text.length);
    },
  );
});
