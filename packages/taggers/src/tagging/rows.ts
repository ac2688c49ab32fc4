import { wordWindows } from "./windows.js";

/** What a model reads in one row: ids of subwords or words. */
export interface IdRow {
  readonly ids: Int32Array;
  /** Type of each, where that is not the one that the tokenizer gives to all of a sentence. */
  readonly types?: Int32Array;
}

/** A sentence, or a window of a long one, as a model reads it. */
export interface Row extends IdRow {
  /** Which sentence of the block it is. */
  readonly sentence: number;
  /** The words of the sentence whose scores are taken from this row; there is at least one. */
  readonly firstOwned: number;
  readonly ownedEnd: number;
}

/** A row with one id a word. */
export interface WordRow extends Row {
  /** First word in the sentence that the row holds. */
  readonly firstWord: number;
}

/** The rows of a sentence: none of an empty one, several of one that is longer than `capacity`. */
export function wordRows(ids: Int32Array, sentence: number, capacity: number): WordRow[] {
  return wordWindows(ids.length, capacity).map(({ firstWord, wordsEnd, firstOwned, ownedEnd }) => ({
    sentence,
    ids: ids.subarray(firstWord, wordsEnd),
    firstWord,
    firstOwned,
    ownedEnd,
  }));
}

/** How many words some rows label. */
export const ownedWords = (rows: readonly Row[]): number =>
  rows.reduce((sum, { firstOwned, ownedEnd }) => sum + ownedEnd - firstOwned, 0);
