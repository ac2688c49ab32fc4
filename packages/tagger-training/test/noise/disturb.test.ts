import { seededRandom } from "@nasty/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { disturb } from "../../src/noise/disturb.js";
import { defaultNoise, type Noise, noiseOf } from "../../src/noise/noise.js";

/** Noise of these kinds alone, in every sentence. */
function only(kinds: Partial<Noise>): Noise {
  const none = Object.fromEntries(Object.keys(defaultNoise).map((name) => [name, 0]));
  return { ...(none as unknown as Noise), share: 1, ...kinds };
}
const written = (text: string, kinds: Partial<Noise>, seed = 1): string | undefined =>
  disturb(text.split(" "), only(kinds), seededRandom(seed))?.words.join(" ");
/** What comes out for many seeds. */
const all = (text: string, kinds: Partial<Noise>): ReadonlySet<string | undefined> =>
  new Set(Array.from({ length: 300 }, (_, seed) => written(text, kinds, seed)));

describe("kinds of noise", () => {
  test.each([
    [{ lower: 1 }, "The USA won", "the usa won"],
    [{ upper: 1 }, "The Straße won", "THE STRASSE WON"],
    [{ title: 1 }, "the iPod of élan 3", "The IPod Of Élan 3"],
    [{ apostrophes: 1 }, "do n't say ' it’s '", "do nt say ' its '"],
    [{ quotes: 1 }, `" no " , it 's 'em`, "“ no ” , it ’s ’em"],
    [{ quotes: 1 }, "`` no ''", "“ no ”"],
    [{ symbols: 1 }, "see it", "see it"],
    [{}, "The USA won .", "The USA won ."],
  ] as const)("%j: %s", (kinds, text, expected) => {
    expect(written(text, kinds)).toBe(expected);
  });

  test("punctuation goes, all of it or some; faces, words and a sentence of nothing else stay", () => {
    expect(all("No , go ( now ) :) .", { punctuation: 1 })).toContain("No go now :)");
    const some = all("a , b .", { punctuation: 1 });
    expect(some).toEqual(new Set(["a , b .", "a b .", "a , b", "a b"]));
    expect(all("...", { punctuation: 1 })).toEqual(new Set(["..."]));
  });

  test("a word that must not be dropped is not", () => {
    const { words, places } =
      disturb(['"', "A", '"'], only({ punctuation: 1 }), seededRandom(8), (place) => place !== 0) ?? {};
    expect(words?.[0]).toBe('"');
    expect(places?.[0]).toBe(0);
  });

  test("typing errors: a letter swapped, left out, doubled or the next on the keyboard, never the first", () => {
    const errors = all("was", { typing: 1, typingPerWord: 1 });
    // Beside the word itself: w(a|s)… swapped, left out, doubled, and neighbours of a (s) and s (a, d).
    for (const error of ["wsa", "ws", "wa", "waas", "wass", "wss", "waa", "wad"])
      expect(errors).toContain(error);
    expect(errors.size).toBe(8);
    expect(all("It is 2006 @you x-1 ...", { typing: 1, typingPerWord: 1 })).toEqual(
      new Set(["It is 2006 @you x-1 ..."]),
    );
    expect(
      [...all("NASA", { typing: 1, typingPerWord: 1 })].every((word) => word === word?.toUpperCase()),
    ).toBe(true);
    expect([...all("Жизнь", { typing: 1, typingPerWord: 1 })].length).toBeGreaterThan(5);
  });

  test("as many words have a typing error as asked", () => {
    const words = Array.from({ length: 4000 }, () => "sentence");
    const out = disturb(words, only({ typing: 1, typingPerWord: 0.25 }), seededRandom(3))?.words ?? [];
    const wrong = out.filter((word) => word !== "sentence").length;
    expect(wrong / 4000).toBeGreaterThan(0.22);
    expect(wrong / 4000).toBeLessThan(0.28);
  });

  test("one vowel is drawn out", () => {
    for (const word of all("so", { elongation: 1 })) expect(word).toMatch(/^so{3,6}$/);
    expect(written("42", { elongation: 1 })).toBe("42");
  });

  test("addresses become other addresses, faces become emoji", () => {
    for (const text of all("www.a.com :-)", { symbols: 1 }))
      expect(text).toMatch(/^(https?:\/\/|www\.)[a-z0-9./]+ \p{Extended_Pictographic}$/u);
  });
});

test("the share of the disturbed sentences is as asked, and none without one", () => {
  const random = seededRandom(5);
  const noise = { ...defaultNoise, share: 0.3 };
  const disturbed = Array.from({ length: 4000 }, () => disturb(["a", "b"], noise, random)).filter(Boolean);
  expect(disturbed.length / 4000).toBeGreaterThan(0.27);
  expect(disturbed.length / 4000).toBeLessThan(0.33);
  expect(noiseOf()).toBeUndefined();
  expect(noiseOf({ lower: 1, upper: 0, title: 0 })).toBeUndefined();
  expect(noiseOf({ share: 0.2 })).toEqual({ ...defaultNoise, share: 0.2 });
});

test("whatever the words: places rise and belong to the words, no word is empty, the same seed says the same", () => {
  const words = fc.array(
    fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom(".", "'", "don't", ":)", "A")),
    {
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(words, fc.nat(), (sentence, seed) => {
      const run = () => disturb(sentence, { ...defaultNoise, share: 1 }, seededRandom(seed));
      const found = run();
      expect(run()).toEqual(found);
      const { words: out, places } = found ?? { words: [], places: [] };
      expect(places).toHaveLength(out.length);
      expect(out.length > 0).toBe(sentence.length > 0);
      places.forEach((place, i) => expect(place).toBeGreaterThan(places[i - 1] ?? -1));
      for (const word of out) expect(word).not.toBe("");
    }),
  );
});

test.each([
  [{ share: 1.5 }, "noise: share: expected a number from 0 to 1, got 1.5"],
  [{ share: 1, typing: Number.NaN }, "noise: typing: expected a number from 0 to 1, got NaN"],
  [{ share: 1, lower: 0.9 }, "noise: lower + upper + title: expected at most 1 together"],
])("refuses %j", (noise, message) => {
  expect(() => noiseOf(noise)).toThrow(message);
});
