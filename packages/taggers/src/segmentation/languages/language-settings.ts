/** Words of several that are written as one: where a contraction is cut. */
export interface Contractions {
  /** What stands behind an apostrophe at the end of a contraction, without it: `s` of `Sam's`. */
  readonly clitics: readonly string[];
  /** Endings with an apostrophe inside that are words of their own, with `'` for it: `n't`. */
  readonly endings: readonly string[];
  /** Whether an apostrophe at the end is a word of its own: `workers` `'`. */
  readonly apostropheIsWord: boolean;
  /** Forms without an apostrophe, with `|` where they are cut: `can|not`. */
  readonly plain: readonly string[];
  /** Words that only look contracted, with `'` for the apostrophe: `o'clock`. */
  readonly wholeWords: readonly string[];
}

/**
 * What the segmentation must know of a language, as data. Lists are in lower case unless said otherwise; nothing in
 * them is a pattern.
 */
export interface LanguageSettings {
  /** Words written with a period that belongs to them, without it; periods inside stay: `f.eks`. */
  readonly abbreviations: readonly string[];
  /**
   * Those of them that are also common words or that end sentences: before a sentence's end their period is the
   * sentence's.
   */
  readonly finalAbbreviations: readonly string[];
  /** Capital letters that are words, and no initials. */
  readonly singleLetterWords: readonly string[];
  /**
   * Words of up to three letters that end sentences and are never abbreviations. Where the list is given, a period
   * behind one of them or behind a longer word ends a sentence also before a small letter.
   */
  readonly finalWords?: readonly string[] | undefined;
  /**
   * Words that often begin sentences, with their capital: they decide behind letters with periods (`in the U.S. He`).
   */
  readonly openers: readonly string[];
  /** Words with a comma that end a letter before its writer's name. */
  readonly closings: readonly string[];
  /** Beginnings of the names of months, for dates such as `01-Feb-02`. */
  readonly months: readonly string[];
  /** What makes a number an ordinal or a decade: letters behind it, also behind an apostrophe, and whether a period. */
  readonly ordinals: {
    readonly suffixes: readonly string[];
    readonly behindApostrophe: readonly string[];
    readonly period: boolean;
  };
  /** Units that are cut from the number before them: `3km`. */
  readonly units: readonly string[];
  /** Characters between groups of three digits, and before a fraction. */
  readonly numbers: { readonly groups: string; readonly fractions: string };
  /** Characters that join words to one: of `-` and `/`. Where one is missing, it is a word of its own. */
  readonly joiners: string;
  /** First parts that stay joined to what follows their hyphen all the same. */
  readonly hyphenPrefixes: readonly string[];
  /** Words with hyphens inside that are one word all the same. */
  readonly hyphenatedWords: readonly string[];
  /** Words with a slash that are one word all the same. */
  readonly slashedWords: readonly string[];
  /** Names that end with a mark, as they are written. */
  readonly markedNames: readonly string[];
  /** Words that begin with an apostrophe, without it. */
  readonly apostropheWords: readonly string[];
  /** Letters behind which an apostrophe at the end belongs to the word: `s` of `workers'`. */
  readonly apostropheBehind: readonly string[];
  /** None where no words are written as one. */
  readonly contractions?: Contractions | undefined;
}
