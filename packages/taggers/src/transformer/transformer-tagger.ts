import { type Tensor, toFloat32 } from "@nasty/core";
import type { Session, ValueInfo } from "@nasty/runtime";
import { checkLabels } from "../check-labels.js";
import { labellingOfSettings, languageOf } from "../label-choice.js";
import { TaggerError } from "../tagger-error.js";
import type { Tagger } from "../tagger.js";
import { decodeSingly } from "../tagging/decode.js";
import { longestRow } from "../tagging/sentence-blocks.js";
import { type Block, encoderOf, type Encoding, type Running, taggerOf } from "../tagging/skeleton.js";
import { trialOutput } from "../tagging/trial.js";
import { type Feeder, makeFeeder } from "./feeds.js";
import { subwordBatches, type SubwordRow, subwordRows, subwordsOf } from "./rows.js";
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
  const { encoder, feeder } = encoding;
  const { before, after } = encoder.special;
  const { largestId } = encoder;
  const ids = Int32Array.of(...before, largestId, ...after);
  const logits = await trialOutput(session, {
    ...feeder.feed([{ ids }]),
    largestId,
    labels: labels.length,
    mismatch,
  });
  const running: Running<SubwordRow> = {
    rowsOf: encoding.reader().rowsOf,
    subwordsOf,
    async run(batch) {
      const scores = (await session.run(feeder.feed(batch).feeds, [logits]))[logits] as Tensor;
      const length = scores.shape[1] as number;
      return {
        data: scores.dtype === "float32" ? (scores.data as Float32Array) : toFloat32(scores),
        positionOf(r, word) {
          const { positions, firstOwned } = batch[r] as SubwordRow;
          return r * length + (positions[word - firstOwned] as number);
        },
      };
    },
  };
  return taggerOf(encoding, running, {
    kind: "transformer",
    labels,
    labelling,
    ...languageOf(settings),
    decode: decodeSingly,
    subwordSpans: encoder.spans,
    close: () => session.close(),
  });
}

/** The inputs of a transformer for sentences, from its settings and what its graph takes alone; see `makeEncoder`. */
export const makeTransformerEncoder = (
  inputs: readonly ValueInfo[],
  settings: TransformerSettings,
): Pick<Tagger, "feedsOf"> => encoderOf(encodingOf(inputs, settings));

/** What turns words into the inputs of a transformer. */
interface SubwordEncoding extends Encoding<SubwordRow> {
  readonly encoder: WordEncoder;
  readonly feeder: Feeder;
}

function encodingOf(inputs: readonly ValueInfo[], settings: TransformerSettings): SubwordEncoding {
  const encoder = makeWordEncoder(settings.tokenizer);
  const feeder = makeFeeder(
    { inputs },
    { special: encoder.special, padId: encoder.padId, positionOffset: settings.positionOffset },
  );
  const { before, after } = encoder.special;
  const capacity = capacityOf(settings, before.length + after.length, feeder);
  checkVocabulary(encoder, settings.vocabularySize);
  const rowsOf = (block: Block): SubwordRow[] =>
    block.flatMap((words, sentence) => subwordRows(words, sentence, encoder, capacity));
  return {
    encoder,
    feeder,
    defaults: DEFAULTS,
    fixedRows: feeder.fixedRows,
    batchesOf: subwordBatches,
    reader: () => ({ rowsOf, inputsOf: feeder.feed }),
  };
}

/**
 * Positions of a row that are left beside `special` tokens.
 *
 * @throws TaggerError `window` if there is none
 */
export function capacityOf(
  settings: Pick<TransformerSettings, "maxPositions">,
  special: number,
  feeder: Pick<Feeder, "fixedLength">,
): number {
  const positions = Math.min(
    settings.maxPositions ?? Number.POSITIVE_INFINITY,
    feeder.fixedLength ?? Number.POSITIVE_INFINITY,
  );
  const capacity = positions - special;
  if (capacity >= 1) return Math.min(capacity, longestRow);
  throw new TaggerError(
    "window",
    `openTagger: model: positions: expected room for a subword beside ${special} special tokens, got ${positions} positions`,
  );
}

/** @throws TaggerError `tokenizer-mismatch` for ids beyond the embedding table, where its size is known */
export function checkVocabulary(
  { largestId }: Pick<WordEncoder, "largestId">,
  size: number | undefined,
): void {
  if (size !== undefined && largestId >= size) throw mismatch(largestId + 1, `${size} rows`);
}

/** The error of a tokenizer that is not the model's. */
export function mismatch(expected: number, got: string, cause?: unknown): TaggerError {
  return new TaggerError(
    "tokenizer-mismatch",
    `openTagger: tokenizer: ids: expected an embedding of at least ${expected} rows, got ${got}; is this the model's own tokenizer.json?`,
    { cause },
  );
}
