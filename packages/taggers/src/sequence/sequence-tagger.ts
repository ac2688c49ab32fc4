import { type Tensor, tensor, toFloat32 } from "@nasty/core";
import type { Session, ValueInfo } from "@nasty/runtime";
import { checkLabels } from "../check-labels.js";
import { labellingOfSettings, languageOf } from "../label-choice.js";
import { TaggerError } from "../tagger-error.js";
import type { Tagger } from "../tagger.js";
import { evenBatches } from "../tagging/batches.js";
import { decoderOf } from "../tagging/decode.js";
import { type IdRow, type WordRow, wordRows } from "../tagging/rows.js";
import { longestRow } from "../tagging/sentence-blocks.js";
import {
  type Block,
  encoderOf,
  type Encoding,
  type RunInputs,
  type Running,
  taggerOf,
} from "../tagging/skeleton.js";
import { trialOutput } from "../tagging/trial.js";
import type { SequenceSettings } from "./settings.js";

const DEFAULTS = { batchSize: 32, batchTokens: 1024, lookAhead: 512 } as const;

/** Longest row of a padded batch over its shortest. */
const MOST_STRETCH = 1.2;

/**
 * A tagger around a session of a model that takes one id a word, [batch, length], and gives scores [batch, length,
 * labels].
 *
 * Part-of-speech labels are the best of each word; entity labels the best sequence that the chunk scheme allows. A
 * trial run with the largest id finds the output, and a word list that does not belong to the model.
 *
 * @param session of the model; the tagger closes it.
 * @throws TaggerError `model-inputs`, `model-outputs`, `labels`, `word-index` (ids beyond the model's table), `window`
 *   (no length to fill to)
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
  const { feed } = encoding;
  const output = await trial(session, settings, feed);
  // The best sequence is that of the largest sum, which for probabilities is one of logarithms; the best label of a
  // word is the same.
  const isSummed = labelling.task === "ner" && probabilities;

  const running: Running<WordRow> = {
    rowsOf: encoding.reader().rowsOf,
    async run(batch) {
      const { feeds, starts } = feed(batch);
      const result = (await session.run(feeds, [output]))[output] as Tensor;
      const data = result.dtype === "float32" ? (result.data as Float32Array) : toFloat32(result);
      return {
        data: isSummed ? data.map((value) => Math.log(Math.max(value, Number.MIN_VALUE))) : data,
        positionOf: (r, word) => (starts[r] as number) + word - (batch[r] as WordRow).firstWord,
      };
    },
  };
  return taggerOf(encoding, running, {
    kind: "sequence",
    labels,
    labelling,
    ...languageOf(settings),
    decode: decoderOf(labelling, labels, undefined),
    close: () => session.close(),
  });
}

/** The inputs of the model for sentences, from its settings and what its graph takes alone; see `makeEncoder`. */
export const makeSequenceEncoder = (
  inputs: readonly ValueInfo[],
  settings: SequenceSettings,
): Pick<Tagger, "feedsOf"> => encoderOf(encodingOf(inputs, settings));

/** What turns words into the inputs of the model. */
interface WordEncoding extends Encoding<WordRow> {
  feed(rows: readonly IdRow[]): Fed;
}

function encodingOf(inputs: readonly ValueInfo[], settings: SequenceSettings): WordEncoding {
  const { padding } = settings;
  const input = inputOf(inputs);
  const capacity = capacityOf(input, settings);
  const isFilled = padding === "right" || padding === "left" || typeof input.shape[1] === "number";
  const stretch = isFilled ? Number.POSITIVE_INFINITY : padding === "masked" ? MOST_STRETCH : 1;
  const idOf = makeWordIds(settings);
  const feed = (rows: readonly IdRow[]): Fed =>
    feedOf(rows, input, settings, isFilled ? capacity : undefined);
  const rowsOf = (block: Block): WordRow[] =>
    block.flatMap((words, sentence) => wordRows(Int32Array.from(words, idOf), sentence, capacity));
  return {
    feed,
    defaults: DEFAULTS,
    batchesOf: (rows, limits) => evenBatches(rows, limits, (shortest) => shortest * stretch),
    reader: () => ({ rowsOf, inputsOf: feed }),
  };
}

/** The id of a word; of a word that a list holds twice, the first. */
export function makeWordIds({ words, lowercase, unknownId }: SequenceSettings): (word: string) => number {
  const ids = new Map<string, number>();
  words.forEach((word, id) => {
    if (word !== "" && !ids.has(word)) ids.set(word, id);
  });
  return (word) => ids.get(lowercase ? word.toLowerCase() : word) ?? unknownId;
}

interface Fed extends RunInputs {
  /** Position in the batch × length positions at which each row's words start. */
  readonly starts: readonly number[];
}

function feedOf(
  rows: readonly IdRow[],
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

function inputOf(inputs: readonly ValueInfo[]): ValueInfo {
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

async function trial(
  session: Session,
  { labels, words, unknownId, paddingId }: SequenceSettings,
  feed: (rows: readonly IdRow[]) => Fed,
): Promise<string> {
  if (labels.length === 0) throw new TaggerError("labels", "openTagger: labels: expected at least 1, got 0");
  const largest = Math.max(words.length - 1, unknownId, paddingId);
  return trialOutput(session, {
    ...feed([{ ids: Int32Array.of(largest) }]),
    largestId: largest,
    labels: labels.length,
    mismatch: (expected, got, cause) =>
      new TaggerError(
        "word-index",
        `openTagger: words: ids: expected an embedding of at least ${expected} rows, got ${got}; is this the model's own word list?`,
        { cause },
      ),
  });
}
