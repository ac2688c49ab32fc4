import { TaggerError } from "../tagger-error.js";
import type { BatchOptions, Tagger } from "../tagger.js";
import { entityType, entityTypes } from "../task.js";
import {
  type Counts,
  type LabelRow,
  type Metric,
  makeCounter,
  metricOf,
  precisionOf,
  recallOf,
  valueOf,
} from "./counts.js";
import { type LabelledSentence, type LabelledSentences, placeOf } from "./labelled-sentence.js";

/** Figures of one output against the gold standard. */
export interface Score {
  readonly task: "pos" | "ner";
  readonly metric: Metric;
  /** Accuracy or micro F1, 0..1. */
  readonly value: number;
  readonly precision: number;
  readonly recall: number;
  readonly sentences: number;
  readonly tokens: number;
  readonly perLabel: readonly LabelRow[];
  /** Counts of each sentence, for {@link lossInterval}. */
  readonly sentenceCounts: readonly Counts[];
}

/** Figures of a tagger: {@link Score}, its labels, and the time it took. */
export interface Evaluation extends Score {
  /** Predicted labels of each sentence, for {@link flips}. */
  readonly predictions: readonly (readonly string[])[];
  /** Encoding and model, without reading the file. */
  readonly msPerSentence: number;
  readonly tokensPerSecond: number;
}

/** Batches are of one sentence unless `batchSize` or `asTagged` says otherwise. */
export interface EvaluateOptions extends BatchOptions {
  /** Name of the file the sentences come from, for messages. */
  readonly path?: string;
  /** Run sentences together as the tagger does when it tags, and so judge a dynamic int8 model as it is used. Default false. */
  readonly asTagged?: boolean;
  /** Called after each sentence with how many are done. */
  readonly onProgress?: (sentences: number) => void;
}

/**
 * Tags the words of labelled sentences and counts how well.
 *
 * `pos`: accuracy = right words / gold words. `ner`: F1 = 2PR/(P+R) over exact (span, type) entities, as conlleval
 * (conlleval.pl of CoNLL-2000) counts them; gold and prediction may use different chunk schemes (IOB1, IOB2, BIOES).
 *
 * @param tagger any tagger; it is not closed.
 * @param sentences gold words and labels, streamed; labels are words of the task (UPOS, or chunk labels).
 * @returns figures in 0..1, one row for each label, counts and predictions for each sentence.
 * @throws TaggerError `unknown-label` if the gold standard has a label (`ner`: an entity type) the model does not know,
 *   `empty` if there is no word at all, `misaligned` if a sentence has not one label a word.
 *
 * @example
 * ```ts
 * const { value } = await evaluate(tagger, [{ words: ["Time", "flies"], labels: ["NOUN", "VERB"] }]);
 * ```
 */
export async function evaluate(
  tagger: Tagger,
  sentences: LabelledSentences,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const counter = makeCounter(tagger.task);
  const known = knownLabels(tagger);
  // Sentences the tagger has pulled but not answered yet: at most its look-ahead.
  const waiting: (readonly string[])[] = [];
  const sentenceCounts: Counts[] = [];
  const predictions: (readonly string[])[] = [];
  let tokens = 0;
  let read = 0;
  let readingMilliseconds = 0;

  async function* words(): AsyncGenerator<readonly string[]> {
    let before = performance.now();
    for await (const sentence of sentences) {
      checkGold(sentence, read++, known, tagger, options.path);
      waiting.push(sentence.labels);
      tokens += sentence.words.length;
      readingMilliseconds += performance.now() - before;
      yield sentence.words;
      before = performance.now();
    }
    readingMilliseconds += performance.now() - before;
  }

  const start = performance.now();
  // One by one unless told otherwise: a quantized model's labels depend on what shares its batch.
  const batches = options.asTagged === true ? options : { ...options, batchSize: options.batchSize ?? 1 };
  for await (const predicted of tagger.tag(words(), batches)) {
    const gold = waiting.shift() as readonly string[];
    sentenceCounts.push(counter.add(gold, predicted));
    predictions.push(predicted);
    options.onProgress?.(predictions.length);
  }
  const milliseconds = performance.now() - start - readingMilliseconds;
  if (tokens === 0) {
    throw new TaggerError(
      "empty",
      `evaluate: ${options.path ?? "sentences"}: words: expected at least 1, got 0`,
      { path: options.path },
    );
  }
  const metric = metricOf(tagger.task);
  return {
    task: tagger.task,
    metric,
    value: valueOf(metric, counter.total),
    precision: precisionOf(counter.total),
    recall: recallOf(counter.total),
    sentences: predictions.length,
    tokens,
    perLabel: counter.rows(),
    sentenceCounts,
    predictions,
    msPerSentence: milliseconds / predictions.length,
    tokensPerSecond: (tokens / milliseconds) * 1000,
  };
}

interface KnownLabels {
  readonly has: (label: string) => boolean;
  readonly expected: string;
}

/** For entities what counts is the type: the schemes differ in prefixes, and both sides are chunked before they are compared. */
function knownLabels(tagger: Tagger): KnownLabels {
  if (tagger.task === "pos") {
    const labels = new Set(tagger.labels);
    return { has: (label) => labels.has(label), expected: `one of ${tagger.labels.join(", ")}` };
  }
  const types = entityTypes(tagger.labels);
  return {
    has: (label) => label === "O" || types.includes(entityType(label) ?? ""),
    expected: `O or a chunk label of ${types.join(", ")}`,
  };
}

function checkGold(
  sentence: LabelledSentence,
  index: number,
  known: KnownLabels,
  tagger: Tagger,
  path: string | undefined,
): void {
  const { words, labels } = sentence;
  if (words.length !== labels.length) {
    const place = placeOf(sentence, index, 0, path);
    throw new TaggerError(
      "misaligned",
      `evaluate: ${place.text}: labels: expected ${words.length} (one a word), got ${labels.length}`,
      { line: place.line, path },
    );
  }
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as string;
    if (known.has(label)) continue;
    const place = placeOf(sentence, index, i, path);
    throw new TaggerError(
      "unknown-label",
      `evaluate: ${place.text}: label of "${words[i]}": expected ${known.expected} (the ${tagger.task} model's labels), got "${label}"`,
      { name: label, line: place.line, path },
    );
  }
}
