export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export { readModelFile, type ReadModelOptions } from "./read-model-file.js";
export {
  type ExternalDataOptions,
  writeModelFile,
  type WriteModelOptions,
  type WrittenModel,
} from "./write-model-file.js";
