import { readChunks } from "../archive/read-file.js";

/** The bytes of a file, decompressed where it is compressed; `-` is standard input. */
export function fileChunks(path: string): AsyncIterable<Uint8Array> {
  return path === "-" ? process.stdin : readChunks(path);
}

/** What messages call that file. */
export function fileName(path: string): string {
  return path === "-" ? "standard input" : path;
}
