import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { FormatError } from "../format-error.js";
import { removeStale, temporaryPath, trackUnfinished } from "./unfinished.js";

/** What was written. */
export interface WrittenFile {
  /** Size in bytes. */
  readonly bytes: number;
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
}

/** Small chunks are gathered up to this size: a system call for each of thousands of tensors is what costs. */
const gatherBytes = 1 << 20;
/** One write call takes less than 2^31 bytes. */
const maxWriteBytes = 1 << 28;

/**
 * Writes a file so that its name holds either the old content or all of the new: a temporary file in the same folder,
 * fsync, rename. The temporary file is removed on failure, also when the process exits in between; what a killed
 * process left in the folder is removed first.
 *
 * A symbolic link is followed, the mode of an existing file is kept. Only regular files are replaced.
 *
 * @param path the file to make or replace
 * @param chunks its bytes; an error that the iterable throws comes out unchanged
 * @returns size and SHA-256 of what was written
 * @throws FormatError `unwritable` (no such folder, no permission, no space, not a regular file)
 * @example
 * ```ts
 * const { bytes, sha256 } = await writeFileAtomic("model.onnx", [new Uint8Array(8)]);
 * ```
 */
export async function writeFileAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<WrittenFile> {
  const { target, mode } = await targetOf(path);
  await removeStale(dirname(target));
  const temporary = temporaryPath(target);
  const forget = trackUnfinished(temporary);
  let handle: FileHandle | undefined;
  try {
    create(temporary, path, mode);
    handle = await open(temporary, "r+").catch((cause: unknown) => unwritable(path, cause));
    const written = await writeChunks(handle, path, chunks);
    await handle.sync().catch((cause: unknown) => unwritable(path, cause));
    await handle.close().catch((cause: unknown) => unwritable(path, cause));
    handle = undefined;
    await rename(temporary, target).catch((cause: unknown) => unwritable(path, cause));
    await syncFolder(dirname(target));
    return written;
  } catch (error) {
    await handle?.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    forget();
  }
}

/** On this thread: a file that another thread is still making while the process exits could not be removed. */
function create(temporary: string, path: string, mode: number | undefined): void {
  try {
    closeSync(openSync(temporary, "wx", mode));
  } catch (cause) {
    unwritable(path, cause);
  }
}

async function targetOf(path: string): Promise<{ target: string; mode: number | undefined }> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) =>
    cause.code === "ENOENT" ? undefined : unwritable(path, cause),
  );
  if (found === undefined) return { target: path, mode: undefined };
  // Renaming over a device or a socket would destroy it.
  if (!found.isFile()) {
    const got = found.isDirectory() ? "a folder" : "a special file";
    throw new FormatError(
      "unwritable",
      `writeFileAtomic: ${path}: target: expected a regular file, got ${got}`,
      {
        path,
      },
    );
  }
  return { target: await realpath(path), mode: found.mode & 0o777 };
}

async function writeChunks(
  handle: FileHandle,
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<WrittenFile> {
  const hash = createHash("sha256");
  const gathered = Buffer.allocUnsafeSlow(gatherBytes);
  let gatheredLength = 0;
  let bytes = 0;
  const write = async (chunk: Uint8Array): Promise<void> => {
    // The write runs on another thread, so hashing at the same time costs no extra time.
    const done = writeAll(handle, chunk).catch((cause: unknown) => unwritable(path, cause));
    hash.update(chunk);
    bytes += chunk.length;
    await done;
  };
  for await (const chunk of chunks) {
    if (gatheredLength > 0 && gatheredLength + chunk.length > gatherBytes) {
      await write(gathered.subarray(0, gatheredLength));
      gatheredLength = 0;
    }
    if (chunk.length >= gatherBytes) {
      await write(chunk);
    } else {
      gathered.set(chunk, gatheredLength);
      gatheredLength += chunk.length;
    }
  }
  if (gatheredLength > 0) await write(gathered.subarray(0, gatheredLength));
  return { bytes, sha256: hash.digest("hex") };
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, at, Math.min(chunk.length - at, maxWriteBytes));
    at += bytesWritten;
  }
}

/** Makes the rename itself durable; platforms that cannot open a folder do without. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}

function unwritable(path: string, cause: unknown): never {
  const got = cause instanceof Error ? cause.message : String(cause);
  throw new FormatError("unwritable", `writeFileAtomic: ${path}: expected a writable place, got ${got}`, {
    path,
    cause,
  });
}
