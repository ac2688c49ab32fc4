import { FormatError } from "../format-error.js";
import { raiseLimit, unpackedLimit } from "../limits.js";
import { makeCollector } from "./collect.js";
import { compressionOfName, isGzip, type ReadWholeOptions } from "./compression.js";
import { gunzip } from "./gzip.js";
import { reasonOf } from "./through.js";

/** What {@link unpacked} needs to know beside the bytes. */
export interface UnpackOptions extends ReadWholeOptions {
  /** The file's name, or its address: `.br` says brotli, which has no magic bytes. Default: none. */
  readonly name?: string | undefined;
}

/**
 * Decompresses the bytes of a file where they are gzip (by its first bytes) or brotli (by the name's `.br`), in a
 * browser and in Node.
 *
 * Brotli goes through a decoder of our own, which is loaded when it is first needed: a `DecompressionStream` of a
 * browser, where it knows brotli, would make all of a small file's output before any of it could be refused.
 *
 * @returns the bytes themselves where they are not compressed
 * @throws FormatError `compression` (damaged, cut short, or with something after its end), `limit` (more output than
 *   allowed)
 * @example
 * ```ts
 * const bytes = await unpacked(packed, { name: "model.onnx.br" });
 * ```
 */
export async function unpacked(
  bytes: Uint8Array,
  { name = "", ...options }: UnpackOptions = {},
): Promise<Uint8Array> {
  if (isGzip(bytes)) return gunzip(bytes, options);
  return compressionOfName(name) === "brotli" ? unbrotli(bytes, options) : bytes;
}

async function unbrotli(bytes: Uint8Array, { maxBytes, inspect }: ReadWholeOptions): Promise<Uint8Array> {
  const { decodeBrotli, unpackDictionary } = await import("./brotli/index.js");
  const dictionary = await unpackDictionary();
  const output = makeCollector({
    operation: "unbrotli",
    maxBytes: maxBytes ?? unpackedLimit(bytes.length),
    advice: maxBytes === undefined ? raiseLimit : undefined,
    inspect,
    sizeHint: 2 * bytes.length,
  });
  try {
    return decodeBrotli(bytes, dictionary, output);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(
      "compression",
      `unbrotli: ${bytes.length} bytes: content: expected whole brotli data, got ${reasonOf(cause)}`,
      { cause },
    );
  }
}
