import { type Random, shuffled } from "@nasty/training";

export interface BatchSize {
  /** Most sentences of a batch. */
  readonly batchSentences: number;
  /** Most positions of a batch, padding counted. */
  readonly batchTokens: number;
}

/**
 * Sentences that are sorted by length together: enough for even batches, few enough for every batch to be another one
 * each epoch.
 */
const POOL_BATCHES = 40;

/** Batches of sentences of like length, in random order. */
export function shuffledBatches<S extends { readonly words: readonly string[] }>(
  sentences: readonly S[],
  { batchSentences, batchTokens }: BatchSize,
  random: Random,
): S[][] {
  const order = shuffled(sentences, random);
  const batches: S[][] = [];
  const pool = batchSentences * POOL_BATCHES;
  for (let i = 0; i < order.length; i += pool) {
    const sorted = order.slice(i, i + pool).sort((a, b) => a.words.length - b.words.length);
    let batch: S[] = [];
    for (const sentence of sorted) {
      const full =
        batch.length === batchSentences || (batch.length + 1) * sentence.words.length > batchTokens;
      if (full && batch.length > 0) {
        batches.push(batch);
        batch = [];
      }
      batch.push(sentence);
    }
    if (batch.length > 0) batches.push(batch);
  }
  return shuffled(batches, random);
}

/** About how many batches sentences of so many words make. */
export const batchesOf = (
  { sentences, words }: { readonly sentences: number; readonly words: number },
  { batchSentences, batchTokens }: BatchSize,
): number => Math.max(1, Math.ceil(Math.max(sentences / batchSentences, words / batchTokens)));
