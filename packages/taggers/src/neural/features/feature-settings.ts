import type { WordCodes } from "./word-codes.js";

/** How words become integer ids; shipped with the model. */
export interface FeatureSettings {
  /** Lower-cased words; the id of a word is its place + 1, 0 is "unknown". */
  readonly vocabulary: readonly string[];
  /** Lengths of the prefixes that are looked up, in letters. */
  readonly prefixes: readonly number[];
  /** Lengths of the suffixes. */
  readonly suffixes: readonly number[];
  /** Rows of the table that prefixes and suffixes are hashed into; row 0 is "left out". */
  readonly affixRows: number;
  /** Rows of the table that word shapes are hashed into. */
  readonly shapeRows: number;
  /**
   * Characters with a row of their own, from row {@link firstCharacter} on; empty for a model without character
   * encoder.
   */
  readonly characters: string;
  /** Characters of a word that are looked at, its two end marks included; of longer words beginning and end. */
  readonly longestWord: number;
  /** Word vectors as codes; none in a model that does not read them. */
  readonly codes?: WordCodes | undefined;
}

/** Character rows: padding, any other character, begin of word, end of word. */
export const characterRows = { padding: 0, unknown: 1, begin: 2, end: 3 } as const;

/** Row of the first character of {@link FeatureSettings.characters}. */
export const firstCharacter = 4;

/** Row of an affix that is left out. */
export const noAffix = 0;

/** Id of a word that is not in the vocabulary. */
export const unknownWord = 0;

/** How many affix ids a word has. */
export const affixCount = ({ prefixes, suffixes }: FeatureSettings): number =>
  prefixes.length + suffixes.length;
