export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export {
  type Compression,
  compressionOfName,
  type DecompressOptions,
  type ReadWholeOptions,
  isGzip,
  uncompressedName,
} from "./compression.js";
export { gunzip, gzip } from "./gzip.js";
export { unpacked, type UnpackOptions } from "./unpacked.js";
