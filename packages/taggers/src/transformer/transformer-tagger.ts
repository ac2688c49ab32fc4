import { type Tensor, toFloat32 } from "@nasty/core";
import type { Session, ValueInfo } from "@nasty/runtime";
import { checkLabels } from "../check-labels.js";
import { labellingOfSettings } from "../label-choice.js";
import { TaggerError } from "../tagger-error.js";
import type { BatchOptions, EncodedBatch, Sentences, Tagger } from "../tagger.js";
import { type Limits, limitsOf, longestRow, sentenceBlocks } from "../tagging/sentence-blocks.js";
import { batchesOf } from "./batches.js";
import { type Feeder, makeFeeder } from "./feeds.js";
import { argmax, logitsOutput } from "./logits.js";
import { type Row, rowsOf } from "./rows.js";
import type { TransformerSettings } from "./settings.js";
import { makeWordEncoder, type WordEncoder } from "./word-encoder.js";

/** Measured on one thread of a server core with a 4 × 256 BERT: see bench/tagging.mjs and decision 051. */
const DEFAULTS = { batchSize: 8, batchTokens: 1024, lookAhead: 256 } as const;

/**
 * A tagger around a session of a token classifier: words to subwords, runs, labels at each word's first subword.
 *
 * A trial run of one position with the tokenizer's largest id finds the output with the scores, and a tokenizer that
 * does not belong to the model.
 *
 * @param session of the model; the tagger closes it.
 * @param settings labels and tokenizer, from {@link settingsFromHf} or {@link readTaggerSettings}.
 * @throws TaggerError `tokenizer`, `tokenizer-mismatch` (the tokenizer has ids that the embedding has not), `labels`,
 *   `model-inputs`, `model-outputs`.
 *
 * @example
 * ```ts
 * const tagger = await makeTransformerTagger(await openSession("model.onnx"), settings);
 * for await (const labels of tagger.tag([["Time", "flies"]])) labels; // ["NOUN", "VERB"]
 * ```
 */
export async function makeTransformerTagger(
  session: Session,
  settings: TransformerSettings,
): Promise<Tagger> {
  const { labels } = settings;
  if (labels.length === 0) throw new TaggerError("labels", "openTagger: labels: expected at least 1, got 0");
  checkLabels(labels, "openTagger: settings");
  const labelling = labellingOfSettings(settings);
  const encoding = encodingOf(session.inputs, settings);
  const { encoder, feeder, capacity } = encoding;
  const logits = await trial(session, { encoder, feeder, labels: labels.length });

  const run = async (rows: readonly Row[], block: string[][]): Promise<void> => {
    const { feeds } = feeder.feed(rows);
    const scores = (await session.run(feeds, [logits]))[logits] as Tensor;
    const { shape } = scores;
    const data = scores.dtype === "float32" ? (scores.data as Float32Array) : toFloat32(scores);
    const length = shape[1] as number;
    rows.forEach(({ sentence, positions, firstOwned }, r) => {
      const into = block[sentence] as string[];
      for (let i = 0; i < positions.length; i++) {
        const start = (r * length + (positions[i] as number)) * labels.length;
        into[firstOwned + i] = labels[argmax(data, start, labels.length)] as string;
      }
    });
  };

  return {
    kind: "transformer",
    task: labelling.task,
    labels,
    labelling,
    async *tag(sentences, options) {
      const limits = limitsFor(options, feeder);
      for await (const { rows, sizes } of blocks(sentences, {
        encoder,
        capacity,
        limits,
      })) {
        const block = sizes.map((size) => Array<string>(size));
        for (const batch of batchesOf(rows, limits)) {
          limits.signal?.throwIfAborted();
          await run(batch, block);
        }
        yield* block;
      }
    },
    feedsOf: (sentences, options) => encodedBatches(encoding, sentences, options),
    close: () => session.close(),
  };
}

/** What turns words into the inputs of a transformer. */
interface Encoding {
  readonly encoder: WordEncoder;
  readonly feeder: Feeder;
  readonly capacity: number;
}

function encodingOf(inputs: readonly ValueInfo[], settings: TransformerSettings): Encoding {
  const encoder = makeWordEncoder(settings.tokenizer);
  const feeder = makeFeeder(
    { inputs },
    { special: encoder.special, padId: encoder.padId, positionOffset: settings.positionOffset },
  );
  const capacity = capacityOf(settings, encoder, feeder);
  checkVocabulary(encoder, settings.vocabularySize);
  return { encoder, feeder, capacity };
}

