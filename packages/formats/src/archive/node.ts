export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export { readChunks, readFileMaybeCompressed, type ReadFileOptions } from "./read-file.js";
export { makeTemporaryFolder, type TemporaryFolder, watchUnfinished } from "./unfinished.js";
export { type WrittenFile, writeFileAtomic } from "./write-file-atomic.js";
export { brotli, type CompressOptions, compressed, decompressed, unbrotli } from "./zlib.js";
