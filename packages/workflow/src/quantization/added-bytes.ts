import type { Provenance } from "@nasty/compression";

/**
 * Bytes that quantizing adds beside weights: where the model came from, and the tagger if the file does not carry it
 * yet.
 */
export function addedBytes(
  present: readonly string[],
  entries: Readonly<Record<string, string>>,
  provenance: Provenance,
): number {
  // The braces are the record's own; a comma comes instead of them.
  let bytes = JSON.stringify(provenance).length - 1;
  for (const [key, value] of Object.entries(entries)) {
    if (!present.includes(key)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value) + 12;
  }
  return bytes;
}
