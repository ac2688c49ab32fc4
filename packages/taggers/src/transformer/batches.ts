import type { Row } from "./rows.js";

export interface BatchLimits {
  readonly batchSize: number;
  readonly batchTokens: number;
}

/**
 * Puts rows into batches of similar length.
 *
 * Rows are sorted by length; a batch ends at `batchSize` rows, at `batchTokens` positions (padding counted), or where the next row
 * is so much longer that its neighbours would be mostly padding. A row longer than `batchTokens` is a batch of its own.
 */
export function batchesOf(rows: readonly Row[], { batchSize, batchTokens }: BatchLimits): Row[][] {
  if (batchSize === 1) return rows.map((row) => [row]);
  const sorted = rows.toSorted((a, b) => a.ids.length - b.ids.length);
  const batches: Row[][] = [];
  let batch: Row[] = [];
  for (const row of sorted) {
    const shortest = batch[0]?.ids.length ?? row.ids.length;
    const full =
      batch.length === batchSize ||
      (batch.length + 1) * row.ids.length > batchTokens ||
      row.ids.length > shortest * MOST_STRETCH + 1;
    if (full && batch.length > 0) {
      batches.push(batch);
      batch = [];
    }
    batch.push(row);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** Longest row of a batch over its shortest: beyond it padding costs more than one more run. */
const MOST_STRETCH = 1.25;
