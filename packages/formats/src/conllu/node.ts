export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export { readConlluFile } from "./read-file.js";
