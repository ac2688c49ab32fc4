import { type Tensor, tensor, toFloat32 } from "@nasty/core";
import type { Session, ValueInfo } from "@nasty/runtime";
import { checkLabels } from "../check-labels.js";
import { labellingOfSettings } from "../label-choice.js";
import { decoderOf } from "../neural/decode.js";
import { TaggerError } from "../tagger-error.js";
import type { BatchOptions, EncodedBatch, Sentences, Tagger } from "../tagger.js";
import { logitsOutput } from "../transformer/logits.js";
import { type Limits, limitsOf, longestRow, sentenceBlocks } from "../tagging/sentence-blocks.js";
import { batchesOf, type Row, rowsOf } from "./rows.js";
import type { SequenceSettings } from "./settings.js";

const DEFAULTS = { batchSize: 32, batchTokens: 1024, lookAhead: 512 } as const;

/** Longest row of a padded batch over its shortest. */
const MOST_STRETCH = 1.2;

/**
 * A tagger around a session of a model that takes one id a word, [batch, length], and gives scores [batch, length, labels].
 *
 * Part-of-speech labels are the best of each word; entity labels the best sequence that the chunk scheme allows. A trial run with the
 * largest id finds the output, and a word list that does not belong to the model.
 *
 * @param session of the model; the tagger closes it.
 * @throws TaggerError `model-inputs`, `model-outputs`, `labels`, `word-index` (ids beyond the model's table), `window` (no length to fill to)
 *
 * @example
 * ```ts
 * const tagger = await makeSequenceTagger(await openSession("pos.onnx"), settings);
 * for await (const labels of tagger.tag([["Time", "flies"]])) labels; // ["NOUN", "VERB"]
 * ```
 */
export async function makeSequenceTagger(session: Session, settings: SequenceSettings): Promise<Tagger> {
  const { labels, probabilities } = settings;
  checkLabels(labels, "openTagger: settings");
  const labelling = labellingOfSettings(settings);
  const encoding = encodingOf(session.inputs, settings);
  const { idOf, capacity, stretch, feed } = encoding;
  const output = await trial(session, settings, feed);
  const decode = decoderOf(labelling, labels, undefined);
  // The best sequence is that of the largest sum, which for probabilities is one of logarithms; the best label of a word is the same.
  const isSummed = labelling.task === "ner" && probabilities;

  const run = async (rows: readonly Row[], scores: readonly Float32Array[]): Promise<void> => {
    const { feeds, starts } = feed(rows);
    const result = (await session.run(feeds, [output]))[output] as Tensor;
    const data = result.dtype === "float32" ? (result.data as Float32Array) : toFloat32(result);
    rows.forEach(({ sentence, firstWord, firstOwned, ownedEnd }, r) => {
      const from = ((starts[r] as number) + firstOwned - firstWord) * labels.length;
      const count = (ownedEnd - firstOwned) * labels.length;
      const owned = data.subarray(from, from + count);
      (scores[sentence] as Float32Array).set(
        isSummed ? owned.map((value) => Math.log(Math.max(value, Number.MIN_VALUE))) : owned,
        firstOwned * labels.length,
      );
    });
  };

  return {
    kind: "sequence",
    task: labelling.task,
    labels,
    labelling,
    async *tag(sentences, options) {
      const limits = limitsOf(options, DEFAULTS);
      for await (const { rows, sizes } of blocks(sentences, { idOf, capacity, limits })) {
        const scores = sizes.map((size) => new Float32Array(size * labels.length));
        for (const batch of batchesOf(rows, limits, stretch)) {
          limits.signal?.throwIfAborted();
          await run(batch, scores);
        }
        for (const [i, length] of sizes.entries()) {
          const best = decode({ data: scores[i] as Float32Array, start: 0, length }, labels.length);
          yield Array.from(best, (label) => labels[label] as string);
        }
      }
    },
    feedsOf: (sentences, options) => encodedBatches(encoding, sentences, options),
    close: () => session.close(),
  };
}

/** What turns words into the inputs of the model. */
interface Encoding {
  readonly idOf: (word: string) => number;
  readonly capacity: number;
  /** Longest row of a batch over its shortest. */
  readonly stretch: number;
  feed(rows: readonly Row[]): Fed;
}

function encodingOf(inputs: readonly ValueInfo[], settings: SequenceSettings): Encoding {
  const { padding } = settings;
  const input = inputOf({ inputs });
  const capacity = capacityOf(input, settings);
  const isFilled = padding === "right" || padding === "left" || typeof input.shape[1] === "number";
  return {
    idOf: makeWordIds(settings),
    capacity,
    stretch: isFilled ? Number.POSITIVE_INFINITY : padding === "masked" ? MOST_STRETCH : 1,
    feed: (rows) => feedOf(rows, input, settings, isFilled ? capacity : undefined),
  };
}

/** The inputs of the model for sentences, from its settings and what its graph takes alone; see `makeEncoder`. */
export function makeSequenceEncoder(
  inputs: readonly ValueInfo[],
  settings: SequenceSettings,
): Pick<Tagger, "feedsOf"> {
  const encoding = encodingOf(inputs, settings);
  return { feedsOf: (sentences, options) => encodedBatches(encoding, sentences, options) };
}

