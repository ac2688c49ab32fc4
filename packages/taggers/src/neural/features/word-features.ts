import {
  affixCount,
  characterRows,
  type FeatureSettings,
  firstCharacter,
  unknownWord,
} from "./feature-settings.js";
import { hashText } from "./hash-text.js";
import { makeCodesOf, makePlaceOf } from "./word-codes.js";
import { wordShape } from "./word-shape.js";

/** The ids of one word. */
export interface WordFeatures {
  /** Place in the vocabulary + 1, or 0. */
  readonly word: number;
  /** One row for each prefix length, then for each suffix length. */
  readonly affixes: Int32Array;
  readonly shape: number;
  /** Character rows with the marks of begin and end, not padded; empty without character encoder. */
  readonly characters: Int32Array;
  /** One row of each codebook; empty without word codes. */
  readonly codes: Int32Array;
}

/** Seeds of the hash: an affix of three letters at the front is not the one at the back. */
const PREFIX_SEED = 0x100;
const SUFFIX_SEED = 0x200;
const SHAPE_SEED = 0x300;

/**
 * Makes the function that turns words into integer ids.
 *
 * Word, codes and affixes are those of the lower-cased form; a word shorter than an affix is its own affix. Shape and
 * characters are those of the form as written.
 *
 * @example
 * ```ts
 * const featuresOf = makeWordFeatures(settings);
 * featuresOf("Time").word; // the id of "time"
 * ```
 */
export function makeWordFeatures(settings: FeatureSettings): (word: string) => WordFeatures {
  const { prefixes, suffixes, affixRows, shapeRows, longestWord } = settings;
  const placeOf = makePlaceOf(settings.vocabulary);
  const rows = new Map<number, number>();
  for (let i = 0; i < settings.characters.length; i++)
    rows.set(settings.characters.charCodeAt(i), firstCharacter + i);
  const hasCharacters = settings.characters !== "";
  const affixes = affixCount(settings);
  const none = new Int32Array(0);
  const codesOf = settings.codes === undefined ? () => none : makeCodesOf(settings.codes);

  const charactersOf = (word: string): Int32Array => {
    const length = Math.min(word.length, longestWord - 2);
    const front = Math.ceil(length / 2);
    const skipped = word.length - length;
    const out = new Int32Array(length + 2);
    out[0] = characterRows.begin;
    for (let i = 0; i < length; i++) {
      const code = word.charCodeAt(i < front ? i : i + skipped);
      out[i + 1] = rows.get(code) ?? characterRows.unknown;
    }
    out[length + 1] = characterRows.end;
    return out;
  };

  return (word) => {
    const lower = word.toLowerCase();
    const { length } = lower;
    const hashed = new Int32Array(affixes);
    let at = 0;
    for (const size of prefixes) {
      hashed[at++] =
        1 + (hashText(lower, { seed: PREFIX_SEED + size, end: Math.min(size, length) }) % (affixRows - 1));
    }
    for (const size of suffixes) {
      hashed[at++] =
        1 +
        (hashText(lower, { seed: SUFFIX_SEED + size, start: Math.max(0, length - size) }) % (affixRows - 1));
    }
    const place = placeOf(lower);
    return {
      word: place === undefined ? unknownWord : place + 1,
      affixes: hashed,
      shape: hashText(wordShape(word), { seed: SHAPE_SEED }) % shapeRows,
      characters: hasCharacters ? charactersOf(word) : none,
      codes: codesOf(lower),
    };
  };
}
