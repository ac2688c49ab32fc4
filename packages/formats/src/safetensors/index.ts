export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export { parseSafetensors, type ParseSafetensorsOptions, safetensorsMetadata } from "./parse.js";
export { safetensorsChunks, serializeSafetensors } from "./serialize.js";
