import { Readable, type Transform } from "node:stream";
import { constants, createBrotliCompress, createBrotliDecompress, createGunzip, createGzip } from "node:zlib";
import { FormatError } from "../format-error.js";
import { raiseLimit, unpackedLimit } from "../limits.js";
import { checkLimit, collectBytes } from "./collect.js";
import {
  type Compression,
  declaredGzipSize,
  type ReadWholeOptions,
  type DecompressOptions,
} from "./compression.js";

/** How hard to compress. */
export interface CompressOptions {
  /** gzip 0–9 (default 9) or brotli 0–11 (default 9: 10 and 11 take minutes for a model of 100 MB). */
  readonly level?: number;
}

/** A stream's limit, with what its message advises. */
interface StreamLimits extends DecompressOptions {
  readonly advice?: string | undefined;
}

const chunkSize = 1 << 18;
const defaultLevel = 9;

function compressor(method: Compression, level: number): Transform {
  switch (method) {
    case "gzip":
      return createGzip({ level, chunkSize });
    case "brotli":
      return createBrotliCompress({
        chunkSize,
        params: { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_LGWIN]: 24 },
      });
    default:
      return method satisfies never;
  }
}

function decompressor(method: Compression): Transform & { readonly bytesWritten: number } {
  switch (method) {
    case "gzip":
      return createGunzip({ chunkSize });
    case "brotli":
      return createBrotliDecompress({ chunkSize });
    default:
      return method satisfies never;
  }
}

/** Node hands errors of the source to nobody when streams are piped by hand, so they are carried over here. */
function pipe(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, transform: Transform): Transform {
  const source = Readable.from(chunks, { objectMode: true, highWaterMark: 1 });
  source.on("error", (error) => transform.destroy(error));
  transform.on("close", () => source.destroy());
  return source.pipe(transform);
}

/**
 * Compresses a stream of bytes with node:zlib.
 *
 * @param chunks the bytes, cut anywhere
 * @param method `"gzip"` or `"brotli"`
 * @returns the compressed bytes; they depend on the input and the level, not on how the input was cut
 * @example
 * ```ts
 * await writeFileAtomic("model.onnx.gz", compressed(chunks, "gzip"));
 * ```
 */
export async function* compressed(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  method: Compression,
  { level = defaultLevel }: CompressOptions = {},
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const part of pipe(chunks, compressor(method, level)) as AsyncIterable<Buffer>) {
    // RFC 1952: the ninth byte names the operating system; "unknown" makes files equal across machines.
    if (method === "gzip" && at <= 9 && at + part.length > 9) part[9 - at] = 255;
    at += part.length;
    yield part;
  }
}

/**
 * Decompresses a stream of bytes with node:zlib.
 *
 * @param chunks the compressed bytes, cut anywhere
 * @param method `"gzip"` or `"brotli"`
 * @param options `maxBytes`: most bytes to produce, without limit unless told otherwise, as nothing is held
 * @throws FormatError `compression` (damaged or cut short), `limit` (more output than allowed)
 * @example
 * ```ts
 * for await (const part of decompressed(chunks, "brotli", { maxBytes: 1e9 })) use(part);
 * ```
 */
export async function* decompressed(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  method: Compression,
  { maxBytes = Number.MAX_SAFE_INTEGER, advice }: StreamLimits = {},
): AsyncGenerator<Uint8Array> {
  let total = 0;
  let given = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      given += chunk.length;
      yield chunk;
    }
  };
  const damaged = (got: string, cause?: unknown): FormatError =>
    new FormatError(
      "compression",
      `${operationOf(method)}: after ${total} bytes: content: expected whole ${method} data, got ${got}`,
      { cause },
    );
  const transform = decompressor(method);
  try {
    for await (const part of pipe(counted(), transform) as AsyncIterable<Buffer>) {
      total += part.length;
      checkLimit(total, { operation: operationOf(method), maxBytes, advice });
      yield part;
    }
  } catch (cause) {
    throw isZlibError(cause) ? damaged(cause.message, cause) : cause;
  }
  // What zlib leaves of gzip is zeros, which pad files on tapes; it refuses the rest itself, but says nothing of
  // brotli.
  if (method === "brotli" && transform.bytesWritten < given) throw damaged("bytes after its end");
}

function operationOf(method: Compression): string {
  return method === "gzip" ? "gunzip" : "unbrotli";
}

function isZlibError(cause: unknown): cause is Error {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && /^(Z_|ERR__ERROR_|ERR_BROTLI)/.test(code);
}

/** Compresses bytes with brotli (RFC 7932), window 16 MB. */
export function brotli(bytes: Uint8Array, options: CompressOptions = {}): Promise<Uint8Array> {
  return collectBytes(compressed([bytes], "brotli", options), {
    operation: "brotli",
    maxBytes: Number.MAX_SAFE_INTEGER,
  });
}

/**
 * Decompresses brotli (RFC 7932).
 *
 * @throws FormatError `compression` (damaged or cut short), `limit` (more output than `maxBytes`)
 */
export function unbrotli(bytes: Uint8Array, options: DecompressOptions = {}): Promise<Uint8Array> {
  const limits = {
    maxBytes: options.maxBytes ?? unpackedLimit(bytes.length),
    advice: options.maxBytes === undefined ? raiseLimit : undefined,
  };
  return collectBytes(decompressed([bytes], "brotli", limits), { operation: "unbrotli", ...limits });
}

/** Collects what a compressed file of known size decompresses to. */
export function collectDecompressed(
  chunks: AsyncIterable<Uint8Array>,
  method: Compression,
  options: ReadWholeOptions & { compressedBytes: number; trailer: Uint8Array },
): Promise<Uint8Array> {
  const { compressedBytes, trailer, inspect } = options;
  const limits = {
    maxBytes: options.maxBytes ?? unpackedLimit(compressedBytes),
    advice: `unpack the file first, or ${raiseLimit}`,
  };
  return collectBytes(decompressed(chunks, method, limits), {
    operation: operationOf(method),
    ...limits,
    inspect,
    sizeHint: method === "gzip" ? declaredGzipSize(trailer, compressedBytes) : compressedBytes * 2,
  });
}
