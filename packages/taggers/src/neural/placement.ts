import { type Tensor, tensor } from "@nasty/core";

/** A sentence as places in a list of words. */
export interface Row {
  /** Which sentence of the block it is. */
  readonly sentence: number;
  readonly words: Int32Array;
}

export interface BatchLimits {
  readonly batchSize: number;
  readonly batchTokens: number;
}

/** Sentences put together into one run. */
export interface Placement {
  readonly rows: readonly Row[];
  /** Position in the batch × length positions of the run at which each row starts. */
  readonly starts: readonly number[];
  /** Places of the words, and what says which positions are words. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly mask: Tensor<"uint8">;
}

/** How a network wants its sentences: one a row, with its length or with a mask, or one after the other with a masked position between. */
export type Layout = "rows" | "masked-rows" | "stream";

/**
 * Batches of sentences of similar length: a batch ends at `batchSize` sentences, at `batchTokens` positions (padding counted), or
 * where the next sentence is so much longer that the others would be mostly padding. Empty sentences are left out.
 */
export function batchesOf<R extends Row>(rows: readonly R[], limits: BatchLimits, layout: Layout): R[][] {
  const filled = rows.filter(({ words }) => words.length > 0);
  if (limits.batchSize === 1) return filled.map((row) => [row]);
  // A stream has no padding: order and cuts are free.
  const sorted = layout === "stream" ? filled : filled.toSorted((a, b) => a.words.length - b.words.length);
  const batches: R[][] = [];
  let batch: R[] = [];
  let positions = 0;
  for (const row of sorted) {
    const { length } = row.words;
    const shortest = batch[0]?.words.length ?? length;
    const next = layout === "stream" ? positions + length + 1 : (batch.length + 1) * length;
    const stretched = layout !== "stream" && length > shortest * MOST_STRETCH + 1;
    if (batch.length > 0 && (batch.length >= limits.batchSize || next > limits.batchTokens || stretched)) {
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

/** Longest row of a batch over its shortest. */
const MOST_STRETCH = 1.2;

/**
 * The inputs that place words: `word_index` [B, T] with `lengths` [B], or `word_index` [1, T] with `mask` [1, T].
 *
 * @param renumber place of a word in the list that is fed, by its place in the store.
 */
export function place(rows: readonly Row[], layout: Layout, renumber: (place: number) => number): Placement {
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

function placeInRows(
  rows: readonly Row[],
  renumber: (place: number) => number,
  choose: (inputs: { lengths: Tensor; mask: Tensor }) => Readonly<Record<string, Tensor>>,
): Placement {
  const length = rows.reduce((most, { words }) => Math.max(most, words.length), 0);
  const shape = [rows.length, length];
  const index = new Int32Array(rows.length * length);
  const mask = new Uint8Array(rows.length * length);
  const starts = rows.map((row, r) => write(index, mask, { row, start: r * length, renumber }));
  const inputs = {
    lengths: tensor(
      "int32",
      [rows.length],
      Int32Array.from(rows, ({ words }) => words.length),
    ),
    mask: tensor("float32", shape, Float32Array.from(mask)),
  };
  return {
    rows,
    starts,
    mask: tensor("uint8", shape, mask),
    feeds: { word_index: tensor("int32", shape, index), ...choose(inputs) },
  };
}

function placeInStream(rows: readonly Row[], renumber: (place: number) => number): Placement {
  const length = rows.reduce((sum, { words }) => sum + words.length + 1, -1);
  const index = new Int32Array(length);
  const mask = new Uint8Array(length);
  let next = 0;
  const starts = rows.map((row) => {
    const start = write(index, mask, { row, start: next, renumber });
    next += row.words.length + 1;
    return start;
  });
  const shape = [1, length];
  return {
    rows,
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
  { row, start, renumber }: { row: Row; start: number; renumber: (place: number) => number },
): number {
  for (let i = 0; i < row.words.length; i++) index[start + i] = renumber(row.words[i] as number);
  mask.fill(1, start, start + row.words.length);
  return start;
}
