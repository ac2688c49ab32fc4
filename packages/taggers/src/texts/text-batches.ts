import type { ValueInfo } from "@nasty/runtime";
import { evenBatches } from "../tagging/batches.js";
import type { IdRow } from "../tagging/rows.js";
import type { RunInputs } from "../tagging/skeleton.js";
import { makeFeeder } from "../transformer/feeds.js";
import type { TextInputSettings } from "../transformer/settings.js";
import { makeTextEncoder } from "../transformer/text-encoder.js";
import { capacityOf, checkVocabulary } from "../transformer/transformer-tagger.js";

/** What a model of whole texts is given: a text, or two that are judged together. */
export interface TextSample {
  readonly text: string;
  readonly pair?: string | undefined;
}

/** Texts in memory or streamed. */
export type Texts = Iterable<TextSample> | AsyncIterable<TextSample>;

/** How texts are put into batches. */
export interface TextBatchOptions {
  /** Texts that share a run. Default 8; a model that fixes its rows has its own number. */
  readonly batchSize?: number;
  /** Looked at before each run. */
  readonly signal?: AbortSignal | undefined;
}

/** The inputs of one run, and the places of its texts among all. */
export interface TextBatch extends RunInputs {
  readonly indices: readonly number[];
}

/** Texts as the inputs of a model. */
export interface TextBatches {
  /** The inputs of a text whose last special token is the largest id that any text can get. */
  readonly trial: RunInputs & { readonly largestId: number };
  /**
   * Batches of like length, of at most 256 texts read ahead; with a batch size of 1 in the order of the texts. A text
   * is cut at its end to the positions that the model has, of a pair the longer one first.
   */
  of(texts: Texts, options?: TextBatchOptions): AsyncGenerator<TextBatch>;
}

interface IndexedRow extends IdRow {
  readonly index: number;
}

const defaults = { batchSize: 8, batchTokens: 4096, lookAhead: 256 } as const;
/** Longest row over the shortest that it shares a run with. */
const mostStretch = 1.25;

/**
 * What turns texts into the inputs of a model.
 *
 * @param inputs of the graph, which say what tensors are wanted
 * @throws TaggerError `tokenizer`, `tokenizer-mismatch`, `model-inputs`, `window`
 */
export function makeTextBatches(inputs: readonly ValueInfo[], settings: TextInputSettings): TextBatches {
  const encoder = makeTextEncoder(settings.tokenizer);
  const { special, padId, largestId } = encoder;
  const feeder = makeFeeder({ inputs }, { special, padId, positionOffset: settings.positionOffset });
  const around = special.before.length + special.after.length;
  const most = capacityOf(settings, around, feeder) + around;
  checkVocabulary({ largestId }, settings.vocabularySize);
  const { ids, types } = encoder.encode("", undefined, most);
  const trial = { ids: Int32Array.from(ids).fill(largestId, ids.length - 1), types };
  return {
    trial: { ...feeder.feed([trial]), largestId },
    async *of(texts, { batchSize = defaults.batchSize, signal } = {}) {
      const size = feeder.fixedRows ?? batchSize;
      const limits = { batchSize: size, batchTokens: defaults.batchTokens };
      const lookAhead = size === 1 ? 1 : defaults.lookAhead;
      let block: IndexedRow[] = [];
      let index = 0;
      function* batches(): Generator<TextBatch> {
        for (const rows of evenBatches(block, limits, (shortest) => shortest * mostStretch + 1)) {
          signal?.throwIfAborted();
          yield { indices: rows.map((row) => row.index), ...feeder.feed(rows) };
        }
        block = [];
      }
      for await (const { text, pair } of texts) {
        signal?.throwIfAborted();
        block.push({ ...encoder.encode(text, pair, most), index: index++ });
        if (block.length >= lookAhead) yield* batches();
      }
      yield* batches();
    },
  };
}
