import type { LanguageSettings } from "./language-settings.js";
import { wordsOf } from "./words-of.js";

/**
 * No language: what stands between spaces and punctuation is a word, with hyphens and apostrophes inside; a sentence
 * ends where Unicode's rules end it. Numbers may be written in either way.
 */
export const neutral: LanguageSettings = {
  abbreviations: [],
  finalAbbreviations: [],
  singleLetterWords: [],
  openers: [],
  closings: [],
  months: [],
  ordinals: { suffixes: [], behindApostrophe: [], period: false },
  units: wordsOf("mm cm km kg mg g ml cl dl kb mb gb kw mw kwh mwh hz khz mhz ghz"),
  numbers: { groups: ".,", fractions: ".," },
  joiners: "-",
  hyphenPrefixes: [],
  hyphenatedWords: [],
  slashedWords: [],
  markedNames: [],
  apostropheWords: [],
  apostropheBehind: [],
};
