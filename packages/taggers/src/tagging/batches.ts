import type { IdRow } from "./rows.js";

export interface BatchLimits {
  readonly batchSize: number;
  readonly batchTokens: number;
}

/**
 * Puts rows into batches of like length, in order of length; a batch size of 1 keeps their order.
 *
 * A batch ends at `batchSize` rows, at `batchTokens` positions (padding counted), or where the next row is so much
 * longer than the shortest that the others would be mostly padding. A row longer than `batchTokens` is a batch of its
 * own.
 *
 * @param longestBeside the longest row that may share a run with a shortest one
 */
export function evenBatches<R extends IdRow>(
  rows: readonly R[],
  { batchSize, batchTokens }: BatchLimits,
  longestBeside: (shortest: number) => number,
): R[][] {
  if (batchSize === 1) return rows.map((row) => [row]);
  const batches: R[][] = [];
  let batch: R[] = [];
  for (const row of rows.toSorted((a, b) => a.ids.length - b.ids.length)) {
    const { length } = row.ids;
    const shortest = batch[0]?.ids.length ?? length;
    const isFull =
      batch.length >= batchSize ||
      (batch.length + 1) * length > batchTokens ||
      length > longestBeside(shortest);
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
    }
    batch.push(row);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
