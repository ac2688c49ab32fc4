import { describe, expect, test } from "vitest";
import {
  contractionCuts,
  type Language,
  type LanguageSettings,
  segmentText,
  TaggerError,
} from "../../src/index.js";
import { neutral } from "../../src/segmentation/languages/neutral.js";

const cut = (text: string, language?: Language): string[] =>
  segmentText(text, { language }).map(({ words }) => words.map(({ form }) => form).join(" "));

describe("Danish, as UD Danish-DDT writes it", () => {
  test.each([
    ["Mødet er kl. 8, f.eks. den 3. maj.", ["Mødet er kl. 8 , f.eks. den 3. maj ."]],
    ["Bl.a. Ida og dr. Holm, dvs. to i alt.", ["Bl.a. Ida og dr. Holm , dvs. to i alt ."]],
    [
      "Det sker d. 12. januar. Han er 43. Hun er 9.",
      ["Det sker d. 12. januar .", "Han er 43 .", "Hun er 9 ."],
    ],
    ["Den koster 1.000.000 kr. eller 9,5 mio. kroner.", ["Den koster 1.000.000 kr. eller 9,5 mio. kroner ."]],
    ["Prisen er 20 kr. Det er dyrt, 2. gang.", ["Prisen er 20 kr .", "Det er dyrt , 2. gang ."]],
    [
      "SID-huset og/eller for- og bagsiden, 10-15 gange",
      ["SID-huset og/eller for- og bagsiden , 10-15 gange"],
    ],
    ["USA's 80'erne, Lars' hus og en 34-årig", ["USA's 80'erne , Lars' hus og en 34-årig"]],
    ["Han sagde I don't know", ["Han sagde I don't know"]],
  ])("%s", (text, expected) => {
    expect(cut(text, "da")).toEqual(expected);
    expect(cut(text, "da-DK")).toEqual(expected);
    // In English each is cut otherwise.
    expect(cut(text)).not.toEqual(expected);
  });
});

describe("a language without settings of its own", () => {
  test.each([
    ["Ils n'ont pas de porte-clés: l'été, 3,5 %!", ["Ils n'ont pas de porte-clés : l'été , 3,5 % !"]],
    ["can't cannot Sam's 15-year", ["can't cannot Sam's 15-year"]],
    ["Ciao. Come va?", ["Ciao .", "Come va ?"]],
  ])("%s is cut by spaces, punctuation and Unicode's rules", (text, expected) => {
    for (const language of ["fr", "it-IT", "und", "sw"]) expect(cut(text, language)).toEqual(expected);
  });

  test("Unicode knows some of it: the question mark of Greek", () => {
    expect(cut("Τι κάνεις; Καλά.", "el").length).toBe(cut("Τι κάνεις? Καλά.", "el").length);
  });
});

test("settings are data: a language that nobody has heard of", () => {
  const settings: LanguageSettings = {
    ...neutral,
    abbreviations: ["zv", "a.q"],
    openers: ["Qa"],
    contractions: { clitics: ["x"], endings: [], apostropheIsWord: false, plain: ["do|zu"], wholeWords: [] },
  };
  expect(cut("Zv. Bim a.q. nu dozu bam'x. Qa?", settings)).toEqual([
    "Zv. Bim a.q. nu do zu bam 'x .",
    "Qa ?",
  ]);
  expect(cut("Zv. Bim a.q. nu dozu bam'x. Qa?", "und")).toEqual(["Zv .", "Bim a.q. nu dozu bam'x .", "Qa ?"]);
  expect(contractionCuts("dozu", settings)).toEqual([0, 2]);
  expect(contractionCuts("dozu")).toBeUndefined();
});

test("characters of settings mean themselves", () => {
  const settings = { ...neutral, joiners: "/-", numbers: { groups: "^]", fractions: "-\\" } };
  expect(cut("a/b-c 1^000 1]000 1.5", settings)).toEqual(["a/b-c 1^000 1]000 1 . 5"]);
});

test("English is what is meant where nothing is said", () => {
  const text = "I don't think Mr. Li's e-mail of 01-Feb-02 cost $3,000. It's the 2nd, isn't it?";
  expect(cut(text, "en")).toEqual(cut(text));
  expect(cut(text, "en-GB")).toEqual(cut(text));
  expect(cut(text, "da")).not.toEqual(cut(text));
});

test("no word is empty behind a contraction of contractions", () => {
  expect(cut("d't've would't've")).toEqual(["d't 've would't 've"]);
});

test.each(["", "not a tag", "d", "da_DK_", "123"])("%j is no language", (language) => {
  expect(() => segmentText("Hej.", { language })).toThrow(TaggerError);
  expect(() => segmentText("Hej.", { language })).toThrow(
    `segmentText: language: expected a BCP 47 tag such as da or en-GB, got ${JSON.stringify(language)}`,
  );
});
