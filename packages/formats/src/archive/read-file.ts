import { type FileHandle, open } from "node:fs/promises";
import { FormatError } from "../format-error.js";
import { mostUnpackedBytes } from "../limits.js";
import { collectBytes } from "./collect.js";
import {
  type Compression,
  compressionOfName,
  type DecompressOptions,
  isGzip,
  type ReadWholeOptions,
} from "./compression.js";
import { collectDecompressed, decompressed } from "./zlib.js";

/** Large enough that the cost of a read call disappears, small enough to stay in a processor's cache. */
const readBytes = 1 << 18;
/** One read call takes less than 2^31 bytes. */
const maxReadBytes = 1 << 28;
/** What is looked at while the next part is read: small enough that little is left to do after the last. */
const watchedBytes = 1 << 24;

/** What `readFileMaybeCompressed` takes. */
export interface ReadFileOptions extends ReadWholeOptions {
  /**
   * Sees all bytes of an uncompressed file in order, each part while the next is read: to hash them without reading
   * them twice. Not called for compressed files and for pipes.
   */
  readonly onBytes?: ((part: Uint8Array) => void) | undefined;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
  readonly compression: Compression | undefined;
}

async function openFile(operation: string, path: string): Promise<OpenFile> {
  const handle = await open(path, "r").catch((cause: unknown) => unreadable(operation, path, cause));
  try {
    const found = await handle.stat();
    if (found.isDirectory()) {
      throw new FormatError("unreadable", `${operation}: ${path}: expected a file, got a folder`, { path });
    }
    const named = compressionOfName(path);
    if (named === "brotli" || !found.isFile()) return { handle, size: found.size, compression: named };
    const head = new Uint8Array(4);
    const { bytesRead } = await handle.read(head, 0, 4, 0);
    const gzipped = isGzip(head.subarray(0, bytesRead));
    if (named === "gzip" && !gzipped) {
      const got = Array.from(head.subarray(0, bytesRead), (byte) => byte.toString(16).padStart(2, "0")).join(
        " ",
      );
      const message = `${operation}: ${path}: magic: expected 1f 8b 08 of gzip, got ${got || "an empty file"}`;
      throw new FormatError("magic", message, { path, offset: 0 });
    }
    return { handle, size: found.size, compression: gzipped ? "gzip" : undefined };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Reads a whole file, decompressed where it is gzip (by its first bytes) or brotli (by the name's `.br`).
 *
 * @param path the file
 * @param options `maxBytes`: most bytes to decompress to, 64 MB or 200 times the packed size unless told otherwise (an
 *   uncompressed file of any size is read); `inspect`: looks at what is unpacked, or comes out of a pipe, while it
 *   comes; `onBytes`: sees the bytes of an uncompressed file while it is read
 * @returns its bytes, at offset 0 of a buffer of their own where the file is not compressed
 * @throws FormatError `not-found`, `unreadable`, `magic` (`.gz` without gzip in it), `compression`, `limit`
 * @example
 * ```ts
 * const bytes = await readFileMaybeCompressed("model.onnx.gz");
 * ```
 */
export async function readFileMaybeCompressed(
  path: string,
  options: ReadFileOptions = {},
): Promise<Uint8Array> {
  const operation = "readFileMaybeCompressed";
  const { handle, size, compression } = await openFile(operation, path);
  try {
    if (compression === undefined) return await readAll(handle, size, options);
    const trailer = new Uint8Array(4);
    if (size >= 4) await handle.read(trailer, 0, 4, size - 4);
    return await collectDecompressed(chunksOf(handle), compression, {
      ...options,
      compressedBytes: size,
      trailer,
    });
  } catch (error) {
    return unreadable(operation, path, error);
  } finally {
    await handle.close();
  }
}

/**
 * Reads a file piece by piece, decompressed as {@link readFileMaybeCompressed} does it.
 *
 * @param path the file, or `-` for standard input, which is taken as it is
 * @param options `maxBytes`: most bytes to decompress to, by default without limit, as nothing is held
 * @returns chunks of at most 256 KiB, each a buffer of its own
 * @throws FormatError as {@link readFileMaybeCompressed}
 * @example
 * ```ts
 * for await (const chunk of readChunks("train.conllu.gz")) use(chunk);
 * ```
 */
export async function* readChunks(path: string, options: DecompressOptions = {}): AsyncGenerator<Uint8Array> {
  if (path === "-") {
    yield* process.stdin as AsyncIterable<Uint8Array>;
    return;
  }
  const operation = "readChunks";
  const { handle, compression } = await openFile(operation, path);
  try {
    const chunks = chunksOf(handle);
    const { maxBytes = Number.MAX_SAFE_INTEGER } = options;
    yield* compression === undefined ? chunks : decompressed(chunks, compression, { maxBytes });
  } catch (error) {
    unreadable(operation, path, error);
  } finally {
    await handle.close();
  }
}

async function readAll(
  handle: FileHandle,
  size: number,
  { inspect, onBytes }: ReadFileOptions,
): Promise<Uint8Array> {
  // A file in /proc, a pipe or a device says 0: read until it ends, if it does.
  if (size === 0) {
    return collectBytes(chunksOf(handle), {
      operation: "readFileMaybeCompressed",
      maxBytes: mostUnpackedBytes,
      inspect,
    });
  }
  const bytes = new Uint8Array(size);
  const partBytes = onBytes === undefined ? maxReadBytes : watchedBytes;
  let at = 0;
  let seen = 0;
  while (at < size) {
    const reading = handle.read(bytes, at, Math.min(size - at, partBytes), at);
    if (at > seen) onBytes?.(bytes.subarray(seen, at));
    seen = at;
    const { bytesRead } = await reading;
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  if (at > seen) onBytes?.(bytes.subarray(seen, at));
  return at === size ? bytes : bytes.subarray(0, at);
}

async function* chunksOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    const { bytesRead } = await handle.read(buffer, 0, readBytes);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

function unreadable(operation: string, path: string, cause: unknown): never {
  if (cause instanceof FormatError) {
    if (cause.fields.path !== undefined) throw cause;
    const reason = cause.message.replace(/^\w+: /, "");
    throw new FormatError(cause.code, `${operation}: ${path}: ${reason}`, {
      ...cause.fields,
      path,
      cause,
    });
  }
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === undefined) throw cause;
  const missing = code === "ENOENT" || code === "ENOTDIR";
  const got = missing ? "no such file" : (cause as Error).message;
  throw new FormatError(
    missing ? "not-found" : "unreadable",
    `${operation}: ${path}: expected a readable file, got ${got}`,
    { path, cause },
  );
}
