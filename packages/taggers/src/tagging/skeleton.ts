import type { Labelling } from "../task.js";
import type {
  BatchOptions,
  ChoiceOptions,
  EncodedBatch,
  LabelChoices,
  Sentences,
  Tagger,
} from "../tagger.js";
import { choicesOfPath, choosesSubwords, makeChooser } from "./choices.js";
import type { ChainScores, Decoder, Scores } from "./decode.js";
import { ownedWords, type Row } from "./rows.js";
import { type Limits, limitsOf, sentenceBlocks } from "./sentence-blocks.js";

/** Sentences that are read together. */
export type Block = readonly (readonly string[])[];

/** The inputs of one run, and 1 where a position is real: uint8 [batch, length]. */
export type RunInputs = Pick<EncodedBatch, "feeds" | "mask">;

/** What one run gave. */
export interface RunScores {
  /** Row-major [positions, labels]. */
  readonly data: Float32Array;
  /** The position that has the scores of a word that row `r` of the batch owns, by the word's place in its sentence. */
  positionOf(r: number, word: number): number;
}

/** Turns sentences into rows, and rows into inputs. */
export interface Reader<R extends Row> {
  /** The rows of all sentences of a block: none of an empty one, windows of one that is longer than the model. */
  rowsOf(block: Block): R[];
  inputsOf(batch: readonly R[]): RunInputs;
}

/** What differs between the kinds of taggers before a model runs: how words become rows, and which rows share a run. */
export interface Encoding<R extends Row> {
  /** Sizes where a call gives none. */
  readonly defaults: Omit<Limits, "signal">;
  /** Rows that every run must have, where the model fixes it. */
  readonly fixedRows?: number | undefined;
  batchesOf(rows: readonly R[], limits: Limits): R[][];
  /** What encodes sentences for others to run; asked for once a call. */
  reader(): Reader<R>;
}

/** The other difference: how rows are run. */
export interface Running<R extends Row> {
  /** Rows of a block that are ready to be run. */
  rowsOf(block: Block): R[] | Promise<R[]>;
  run(batch: readonly R[]): Promise<RunScores>;
  /** How many positions a word that the row owns has, one behind the other; one of each where it is left out. */
  subwordsOf?(row: R, word: number): number;
  /** Drops what is kept from one call to the next, where something is. */
  forget?(): void;
}

/** What a tagger is made of beside its encoder. */
export interface TaggerParts extends Pick<Tagger, "kind" | "labels" | "language" | "close" | "subwordSpans"> {
  readonly labelling: Labelling;
  readonly decode: Decoder;
  /** The model's scores of label sequences, as labels are decoded with them. */
  readonly chain?: ChainScores | undefined;
}

/** A tagger that also says how sure it is. */
export interface ScoringTagger extends Tagger {
  /** Scores of each sentence's words before decoding, in input order. */
  scores(sentences: Sentences, options?: BatchOptions): AsyncIterable<Scores>;
}

/** The encoding half of a tagger, which needs no session. */
export function encoderOf<R extends Row>(encoding: Encoding<R>): Pick<Tagger, "feedsOf"> {
  return {
    async *feedsOf(sentences, options) {
      const limits = limitsFor(encoding, options);
      const reader = encoding.reader();
      for await (const block of sentenceBlocks(sentences, limits)) {
        for (const batch of withSignal(encoding.batchesOf(reader.rowsOf(block), limits), limits)) {
          const { feeds, mask } = reader.inputsOf(batch);
          yield { feeds, mask, words: ownedWords(batch) };
        }
      }
    },
  };
}

/**
 * A tagger of any kind: sentences are read in blocks, cut into rows, batched, run, and put together again; each word's
 * scores come from the row that owns it, and labels are decoded over whole sentences.
 *
 * Limits and the signal of a call are heeded here, and nowhere else.
 */
