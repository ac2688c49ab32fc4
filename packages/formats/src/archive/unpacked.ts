import { FormatError } from "../format-error.js";
import { raiseLimit, unpackedLimit } from "../limits.js";
import { checkLimit, collectBytes, type CollectOptions } from "./collect.js";
import { compressionOfName, isGzip, type ReadWholeOptions } from "./compression.js";
import { gunzip } from "./gzip.js";
import { reasonOf, through } from "./through.js";

/** What {@link unpacked} needs to know beside the bytes. */
export interface UnpackOptions extends ReadWholeOptions {
  /** The file's name, or its address: `.br` says brotli, which has no magic bytes. Default: none. */
  readonly name?: string | undefined;
}

/**
 * Decompresses the bytes of a file where they are gzip (by its first bytes) or brotli (by the name's `.br`), in a
 * browser and in Node.
 *
 * Brotli goes through the platform's `DecompressionStream` where that knows it, and else through a decoder that is
 * loaded when it is first needed; that one is held to the limit when it is done.
 *
 * @returns the bytes themselves where they are not compressed
 * @throws FormatError `compression` (damaged or cut short), `limit` (more output than allowed)
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
  const collect: CollectOptions = {
    operation: "unbrotli",
    maxBytes: maxBytes ?? unpackedLimit(bytes.length),
    advice: maxBytes === undefined ? raiseLimit : undefined,
    inspect,
    sizeHint: 4 * bytes.length,
  };
  const native = nativeBrotli();
  try {
    if (native !== undefined) return await collectBytes(through(bytes, native), collect);
    const { decompress } = await import("brotli/decompress");
    const content = decompress(bytes, Math.min(8 * bytes.length, collect.maxBytes));
    checkLimit(content.length, collect);
    inspect?.(content);
    return content;
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(
      "compression",
      `unbrotli: ${bytes.length} bytes: content: expected whole brotli data, got ${reasonOf(cause)}`,
      { cause },
    );
  }
}

function nativeBrotli(): DecompressionStream | undefined {
  try {
    return new DecompressionStream("brotli" as "gzip");
  } catch {
    return undefined;
  }
}
