export {
  defaultRecipe,
  type Recipe,
  type TrainedTagger,
  trainTagger,
  type TrainTaggerOptions,
} from "./neural/training/train-tagger.js";
export {
  nerSentences,
  type NerSentenceOptions,
  posSentences,
  type TrainingSentence,
  wnutTypes,
} from "./neural/training/training-sentence.js";
export type { FeatureDropout } from "./neural/training/word-dropout.js";