export function taggerOf<R extends Row>(
  encoding: Encoding<R>,
  running: Running<R>,
  { decode, chain, ...parts }: TaggerParts,
): ScoringTagger {
  const { labels, labelling } = parts;
  const { subwordsOf } = running;

  /** What is gathered of each block's runs, from what it begins with. */
  async function* gathered<T>(
    sentences: Sentences,
    options: BatchOptions | undefined,
    { begin, take }: Gathering<R, T>,
  ): AsyncGenerator<T[]> {
    const limits = limitsFor(encoding, options);
    if (options?.fresh === true) running.forget?.();
    for await (const block of sentenceBlocks(sentences, limits)) {
      const rows = await running.rowsOf(block);
      const into = begin(block, rows);
      for (const batch of withSignal(encoding.batchesOf(rows, limits), limits)) {
        take(into, batch, await running.run(batch));
      }
      yield into;
    }
  }

  const scoredBlocks = (sentences: Sentences, options?: BatchOptions): AsyncGenerator<Scores[]> =>
    gathered(sentences, options, {
      begin: (block) => block.map(({ length }): Scores => ({ data: nothing, start: 0, length })),
      take: (into, batch, run) => gather(into, batch, { ...run, labels: labels.length }),
    });

  async function* choices(sentences: Sentences, options: ChoiceOptions = {}): AsyncGenerator<LabelChoices> {
    if (subwordsOf === undefined) {
      for await (const block of scoredBlocks(sentences, options)) {
        for (const scores of block) yield choicesOfPath(scores, labels.length, { decode, chain });
      }
      return;
    }
    const blocks = gathered(sentences, options, choosing(labels.length, options, subwordsOf));
    for await (const block of blocks) yield* block;
  }

  return {
    ...parts,
    ...encoderOf(encoding),
    task: labelling.task,
    ...(labelling.task === "ner" && { choices }),
    async *tag(sentences, options) {
      for await (const block of scoredBlocks(sentences, options)) {
        for (const scores of block) {
          yield Array.from(decode(scores, labels.length), (label) => labels[label] as string);
        }
      }
    },
    async *scores(sentences, options) {
      for await (const block of scoredBlocks(sentences, options)) yield* block;
    },
  };
}

const nothing = new Float32Array(0);

/** What is made of the runs of a block. */
interface Gathering<R extends Row, T> {
  /** One of each sentence. */
  begin(block: Block, rows: readonly R[]): T[];
  take(into: T[], batch: readonly R[], run: RunScores): void;
}

/** Chooses labels while the scores of a run are at hand: those of all subwords of a block would take much memory. */
function choosing<R extends Row>(
  labels: number,
  { aggregation = "first" }: ChoiceOptions,
  subwordsOf: (row: R, word: number) => number,
): Gathering<R, LabelChoices> {
  const choose = makeChooser(labels, aggregation);
  return {
    begin(block, rows) {
      const before = choosesSubwords(aggregation) ? subwordsBefore(block, rows, subwordsOf) : undefined;
      return block.map(({ length }, sentence) => {
        const count = before?.[sentence]?.[length] ?? length;
        return {
          labels: new Int32Array(count),
          probabilities: new Float64Array(count),
          subwordsBefore: before?.[sentence],
        };
      });
    },
    take(into, batch, { data, positionOf }) {
      batch.forEach((row, r) => {
        const choices = into[row.sentence] as LabelChoices;
        for (let word = row.firstOwned; word < row.ownedEnd; word++) {
          const scores = { data, start: positionOf(r, word) * labels, count: subwordsOf(row, word) };
          choose(scores, choices, choices.subwordsBefore?.[word] ?? word);
        }
      });
    },
  };
}

/** Of each sentence, how many subwords stand before each word and in all. */
function subwordsBefore<R extends Row>(
  block: Block,
  rows: readonly R[],
  subwordsOf: (row: R, word: number) => number,
): Int32Array[] {
  const before = block.map(({ length }) => new Int32Array(length + 1));
  for (const row of rows) {
    const own = before[row.sentence] as Int32Array;
    for (let word = row.firstOwned; word < row.ownedEnd; word++) own[word + 1] = subwordsOf(row, word);
  }
  for (const own of before)
    for (let i = 1; i < own.length; i++) own[i] = (own[i] as number) + (own[i - 1] as number);
  return before;
}

function limitsFor<R extends Row>(
  { defaults, fixedRows }: Encoding<R>,
  options: BatchOptions | undefined,
): Limits {
  const limits = limitsOf(options, defaults);
  return { ...limits, batchSize: fixedRows ?? limits.batchSize };
}

/** The batches one by one, none of them after the signal. */
function* withSignal<R>(batches: readonly R[], { signal }: Limits): Generator<R> {
  for (const batch of batches) {
    signal?.throwIfAborted();
    yield batch;
  }
}

/** Puts the scores of the words that a run's rows own where their sentences are. */
function gather(
  into: Scores[],
  batch: readonly Row[],
  { data, positionOf, labels }: RunScores & { readonly labels: number },
): void {
  batch.forEach(({ sentence, firstOwned, ownedEnd }, r) => {
    let scores = into[sentence] as Scores;
    const first = positionOf(r, firstOwned);
    const words = ownedEnd - firstOwned;
    const isDense = positionOf(r, ownedEnd - 1) - first === words - 1;
    if (isDense && words === scores.length) {
      // A sentence in one row needs no copy.
      into[sentence] = { data, start: first * labels, length: words };
      return;
    }
    if (scores.data === nothing) {
      scores = { ...scores, data: new Float32Array(scores.length * labels) };
      into[sentence] = scores;
    }
    if (isDense) {
      scores.data.set(data.subarray(first * labels, (first + words) * labels), firstOwned * labels);
      return;
    }
    for (let word = firstOwned; word < ownedEnd; word++) {
      const from = positionOf(r, word) * labels;
      for (let i = 0; i < labels; i++) scores.data[word * labels + i] = data[from + i] as number;
    }
  });
}
