export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export {
  type HfDirectory,
  type HfDirectoryContent,
  isHfDirectory,
  openHfDirectory,
  writeHfDirectory,
} from "./directory.js";
