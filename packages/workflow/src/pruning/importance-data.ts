import type { Tensor } from "@nasty/core";
import type { PruneOptions } from "@nasty/compression";
import { type LabelChoice, labelledAs, type LabelledSentence, type Tagger } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import { InputError } from "../errors.js";
import type { CalibrationSource } from "../texts/calibration-sources.js";
import { readLabelled } from "../texts/labelled-text.js";
import type { LoadedModel } from "../models/load-model.js";

/** Positions that the loss does not count: special tokens and all pieces of a word but the first. */
const ignored = -100n;
const labelsInput = "nasty.labels";
/** Sentences of a source without a count. */
const defaultCount = 500;

interface ImportanceOptions extends LabelChoice {
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * What importance is measured on: labelled sentences, one a batch.
 *
 * @throws InputError for a model whose inputs no tagger can make
 */
export function importanceData(
  loaded: LoadedModel,
  sources: readonly CalibrationSource[],
  options: ImportanceOptions,
): NonNullable<PruneOptions["data"]> {
  const logits = loaded.model.graph?.output[0]?.name;
  if (loaded.tagger?.kind !== "transformer" || logits === undefined) {
    throw new InputError(
      `prune: --data: ${loaded.path}: expected a transformer with its tokenizer (to turn text into inputs), got none; leave --data out to prune by magnitude`,
    );
  }
  return {
    loss: { kind: "cross-entropy", logits, labels: labelsInput },
    batches: labelledBatches(loaded.path, sources, options),
    threads: options.threads,
  };
}

async function* labelledBatches(
  path: string,
  sources: readonly CalibrationSource[],
  { threads, scheme, signal, ...choice }: ImportanceOptions,
): AsyncGenerator<Record<string, Tensor>> {
  const tagger = await openTagger(path, { threads, scheme, task: choice.task, isSchemeOfText: true });
  try {
    const pieces = await pieceCounter(tagger);
    for (const { path: file, count = defaultCount } of sources) {
      let taken = 0;
      const read = await firstOf(readLabelled(file, tagger.task), count);
      for (const sentence of labelledAs(tagger, read, { where: `prune: --data ${file}`, scheme })) {
        signal?.throwIfAborted();
        const batch = await batchOf(tagger, pieces, { sentence, file });
        if (batch !== undefined) {
          taken++;
          yield batch;
        }
      }
      if (taken === 0) {
        throw new InputError(
          `prune: --data ${file}: sentences: expected at least 1 that the model reads in one piece, got 0; give labelled text`,
        );
      }
    }
  } finally {
    await tagger.close();
  }
}

async function firstOf<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const first: T[] = [];
  for await (const item of items) if (first.push(item) >= count) break;
  return first;
}

/** Undefined for a sentence that is cut into windows or empty. */
async function batchOf(
  tagger: Tagger,
  pieces: PieceCounter,
  { sentence, file }: { readonly sentence: LabelledSentence; readonly file: string },
): Promise<Record<string, Tensor> | undefined> {
  const { words, labels } = sentence;
  const counts: number[] = [];
  for (const word of words) counts.push(await pieces.of(word));
  const batches = await feedsOf(tagger, words);
  const [feeds] = batches;
  const length = feeds?.["input_ids"]?.shape[1] ?? 0;
  const expected = counts.reduce((sum, count) => sum + count, pieces.special);
  if (words.length === 0 || feeds === undefined || batches.length > 1 || length !== expected)
    return undefined;
  const targets = new BigInt64Array(length).fill(ignored);
  let position = pieces.before;
  for (const [index, label] of labels.entries()) {
    const known = tagger.labels.indexOf(label);
    if (known < 0) {
      throw new InputError(
        `prune: --data ${file}: label ${JSON.stringify(label)}: expected one of the model's (${tagger.labels.join(" ")})`,
      );
    }
    if ((counts[index] ?? 0) > 0) targets[position] = BigInt(known);
    position += counts[index] ?? 0;
  }
  return { ...feeds, [labelsInput]: { dtype: "int64", shape: [1, length], data: targets } };
}

async function feedsOf(
  tagger: Tagger,
  words: readonly string[],
): Promise<Readonly<Record<string, Tensor>>[]> {
  const batches: Readonly<Record<string, Tensor>>[] = [];
  for await (const { feeds } of tagger.feedsOf([words], { batchSize: 1 })) batches.push(feeds);
  return batches;
}

interface PieceCounter {
  /** Special tokens of a row, and how many of them come first. */
  readonly special: number;
  readonly before: number;
  of(word: string): Promise<number>;
}

/** Learns from rows of one and two words how many pieces a word has. */
async function pieceCounter(tagger: Tagger): Promise<PieceCounter> {
  const ids = async (...words: string[]): Promise<readonly (bigint | number)[]> =>
    Array.from(((await feedsOf(tagger, words))[0]?.["input_ids"]?.data ?? []) as Iterable<bigint | number>);
  const [one, other, two] = [await ids("a"), await ids("I"), await ids("a", "a")];
  const special = 2 * one.length - two.length;
  const first = one.findIndex((id, index) => id !== other[index]);
  const known = new Map<string, number>();
  return {
    special,
    before: first < 0 ? Math.min(special, 1) : first,
    async of(word) {
      const count = known.get(word) ?? (await ids(word)).length - special;
      known.set(word, count);
      return count;
    },
  };
}
