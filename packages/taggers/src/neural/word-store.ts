import type { WordFeatures } from "./features/word-features.js";

/** Words that were met, each with its ids computed once. */
export interface WordStore {
  /** How many words are held. */
  readonly size: number;
  /** Place of a word, which is added if it is new. */
  placeOf(word: string): number;
  /** Ids of the word at a place. */
  at(place: number): WordFeatures;
}

/** An empty store. */
export function makeWordStore(featuresOf: (word: string) => WordFeatures): WordStore {
  const places = new Map<string, number>();
  const features: WordFeatures[] = [];
  return {
    get size() {
      return features.length;
    },
    placeOf(word) {
      const known = places.get(word);
      if (known !== undefined) return known;
      places.set(word, features.length);
      return features.push(featuresOf(word)) - 1;
    },
    at: (place) => features[place] as WordFeatures,
  };
}