async function* encodedBatches(
  { idOf, capacity, stretch, feed }: Encoding,
  sentences: Sentences,
  options: BatchOptions | undefined,
): AsyncGenerator<EncodedBatch> {
  const limits = limitsOf(options, DEFAULTS);
  for await (const { rows } of blocks(sentences, { idOf, capacity, limits })) {
    for (const batch of batchesOf(rows, limits, stretch)) {
      limits.signal?.throwIfAborted();
      const { feeds, mask } = feed(batch);
      const words = batch.reduce((sum, { firstOwned, ownedEnd }) => sum + ownedEnd - firstOwned, 0);
      yield { feeds, mask, words };
    }
  }
}

/** The id of a word; of a word that a list holds twice, the first. */
export function makeWordIds({ words, lowercase, unknownId }: SequenceSettings): (word: string) => number {
  const ids = new Map<string, number>();
  words.forEach((word, id) => {
    if (word !== "" && !ids.has(word)) ids.set(word, id);
  });
  return (word) => ids.get(lowercase ? word.toLowerCase() : word) ?? unknownId;
}

interface Fed {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly mask: Tensor<"uint8">;
  /** Position in the batch × length positions at which each row's words start. */
  readonly starts: readonly number[];
}

function feedOf(
  rows: readonly Row[],
  input: ValueInfo,
  { paddingId, padding }: SequenceSettings,
  filled: number | undefined,
): Fed {
  const length = filled ?? rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const shape = [rows.length, length];
  const ids = new Int32Array(rows.length * length).fill(paddingId);
  const mask = new Uint8Array(ids.length);
  const starts = rows.map((row, r) => {
    const start = r * length + (padding === "left" ? length - row.ids.length : 0);
    ids.set(row.ids, start);
    mask.fill(1, start, start + row.ids.length);
    return start;
  });
  const fed: Tensor =
    input.dtype === "int32"
      ? tensor("int32", shape, ids)
      : tensor("int64", shape, BigInt64Array.from(ids, BigInt));
  return { feeds: { [input.name]: fed }, mask: tensor("uint8", shape, mask), starts };
}

function inputOf({ inputs }: Pick<Session, "inputs">): ValueInfo {
  const [input, second] = inputs;
  const isIds = input?.dtype === "int32" || input?.dtype === "int64";
  if (input !== undefined && second === undefined && isIds && input.shape.length === 2) return input;
  const got = inputs.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(", ")}]`).join(", ");
  throw new TaggerError(
    "model-inputs",
    `openTagger: model: inputs: expected one of word ids, int32 or int64 [batch, length], got ${got || "none"}`,
  );
}

function capacityOf({ name, shape }: ValueInfo, { padding, maxLength }: SequenceSettings): number {
  const fixed = shape[1];
  if (typeof fixed === "number" && fixed > 0) {
    if (maxLength === undefined || maxLength === fixed) return fixed;
    throw new TaggerError(
      "window",
      `openTagger: model: input ${name}: length: expected ${maxLength} (the longest row of the tagger), got ${fixed}`,
    );
  }
  if (maxLength === undefined && (padding === "left" || padding === "right")) {
    throw new TaggerError(
      "window",
      `openTagger: model: input ${name}: length: expected a fixed one to fill rows to, or a longest row in the tagger, got neither`,
    );
  }
  // Rows that are filled have the length that the model was trained with.
  const isFilled = padding === "left" || padding === "right";
  return isFilled && maxLength !== undefined ? maxLength : Math.min(maxLength ?? longestRow, longestRow);
}

interface BlockOptions {
  readonly idOf: (word: string) => number;
  readonly capacity: number;
  readonly limits: Limits;
}

/** Reads sentences in blocks and cuts them into rows. */
async function* blocks(
  sentences: Sentences,
  { idOf, capacity, limits }: BlockOptions,
): AsyncGenerator<{ rows: Row[]; sizes: number[] }> {
  for await (const block of sentenceBlocks(sentences, limits)) {
    const rows: Row[] = [];
    block.forEach((words, sentence) => {
      for (const row of rowsOf(Int32Array.from(words, idOf), sentence, capacity)) rows.push(row);
    });
    yield { rows, sizes: block.map(({ length }) => length) };
  }
}

async function trial(
  session: Session,
  { labels, words, unknownId, paddingId }: SequenceSettings,
  feed: (rows: readonly Row[]) => Fed,
): Promise<string> {
  if (labels.length === 0) throw new TaggerError("labels", "openTagger: labels: expected at least 1, got 0");
  const largest = Math.max(words.length - 1, unknownId, paddingId);
  const ids = Int32Array.of(largest);
  const { feeds, mask } = feed([{ sentence: 0, ids, firstWord: 0, firstOwned: 0, ownedEnd: 1 }]);
  let outputs: Readonly<Record<string, Tensor>>;
  try {
    outputs = await session.run(feeds);
  } catch (cause) {
    // ONNX Runtime's Gather: "indices element out of data bounds, idx=7999 must be within the inclusive range [-100,99]"
    const bounds = /idx=(\d+) must be within the inclusive range \[-?\d+,(\d+)\]/.exec(messages(cause));
    if (bounds === null || Number(bounds[1]) !== largest) throw cause;
    throw new TaggerError(
      "word-index",
      `openTagger: words: ids: expected an embedding of at least ${largest + 1} rows, got ${Number(bounds[2]) + 1} rows; is this the model's own word list?`,
      { cause },
    );
  }
  return logitsOutput(session, outputs, mask.shape, labels.length);
}

/** The messages of an error and of those underneath it. */
function messages(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messages(error.cause)}` : "";
}
