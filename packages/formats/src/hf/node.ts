export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export {
  type HfDirectory,
  isHfDirectory,
  type ModelFolder,
  openHfDirectory,
  openModelFolder,
} from "./directory.js";
export { readModulesOf, readTokenizer } from "./files-on-disk.js";
export type { HfTokenizer } from "./read-tokenizer.js";
export { readUnchanged } from "./recover-folder.js";
export {
  type HfDirectoryContent,
  writeHfDirectory,
  type WriteHfDirectoryOptions,
} from "./write-directory.js";
