import { type BatchLimits, evenBatches } from "../tagging/batches.js";
import type { Row } from "../tagging/rows.js";
import { windowsOf } from "../tagging/windows.js";
import type { WordEncoder } from "./word-encoder.js";

/** A row of subwords, special tokens included. */
export interface SubwordRow extends Row {
  /** Positions in `ids` of the first subword of each owned word. */
  readonly positions: Int32Array;
  /** Position behind the last subword of the last owned word. */
  readonly positionsEnd: number;
}

/** How many subwords a word that a row owns has in it. */
export function subwordsOf({ positions, positionsEnd, firstOwned }: SubwordRow, word: number): number {
  const index = word - firstOwned;
  return (positions[index + 1] ?? positionsEnd) - (positions[index] as number);
}

/**
 * Encodes one sentence into rows.
 *
 * @param capacity most subwords of a row without special tokens; a single word that is longer is cut behind its first
 *   `capacity` subwords.
 * @returns no row for an empty sentence, several for one that is longer than the model.
 */
export function subwordRows(
  words: readonly string[],
  sentence: number,
  encoder: WordEncoder,
  capacity: number,
): SubwordRow[] {
  const encoded: (readonly number[])[] = [];
  const offsets = new Int32Array(words.length + 1);
  for (let i = 0; i < words.length; i++) {
    let ids = encoder.encode(words[i] as string);
    if (ids.length > capacity) ids = ids.slice(0, capacity);
    encoded.push(ids);
    offsets[i + 1] = (offsets[i] as number) + ids.length;
  }
  const { before, after } = encoder.special;
  return windowsOf(offsets, capacity).map(({ firstWord, wordsEnd, firstOwned, ownedEnd }) => {
    const start = offsets[firstWord] as number;
    const length = (offsets[wordsEnd] as number) - start;
    const ids = new Int32Array(before.length + length + after.length);
    ids.set(before);
    for (let word = firstWord, at = before.length; word < wordsEnd; word++) {
      const subwords = encoded[word] as readonly number[];
      for (let i = 0; i < subwords.length; i++) ids[at++] = subwords[i] as number;
    }
    ids.set(after, before.length + length);
    const positions = new Int32Array(ownedEnd - firstOwned);
    for (let i = 0; i < positions.length; i++) {
      positions[i] = before.length + (offsets[firstOwned + i] as number) - start;
    }
    const positionsEnd = before.length + (offsets[ownedEnd] as number) - start;
    return { sentence, ids, positions, positionsEnd, firstOwned, ownedEnd };
  });
}

/** Longest row of a batch over its shortest: beyond it padding costs more than one more run. */
const MOST_STRETCH = 1.25;

/** Batches of rows of like length. */
export const subwordBatches = <R extends SubwordRow>(rows: readonly R[], limits: BatchLimits): R[][] =>
  evenBatches(rows, limits, (shortest) => shortest * MOST_STRETCH + 1);
