import { FormatError } from "../format-error.js";
import { collectBytes } from "./collect.js";
import { raiseLimit, unpackedLimit } from "../limits.js";
import { declaredGzipSize, isGzip, type ReadWholeOptions } from "./compression.js";
import { reasonOf, through } from "./through.js";

/** Position of the "operating system" byte (RFC 1952); 255 is "unknown", the only value that is the same everywhere. */
const systemByte = 9;

/** What is decompressed at once: as deflate expands at most 1032 times, 8.5 MB may be held beyond a limit. */
const pieceBytes = 8192;

/**
 * Compresses bytes as one gzip member with the platform's CompressionStream (browser and Node).
 *
 * The header holds no time and no operating system, so the same platform gives the same bytes for the same input.
 *
 * @param bytes any bytes, also none
 * @returns a gzip file (RFC 1952)
 * @example
 * ```ts
 * const packed = await gzip(new TextEncoder().encode("aaaaaaaa"));
 * ```
 */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = await collectBytes(through(bytes, new CompressionStream("gzip")), {
    operation: "gzip",
    maxBytes: Number.MAX_SAFE_INTEGER,
    sizeHint: 65_536,
  });
  packed[systemByte] = 255;
  return packed;
}

/**
 * Decompresses a gzip file with the platform's DecompressionStream (browser and Node).
 *
 * @param bytes a gzip file (RFC 1952)
 * @param options `maxBytes`: most bytes to produce, 64 MB or 200 times the input unless told otherwise; `inspect`:
 *   looks at what is unpacked while it comes
 * @returns the bytes that were compressed
 * @throws FormatError `magic` (not gzip), `compression` (damaged or cut short), `limit` (more output than allowed)
 * @example
 * ```ts
 * const text = new TextDecoder().decode(await gunzip(packed, { maxBytes: 1e6 }));
 * ```
 */
export async function gunzip(
  bytes: Uint8Array,
  { maxBytes, inspect }: ReadWholeOptions = {},
): Promise<Uint8Array> {
  if (!isGzip(bytes)) {
    const got = Array.from(bytes.subarray(0, 3), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw new FormatError("magic", `gunzip: byte 0: magic: expected 1f 8b 08, got ${got || "no bytes"}`, {
      offset: 0,
    });
  }
  try {
    return await collectBytes(through(bytes, new DecompressionStream("gzip"), pieceBytes), {
      operation: "gunzip",
      maxBytes: maxBytes ?? unpackedLimit(bytes.length),
      advice: maxBytes === undefined ? raiseLimit : undefined,
      inspect,
      sizeHint: declaredGzipSize(bytes.subarray(-4), bytes.length),
    });
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(
      "compression",
      `gunzip: ${bytes.length} bytes: content: expected a whole gzip file, got ${reasonOf(cause)}`,
      { cause },
    );
  }
}
