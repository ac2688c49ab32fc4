export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export { type HfDirectory, isHfDirectory, openHfDirectory } from "./directory.js";
export { readUnchanged } from "./recover-folder.js";
export {
  type HfDirectoryContent,
  writeHfDirectory,
  type WriteHfDirectoryOptions,
} from "./write-directory.js";
