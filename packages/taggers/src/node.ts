export { paddedTokenizerConfig, wholeTokenizer } from "./export/directory-files.js";
export {
  type ExportedTagger,
  type ExportOptions,
  exportTagger,
  type StagedModel,
} from "./export/export-tagger.js";
export { modelVariantOf } from "./export/model-variant.js";
export {
  findTagger,
  type FindTaggerOptions,
  type FoundTagger,
  type OpenedTagger,
  openFound,
  openTagger,
  openTaggerFile,
  type OpenTaggerOptions,
  settingsOfModelFile,
} from "./open-tagger.js";
export { openTaggerModel } from "./open-tagger-model.js";
export { findText, type FoundText } from "./texts/find-text.js";
