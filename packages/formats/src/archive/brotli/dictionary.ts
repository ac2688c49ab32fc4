import { gunzip } from "../gzip.js";
import { packedWords } from "./gen/words.js";

/** The static dictionary (RFC 7932, appendix A): words of 4 to 24 bytes, by length. */
export type Dictionary = Uint8Array;

const dictionaryBytes = 122_784;
/** There are 2^n words of each length: n, by length. */
const exponents = [0, 0, 0, 0, 10, 10, 11, 11, 10, 10, 10, 10, 10, 9, 9, 8, 7, 7, 8, 7, 7, 6, 6, 5, 5];
const starts = exponents.map((_, length) =>
  exponents
    .slice(0, length)
    .reduce((sum, exponent, bytes) => sum + (exponent === 0 ? 0 : bytes << exponent), 0),
);

export function unpackDictionary(): Promise<Dictionary> {
  const packed = Uint8Array.from(atob(packedWords), (character) => character.charCodeAt(0));
  return gunzip(packed, { maxBytes: dictionaryBytes });
}

/**
 * Finds what a distance behind the beginning of the data means.
 *
 * @param length bytes of the word
 * @param id the distance beyond the farthest byte, from 0
 */
export function placeOfWord(
  length: number,
  id: number,
): { readonly start: number; readonly transform: number } {
  const exponent = exponents[length] ?? 0;
  if (exponent === 0) throw new Error(`a word of the dictionary of ${length} bytes`);
  const index = id & ((1 << exponent) - 1);
  return { start: (starts[length] as number) + index * length, transform: id >> exponent };
}
