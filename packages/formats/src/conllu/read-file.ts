import { readChunks } from "../archive/read-file.js";
import { readConllu, type ReadConlluOptions } from "./read.js";
import type { Sentence } from "./sentence.js";

/**
 * Reads a CoNLL-U file sentence by sentence, decompressed where it is gzip or brotli.
 *
 * @param path the file, or `-` for standard input
 * @throws FormatError as `readConllu`, and `not-found`, `unreadable`, `compression`
 * @example
 * ```ts
 * for await (const sentence of readConlluFile("train.conllu.gz")) count += words(sentence).length;
 * ```
 */
export function readConlluFile(
  path: string,
  options: Omit<ReadConlluOptions, "name"> = {},
): AsyncGenerator<Sentence> {
  return readConllu(readChunks(path), { ...options, name: path === "-" ? "standard input" : path });
}
