import { type Tensor, tensor } from "@nasty/core";
import { type BatchLimits, evenBatches } from "../tagging/batches.js";
import type { IdRow, Row } from "../tagging/rows.js";

/** Sentences put together into one run. */
export interface Placement {
  /** Position in the batch × length positions of the run at which each row starts. */
  readonly starts: readonly number[];
  /** Places of the words, and what says which positions are words. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly mask: Tensor<"uint8">;
}

/**
 * How a network wants its sentences: one a row, with its length or with a mask, or one after the other with a masked
 * position between.
 */
export type Layout = "rows" | "masked-rows" | "stream";

/** Longest row of a batch over its shortest. */
const MOST_STRETCH = 1.2;

/** Batches of rows of like length; those of a stream, which has no padding, are cut as they come. */
export function placedBatches<R extends Row>(rows: readonly R[], limits: BatchLimits, layout: Layout): R[][] {
  if (layout !== "stream") return evenBatches(rows, limits, (shortest) => shortest * MOST_STRETCH + 1);
  const batches: R[][] = [];
  let batch: R[] = [];
  let positions = 0;
  for (const row of rows) {
    const { length } = row.ids;
    const isFull = batch.length >= limits.batchSize || positions + length + 1 > limits.batchTokens;
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
      positions = 0;
    }
    batch.push(row);
    positions += length + 1;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/**
 * The inputs that place words: `word_index` [B, T] with `lengths` [B], or `word_index` [1, T] with `mask` [1, T].
 *
 * @param rows sentences as places of their words in a list
 * @param renumber place of a word in the list that is fed, by its place in the list.
 */
export function place(
  rows: readonly IdRow[],
  layout: Layout,
  renumber: (place: number) => number,
): Placement {
  switch (layout) {
    case "rows":
      return placeInRows(rows, renumber, ({ lengths }) => ({ lengths }));
    case "masked-rows":
      return placeInRows(rows, renumber, ({ mask }) => ({ mask }));
    case "stream":
      return placeInStream(rows, renumber);
    default:
      return layout satisfies never;
  }
}

/** {@link place} with words numbered as they are first met; `words` are their places in the list by these numbers. */
export function placeDistinct(
  rows: readonly IdRow[],
  layout: Layout,
): Placement & { readonly words: readonly number[] } {
  const numbers = new Map<number, number>();
  for (const { ids } of rows) for (const word of ids) if (!numbers.has(word)) numbers.set(word, numbers.size);
  return { ...place(rows, layout, (word) => numbers.get(word) as number), words: [...numbers.keys()] };
}

function placeInRows(
  rows: readonly IdRow[],
  renumber: (place: number) => number,
  choose: (inputs: { lengths: Tensor; mask: Tensor }) => Readonly<Record<string, Tensor>>,
): Placement {
  const length = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const shape = [rows.length, length];
  const index = new Int32Array(rows.length * length);
  const mask = new Uint8Array(rows.length * length);
  const starts = rows.map((row, r) => write(index, mask, { row, start: r * length, renumber }));
  const inputs = {
    lengths: tensor(
      "int32",
      [rows.length],
      Int32Array.from(rows, ({ ids }) => ids.length),
    ),
    mask: tensor("float32", shape, Float32Array.from(mask)),
  };
  return {
    starts,
    mask: tensor("uint8", shape, mask),
    feeds: { word_index: tensor("int32", shape, index), ...choose(inputs) },
  };
}

function placeInStream(rows: readonly IdRow[], renumber: (place: number) => number): Placement {
  const length = rows.reduce((sum, { ids }) => sum + ids.length + 1, -1);
  const index = new Int32Array(length);
  const mask = new Uint8Array(length);
  let next = 0;
  const starts = rows.map((row) => {
    const start = write(index, mask, { row, start: next, renumber });
    next += row.ids.length + 1;
    return start;
  });
  const shape = [1, length];
  return {
    starts,
    mask: tensor("uint8", shape, mask),
    feeds: {
      word_index: tensor("int32", shape, index),
      mask: tensor("float32", shape, Float32Array.from(mask)),
    },
  };
}

function write(
  index: Int32Array,
  mask: Uint8Array,
  { row, start, renumber }: { row: IdRow; start: number; renumber: (place: number) => number },
): number {
  for (let i = 0; i < row.ids.length; i++) index[start + i] = renumber(row.ids[i] as number);
  mask.fill(1, start, start + row.ids.length);
  return start;
}
