import { wordWindows } from "../transformer/windows.js";

/** One row of a run: a sentence, or a window of a long one. */
export interface Row {
  /** Which sentence of the block it is. */
  readonly sentence: number;
  readonly ids: Int32Array;
  /** First word in the sentence that the row holds. */
  readonly firstWord: number;
  /** The words of the sentence whose scores are taken from this row. */
  readonly firstOwned: number;
  readonly ownedEnd: number;
}

/** The rows of a sentence: none of an empty one, several of one that is longer than `capacity`. */
export function rowsOf(ids: Int32Array, sentence: number, capacity: number): Row[] {
  return wordWindows(ids.length, capacity).map(({ firstWord, wordsEnd, firstOwned, ownedEnd }) => ({
    sentence,
    ids: ids.subarray(firstWord, wordsEnd),
    firstWord,
    firstOwned,
    ownedEnd,
  }));
}

export interface BatchLimits {
  readonly batchSize: number;
  readonly batchTokens: number;
}

/**
 * Batches of rows of like length: a batch ends at `batchSize` rows, at `batchTokens` positions (padding counted), or where the next row
 * is more than `stretch` times as long as the shortest; with a stretch of 1 all rows of a batch are of one length.
 */
export function batchesOf(
  rows: readonly Row[],
  { batchSize, batchTokens }: BatchLimits,
  stretch: number,
): Row[][] {
  if (batchSize === 1) return rows.map((row) => [row]);
  const batches: Row[][] = [];
  let batch: Row[] = [];
  for (const row of rows.toSorted((a, b) => a.ids.length - b.ids.length)) {
    const { length } = row.ids;
    const shortest = batch[0]?.ids.length ?? length;
    const isFull = batch.length >= batchSize || (batch.length + 1) * length > batchTokens;
    if (batch.length > 0 && (isFull || length > shortest * stretch)) {
      batches.push(batch);
      batch = [];
    }
    batch.push(row);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