/** The inputs of a transformer for sentences, from its settings and what its graph takes alone; see `makeEncoder`. */
export function makeTransformerEncoder(
  inputs: readonly ValueInfo[],
  settings: TransformerSettings,
): Pick<Tagger, "feedsOf"> {
  const encoding = encodingOf(inputs, settings);
  return { feedsOf: (sentences, options) => encodedBatches(encoding, sentences, options) };
}

async function* encodedBatches(
  { encoder, feeder, capacity }: Encoding,
  sentences: Sentences,
  options: BatchOptions | undefined,
): AsyncGenerator<EncodedBatch> {
  const limits = limitsFor(options, feeder);
  for await (const { rows } of blocks(sentences, { encoder, capacity, limits })) {
    for (const batch of batchesOf(rows, limits)) {
      limits.signal?.throwIfAborted();
      yield { ...feeder.feed(batch), words: batch.reduce((sum, row) => sum + row.positions.length, 0) };
    }
  }
}

function limitsFor(options: BatchOptions | undefined, { fixedRows }: Feeder): Limits {
  const limits = limitsOf(options, DEFAULTS);
  return { ...limits, batchSize: fixedRows ?? limits.batchSize };
}

/** Reads sentences in blocks and encodes them. */
async function* blocks(
  sentences: Sentences,
  { encoder, capacity, limits }: { encoder: WordEncoder; capacity: number; limits: Limits },
): AsyncGenerator<{ rows: Row[]; sizes: number[] }> {
  for await (const block of sentenceBlocks(sentences, limits)) {
    const rows: Row[] = [];
    block.forEach((words, sentence) => {
      for (const row of rowsOf(words, sentence, encoder, capacity)) rows.push(row);
    });
    yield { rows, sizes: block.map(({ length }) => length) };
  }
}

function capacityOf(settings: TransformerSettings, encoder: WordEncoder, feeder: Feeder): number {
  const { before, after } = encoder.special;
  const positions = Math.min(
    settings.maxPositions ?? Number.POSITIVE_INFINITY,
    feeder.fixedLength ?? Number.POSITIVE_INFINITY,
  );
  const capacity = positions - before.length - after.length;
  if (capacity >= 1) return Math.min(capacity, longestRow);
  throw new TaggerError(
    "window",
    `openTagger: model: positions: expected room for a subword beside ${before.length + after.length} special tokens, got ${positions} positions`,
  );
}

function checkVocabulary({ largestId }: WordEncoder, size: number | undefined): void {
  if (size !== undefined && largestId >= size) throw mismatch(largestId, `${size} rows`);
}

function mismatch(largestId: number, got: string, cause?: unknown): TaggerError {
  return new TaggerError(
    "tokenizer-mismatch",
    `openTagger: tokenizer: ids: expected an embedding of at least ${largestId + 1} rows, got ${got}; is this the model's own tokenizer.json?`,
    { cause },
  );
}

async function trial(
  session: Session,
  { encoder, feeder, labels }: { encoder: WordEncoder; feeder: Feeder; labels: number },
): Promise<string> {
  const { before, after } = encoder.special;
  const ids = Int32Array.of(...before, encoder.largestId, ...after);
  const { feeds, mask } = feeder.feed([{ sentence: 0, ids, positions: new Int32Array(0), firstOwned: 0 }]);
  let outputs: Readonly<Record<string, Tensor>>;
  try {
    outputs = await session.run(feeds);
  } catch (cause) {
    // ONNX Runtime's Gather: "indices element out of data bounds, idx=7999 must be within the inclusive range [-100,99]"
    const bounds = /idx=(\d+) must be within the inclusive range \[-?\d+,(\d+)\]/.exec(messages(cause));
    if (bounds === null || Number(bounds[1]) !== encoder.largestId) throw cause;
    throw mismatch(encoder.largestId, `${Number(bounds[2]) + 1} rows`, cause);
  }
  return logitsOutput(session, outputs, mask.shape, labels);
}

/** The messages of an error and of those underneath it. */
function messages(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messages(error.cause)}` : "";
}
