import { readChunks } from "@nasty/formats/archive/node";
import { InputError } from "../errors.js";

/** Ranges of the bytes of a text, unpacked where its file is compressed. */
export interface ByteRanges {
  /**
   * @throws InputError where the text ends before the range does
   */
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a text for reading ranges of it. A reader goes forward only: a range behind the last is reached by reading on,
 * one before it by beginning again. So compressed and plain files are read alike, and whoever takes the shards in their
 * order reads a file once.
 */
export function openRanges(path: string): ByteRanges {
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
          if (done === true) {
            throw new InputError(
              `read ${path}: size: expected at least ${end} bytes of text, as when it was planned, got ${at}; leave the file as it is, or begin in another folder`,
            );
          }
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
    close,
  };
}
