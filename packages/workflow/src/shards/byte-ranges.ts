import { type FileHandle, open } from "node:fs/promises";
import { compressionOfName, isGzip } from "@nasty/formats/archive";
import { readChunks } from "@nasty/formats/archive/node";
import { InputError } from "../errors.js";

/** Ranges of the bytes of a text, unpacked where its file is compressed. */
export interface ByteRanges {
  /**
   * @throws InputError where the text ends before the range does
   */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Whether any range is read at the same cost. */
  isPlain(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens a text for reading ranges of it. In a file that is not compressed each is read from where it lies. A compressed
 * one is unpacked going forward: a range behind the last is reached by reading on, one before it by beginning again. So
 * whoever takes the shards in their order reads a file once.
 */
export function openRanges(path: string): ByteRanges {
  let ranges: ByteRanges | undefined;
  return {
    async read(start, end) {
      ranges ??= await rangesOf(path);
      return ranges.read(start, end);
    },
    async isPlain() {
      ranges ??= await rangesOf(path);
      return ranges.isPlain();
    },
    async close() {
      await ranges?.close();
      ranges = undefined;
    },
  };
}

async function rangesOf(path: string): Promise<ByteRanges> {
  // What cannot be opened or is no file is named by the reader of streams.
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return rangesOfStream(path);
  const isFile = (await handle.stat()).isFile();
  const head = new Uint8Array(4);
  if (isFile) await handle.read(head, 0, head.length, 0);
  if (isFile && compressionOfName(path) === undefined && !isGzip(head)) return rangesOfFile(path, handle);
  await handle.close();
  return rangesOfStream(path);
}

function rangesOfFile(path: string, handle: FileHandle): ByteRanges {
  return {
    async read(start, end) {
      const wanted = Buffer.allocUnsafeSlow(end - start);
      let filled = 0;
      while (filled < wanted.length) {
        const { bytesRead } = await handle.read(wanted, filled, wanted.length - filled, start + filled);
        if (bytesRead === 0) throw tooShort(path, end, start + filled);
        filled += bytesRead;
      }
      return wanted;
    },
    isPlain: async () => true,
    close: () => handle.close(),
  };
}

function rangesOfStream(path: string): ByteRanges {
  let chunks: AsyncGenerator<Uint8Array> | undefined;
  // What has been read and not given out yet.
  let rest: Uint8Array = new Uint8Array();
  let at = 0;
  const close = async (): Promise<void> => {
    await chunks?.return(undefined);
    chunks = undefined;
    rest = new Uint8Array();
    at = 0;
  };
  return {
    async read(start, end) {
      if (start < at) await close();
      const wanted = Buffer.allocUnsafeSlow(end - start);
      let filled = 0;
      while (filled < wanted.length) {
        if (rest.length === 0) {
          chunks ??= readChunks(path);
          const { done, value } = await chunks.next();
          if (done === true) throw tooShort(path, end, at);
          rest = value;
        }
        const skipped = Math.min(Math.max(0, start - at), rest.length);
        const taken = Math.min(rest.length - skipped, wanted.length - filled);
        if (at + skipped >= start) {
          wanted.set(rest.subarray(skipped, skipped + taken), filled);
          filled += taken;
        }
        at += skipped + taken;
        rest = rest.subarray(skipped + taken);
      }
      return wanted;
    },
    isPlain: async () => false,
    close,
  };
}

function tooShort(path: string, end: number, got: number): InputError {
  return new InputError(
    `read ${path}: size: expected at least ${end} bytes of text, as when it was planned, got ${got}; leave the file as it is, or begin in another folder`,
  );
}
