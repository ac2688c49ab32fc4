import {
  type FeatureSettings,
  type Layout,
  placeDistinct,
  type Placement,
  wordFeeds,
  type WordStore,
} from "@nasty/taggers/neural";
import type { Random } from "@nasty/training";
import {
  defaultCodeDropout,
  type FeatureDropout,
  hideAffixes,
  hideCodes,
  hideWord,
  hidingProbability,
} from "./word-dropout.js";

/** How the words of a batch become numbers. */
export interface WordEncoding {
  readonly features: FeatureSettings;
  readonly layout: Layout;
  readonly dropout: FeatureDropout;
  /** Occurrences of lower-cased words in training. */
  readonly counts: ReadonlyMap<string, number>;
  /** The ids of words met before. */
  readonly store: WordStore;
  readonly random: Random;
}

/**
 * What a network reads of sentences, with words and affixes hidden at random. Distinct words of a batch count once, a
 * hidden one beside the one that is not.
 */
export function encodeWords(
  sentences: readonly (readonly string[])[],
  { features, layout, dropout, counts, store, random }: WordEncoding,
): Placement {
  const hides = (word: string): boolean =>
    random.uniform() < hidingProbability(counts.get(word.toLowerCase()) ?? 0, dropout);
  // A key is twice a word's place in the store, and 1 more if the word is hidden.
  const rows = sentences.map((words) => ({
    ids: Int32Array.from(words, (word) => 2 * store.placeOf(word) + (hides(word) ? 1 : 0)),
  }));
  const placed = placeDistinct(rows, layout);
  const words = placed.words.map((key) => {
    const word = store.at(key >> 1);
    const shown = hideAffixes(key % 2 === 0 ? word : hideWord(word), dropout.affix, random);
    const withoutCodes = word.codes.length > 0 && random.uniform() < (dropout.codes ?? defaultCodeDropout);
    return withoutCodes ? hideCodes(shown) : shown;
  });
  const { starts, mask } = placed;
  return { starts, mask, feeds: { ...wordFeeds(words, features), ...placed.feeds } };
}
