import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/** SHA-256 of a file, hexadecimal; read in large pieces, because a stream's 64 kB chunks cost more than the hash. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1 << 22);
  const file = await open(path);
  try {
    for (let read = await file.read(buffer); read.bytesRead > 0; read = await file.read(buffer)) {
      hash.update(buffer.subarray(0, read.bytesRead));
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

/** A hash of a file that is read for another purpose. */
export interface HashWhileReading {
  /** Takes the next bytes. */
  onBytes(part: Uint8Array): void;
  /** SHA-256 of what was read, hexadecimal; undefined if nothing was seen. */
  sha256(): string | undefined;
}

/** Hashes a file as `readModelFile` reads it, instead of reading it a second time. */
export function hashWhileReading(): HashWhileReading {
  const hash = createHash("sha256");
  let bytes = 0;
  let digest: string | undefined;
  return {
    onBytes(part) {
      hash.update(part);
      bytes += part.length;
    },
    sha256: () => (bytes === 0 ? undefined : (digest ??= hash.digest("hex"))),
  };
}
