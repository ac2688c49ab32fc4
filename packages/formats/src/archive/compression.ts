/** How a file is compressed. */
export type Compression = "gzip" | "brotli";

/** Limit on what decompression may produce. */
export interface DecompressOptions {
  /**
   * Most bytes to produce. Where the result is held in memory, by default 64 MB or 200 times the packed size, whichever
   * is more, at most 2 GiB; a stream has no limit of its own, as it holds nothing.
   */
  readonly maxBytes?: number;
}

/** Limits of what is read whole. */
export interface ReadWholeOptions extends DecompressOptions {
  /** Called with the bytes so far, again whenever they have doubled: what it throws ends the reading. */
  readonly inspect?: (prefix: Uint8Array) => void;
}

/** Deflate cannot expand more than this (zlib's documentation), so a declared size beyond it is a lie. */
const maxDeflateRatio = 1032;

/**
 * Whether bytes begin like a gzip member (RFC 1952: identification 1f 8b, method 8, no reserved flag).
 *
 * @example
 * ```ts
 * isGzip(Uint8Array.of(0x1f, 0x8b, 8, 0)); // true
 * ```
 */
export function isGzip(bytes: Uint8Array): boolean {
  const [first, second, method, flags = 0] = bytes;
  return first === 0x1f && second === 0x8b && method === 8 && (flags & 0xe0) === 0;
}

/**
 * How a file with this name is compressed: `.gz` is gzip, `.br` is brotli (which has no magic bytes), else undefined.
 *
 * @example
 * ```ts
 * compressionOfName("model.onnx.gz"); // "gzip"
 * ```
 */
export function compressionOfName(name: string): Compression | undefined {
  const lower = name.toLowerCase();
  if (lower.endsWith(".gz")) return "gzip";
  return lower.endsWith(".br") ? "brotli" : undefined;
}

/**
 * The name without the suffix of its compression: `model.onnx.gz` is `model.onnx`.
 *
 * @example
 * ```ts
 * uncompressedName("train.conllu.br"); // "train.conllu"
 * ```
 */
export function uncompressedName(name: string): string {
  return compressionOfName(name) === undefined ? name : name.slice(0, -3);
}

/**
 * The size that a whole gzip file declares in its last four bytes, or undefined where that size is impossible.
 *
 * Only a hint for allocation: it is modulo 2^32 and counts the last member alone.
 */
export function declaredGzipSize(trailer: Uint8Array, compressedBytes: number): number | undefined {
  if (trailer.length < 4 || compressedBytes < 18) return undefined;
  const at = trailer.length - 4;
  const size = new DataView(trailer.buffer, trailer.byteOffset).getUint32(at, true);
  return size <= compressedBytes * maxDeflateRatio ? size : undefined;
}
