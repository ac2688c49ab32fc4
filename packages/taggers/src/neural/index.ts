export { type ChainScores, constrainChain, type Scores } from "../tagging/decode.js";
export { dropAuxiliary } from "./drop-auxiliary.js";
export {
  affixCount,
  type FeatureSettings,
  firstCharacter,
  noAffix,
  unknownWord,
} from "./features/feature-settings.js";
export { codeRows, codesOfBook, noCode, type WordCodes } from "./features/word-codes.js";
export { hashText } from "./features/hash-text.js";
export { makeWordFeatures, type WordFeatures } from "./features/word-features.js";
export { auxiliaryOutput, chainOutputs, embeddingsValue, logitsOutput } from "./graph-values.js";
export { type Layout, placeDistinct, type Placement } from "./placement.js";
export { splitModel, type SplitModel } from "./split-model.js";
export { wordFeeds } from "./word-feeds.js";
export { makeWordStore, type WordStore } from "./word-store.js";
