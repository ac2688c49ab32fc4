import type { Noise } from "../../noise/noise.js";
import type { FeatureDropout } from "./word-dropout.js";

/** Numbers of the recipe; the defaults are what the package's own English models are trained with. */
export interface Recipe {
  readonly epochs: number;
  readonly batchSentences: number;
  /** Most positions of a batch, padding counted. */
  readonly batchTokens: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  /** Of the running average of the weights. */
  readonly averageDecay: number;
  readonly labelSmoothing: number;
  /** Weight of each auxiliary head's loss. */
  readonly auxiliaryWeight: number;
  readonly dropout: FeatureDropout;
  /** How the sentences are disturbed; what is not said is that of `defaultNoise`. None unless it has a `share`. */
  readonly noise?: Partial<Noise> | undefined;
  /** Sentences of more words are refused. */
  readonly longestSentence: number;
}

export const defaultRecipe: Recipe = {
  epochs: 18,
  batchSentences: 32,
  batchTokens: 1536,
  learningRate: 3e-3,
  weightDecay: 0.01,
  clipNorm: 5,
  averageDecay: 0.998,
  labelSmoothing: 0.05,
  auxiliaryWeight: 0.4,
  dropout: { wordBase: 0.05, wordScale: 0.6, affix: 0.1 },
  longestSentence: 512,
};
