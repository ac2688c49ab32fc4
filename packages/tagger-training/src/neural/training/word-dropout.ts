import { noAffix, noCode, unknownWord, type WordFeatures } from "@nasty/taggers/neural";
import type { Random } from "@nasty/training";

/** Probability that the codes of a word are left out. */
export const defaultCodeDropout = 0.1;

/** How often what is known about a word is hidden while training, so that the model learns to do without. */
export interface FeatureDropout {
  /** A word that was seen n times becomes "unknown" with probability base + scale/(scale + n). */
  readonly wordBase: number;
  readonly wordScale: number;
  /** Probability that a prefix or suffix is left out. */
  readonly affix: number;
  /** Probability that the codes of a word are left out. Default 0.1. */
  readonly codes?: number;
}

/**
 * Probability that a word's id is hidden.
 *
 * Source: the second term is α/(α + n) of E. Kiperwasser and Y. Goldberg, "Simple and Accurate Dependency Parsing Using
 * Bidirectional LSTM Feature Representations" (2016), section 4.
 */
export const hidingProbability = (count: number, { wordBase, wordScale }: FeatureDropout): number =>
  wordBase + (wordScale === 0 ? 0 : wordScale / (wordScale + count));

/** The ids of a word with its own id hidden. */
export const hideWord = (features: WordFeatures): WordFeatures => ({ ...features, word: unknownWord });

/** The ids of a word with some prefixes and suffixes left out. */
export function hideAffixes(features: WordFeatures, probability: number, random: Random): WordFeatures {
  if (probability === 0) return features;
  return {
    ...features,
    affixes: features.affixes.map((row) => (random.uniform() < probability ? noAffix : row)),
  };
}

/** The ids of a word with its codes left out. */
export const hideCodes = (features: WordFeatures): WordFeatures => ({
  ...features,
  codes: new Int32Array(features.codes.length).fill(noCode),
});
