export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export { parseJson, type ParseJsonOptions } from "./parse-json.js";
