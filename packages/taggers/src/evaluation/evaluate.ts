import type { LabelScheme } from "@nasty/formats/iob";
import { TaggerError } from "../tagger-error.js";
import type { BatchOptions, Tagger } from "../tagger.js";
import { type Labelling, labellingOf } from "../task.js";
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
import { goldLabelling, namesNoTypes } from "./gold-labelling.js";
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
  /** What the judged labels were taken for, and why. */
  readonly labelling: Labelling;
  /** What the gold labels were taken for: entities of another scheme are compared as entities. */
  readonly goldLabelling: Labelling;
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
  /** Scheme of the gold labels, where it is theirs; seen from them unless given. */
  readonly scheme?: LabelScheme | undefined;
  /**
   * Run sentences together as the tagger does when it tags, and so judge a dynamic int8 model as it is used. Default
   * false.
   */
  readonly asTagged?: boolean;
  /** Called after each sentence with how many are done. */
  readonly onProgress?: (sentences: number) => void;
}

/**
 * Tags the words of labelled sentences and counts how well.
 *
 * `pos`: accuracy = right words / gold words. `ner`: F1 = 2PR/(P+R) over exact (span, type) entities, as conlleval
 * (conlleval.pl of CoNLL-2000) counts them; gold and prediction may be of different schemes. Where one of them names no
 * types, only the places of entities are compared.
 *
 * @param tagger any tagger; it is not closed.
 * @param sentences gold words and labels; UPOS is streamed, entity labels are read first to find their scheme.
 * @returns figures in 0..1, one row for each label, counts and predictions for each sentence.
 * @throws TaggerError `unknown-label` if the gold standard has a label (`ner`: an entity type) the model does not know,
 *   `labels` for a `scheme` that is nobody's, `empty` if there is no word at all, `misaligned` if a sentence has not
 *   one label a word.
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
  const { path, scheme } = options;
  const labelling = labellingOfTagger(tagger);
  const isPos = labelling.task === "pos";
  const given = isPos ? sentences : await checkedSentences(sentences, path);
  const gold = isPos
    ? labelling
    : goldLabelling(given as LabelledSentence[], tagger.labels, labelling, {
        operation: "evaluate",
        path,
        scheme,
      });
  const ignoreTypes = namesNoTypes(gold, labelling);
  const counter = makeCounter(labelling.task, { gold: gold.form, predicted: labelling.form, ignoreTypes });
  const known = new Set(tagger.labels);
  // Sentences the tagger has pulled but not answered yet: at most its look-ahead.
  const waiting: (readonly string[])[] = [];
  const sentenceCounts: Counts[] = [];
  const predictions: (readonly string[])[] = [];
  let tokens = 0;
  let read = 0;
  let readingMilliseconds = 0;

  async function* words(): AsyncGenerator<readonly string[]> {
    let before = performance.now();
    for await (const sentence of given) {
      if (isPos) checkGold(sentence, read++, { known, labels: tagger.labels, path });
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
    sentenceCounts.push(counter.add(waiting.shift() as readonly string[], predicted));
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
  const metric = metricOf(labelling.task);
  return {
    task: labelling.task,
    metric,
    value: valueOf(metric, counter.total),
    precision: precisionOf(counter.total),
    recall: recallOf(counter.total),
    sentences: predictions.length,
    tokens,
    perLabel: counter.rows(),
    sentenceCounts,
    labelling,
    goldLabelling: gold,
    predictions,
    msPerSentence: milliseconds / predictions.length,
    tokensPerSecond: (tokens / milliseconds) * 1000,
  };
}

/** What a tagger's labels are: as it says itself, or seen from them. */
export function labellingOfTagger({ labelling, labels, task }: Tagger): Labelling {
  return labelling ?? labellingOf(labels, { task }, "model");
}

/** Entity labels mean something only together: all are read before the first sentence is tagged. */
async function checkedSentences(
  sentences: LabelledSentences,
  path: string | undefined,
): Promise<LabelledSentence[]> {
  const all: LabelledSentence[] = [];
  for await (const sentence of sentences) {
    checkAligned(sentence, all.length, path);
    all.push(sentence);
  }
  return all;
}

function checkAligned(sentence: LabelledSentence, index: number, path: string | undefined): void {
  const { words, labels } = sentence;
  if (words.length === labels.length) return;
  const place = placeOf(sentence, index, 0, path);
  throw new TaggerError(
    "misaligned",
    `evaluate: ${place.text}: labels: expected ${words.length} (one a word), got ${labels.length}`,
    { line: place.line, path },
  );
}

interface KnownLabels {
  readonly known: ReadonlySet<string>;
  readonly labels: readonly string[];
  readonly path: string | undefined;
}

function checkGold(sentence: LabelledSentence, index: number, { known, labels, path }: KnownLabels): void {
  checkAligned(sentence, index, path);
  sentence.labels.forEach((label, i) => {
    if (known.has(label)) return;
    const place = placeOf(sentence, index, i, path);
    throw new TaggerError(
      "unknown-label",
      `evaluate: ${place.text}: label of "${sentence.words[i]}": expected one of ${labels.join(", ")} (the pos model's labels), got "${label}"`,
      { name: label, line: place.line, path },
    );
  });
}
