export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export type { FolderFiles } from "./folder-files.js";
export { type HfSmallFiles, readSmallFiles } from "./small-files.js";
export { type ConfigOptions, type ModelConfig, parseModelConfig } from "./model-config.js";
export {
  parseTokenizerConfig,
  parseTokenizerFile,
  type TokenizerConfig,
  type TokenizerFile,
} from "./tokenizer-files.js";
export { type Pooling, poolings, type SentenceModules } from "./sentence-modules.js";
export { isModelVariant, modelFileName, type ModelVariant, modelVariants } from "./variants.js";
