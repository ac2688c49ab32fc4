// Here and in browser.ts: what runs anywhere. Here alone: what needs files.
export * from "./browser.js";
export {
  compressor,
  type CompressedFile,
  type CompressFileOptions,
  type CompressOptions,
} from "./files/compressor.js";
