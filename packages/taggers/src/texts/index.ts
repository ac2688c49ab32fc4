export { type ModelKindName, modelKindOf } from "./model-kind.js";
export {
  type Classification,
  classifyTexts,
  embedTexts,
  labelScores,
  type LabelScore,
  largestAt,
} from "./text-answers.js";
export {
  makeTextBatches,
  type TextBatch,
  type TextBatches,
  type TextBatchOptions,
  type Texts,
  type TextSample,
} from "./text-batches.js";
export { readTextSettings, textMetadata, withTextSettings } from "./text-metadata.js";
export { makeTextModel, type TextModel } from "./text-model.js";
export {
  type AnyTextSettings,
  type ClassifierSettings,
  type EmbedderSettings,
  type Problem,
  type TextGraphSettings,
  type TextSettings,
  textSettingsFromHf,
} from "./text-settings.js";
export type { TextInputSettings } from "../transformer/settings.js";
