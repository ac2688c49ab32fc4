import { TaggerError } from "../tagger-error.js";
import { type Task, taskOf } from "../task.js";
import { type Counts, makeCounter, metricOf, precisionOf, recallOf, valueOf } from "./counts.js";
import type { Score } from "./evaluate.js";
import { type LabelledSentence, type LabelledSentences, placeOf } from "./labelled-sentence.js";

export interface ScoreOptions {
  /** Found from the gold labels if not given: chunk labels and `O` only mean `ner`. */
  readonly task?: Task;
  /** Names of the two files, for messages. */
  readonly goldPath?: string;
  readonly systemPath?: string;
}

/**
 * Compares the labels of a system's file with the gold standard's, word by word.
 *
 * The same figures as {@link evaluate}; the two files must hold the same sentences and words in the same order. A label
 * that only one side has is a wrong label, not an error.
 *
 * @param gold right labels, streamed beside `system`; if no task is given the gold file is read whole to find it.
 * @param system labels to be judged.
 * @throws TaggerError `misaligned` at the first word, or sentence end, that differs, naming its line; `empty`.
 *
 * @example
 * ```ts
 * const { value } = await score([{ words: ["a"], labels: ["DET"] }], [{ words: ["a"], labels: ["NOUN"] }]); // 0
 * ```
 */
export async function score(
  gold: LabelledSentences,
  system: LabelledSentences,
  options: ScoreOptions = {},
): Promise<Score> {
  let goldSentences = gold;
  let task = options.task;
  if (task === undefined) {
    const all = await collect(gold);
    task = taskOf([...new Set(all.flatMap((sentence) => sentence.labels))]);
    goldSentences = all;
  }
  const counter = makeCounter(task);
  const sentenceCounts: Counts[] = [];
  let tokens = 0;
  const systemIterator = iterate(system);
  try {
    for await (const goldSentence of goldSentences) {
      const index = sentenceCounts.length;
      const { value: systemSentence, done } = await systemIterator.next();
      if (done) {
        const place = placeOf(goldSentence, index, 0, options.goldPath);
        throw misaligned(
          place,
          `sentence ${index + 1}`,
          "a sentence in the system file too",
          "its end",
          options,
        );
      }
      checkAligned(goldSentence, systemSentence, index, options);
      sentenceCounts.push(counter.add(goldSentence.labels, systemSentence.labels));
      tokens += goldSentence.words.length;
    }
    const extra = await systemIterator.next();
    if (!extra.done) {
      const place = placeOf(extra.value, sentenceCounts.length, 0, options.systemPath);
      const expected = `${sentenceCounts.length} as in the gold file`;
      throw misaligned(place, "sentences", expected, "more", options);
    }
  } finally {
    await systemIterator.return(undefined);
  }
  if (tokens === 0) {
    throw new TaggerError("empty", `score: ${options.goldPath ?? "gold"}: words: expected at least 1, got 0`);
  }
  const metric = metricOf(task);
  return {
    task,
    metric,
    value: valueOf(metric, counter.total),
    precision: precisionOf(counter.total),
    recall: recallOf(counter.total),
    sentences: sentenceCounts.length,
    tokens,
    perLabel: counter.rows(),
    sentenceCounts,
  };
}

function checkAligned(
  gold: LabelledSentence,
  system: LabelledSentence,
  index: number,
  options: ScoreOptions,
): void {
  const length = Math.max(gold.words.length, system.words.length);
  for (let i = 0; i < length; i++) {
    const expected = gold.words[i];
    const got = system.words[i];
    if (expected === got) continue;
    // A word too many stands in the system file; a word too few is where that file's sentence ends.
    const at = Math.min(i, system.words.length - 1);
    const place = placeOf(system, index, at, options.systemPath);
    throw misaligned(place, `word ${i + 1} of sentence ${index + 1}`, shown(expected), shown(got), options);
  }
}

const shown = (word: string | undefined): string => (word === undefined ? "the sentence's end" : `"${word}"`);

function misaligned(
  place: { readonly text: string; readonly line: number | undefined },
  what: string,
  expected: string,
  got: string,
  options: ScoreOptions,
): TaggerError {
  return new TaggerError("misaligned", `score: ${place.text}: ${what}: expected ${expected}, got ${got}`, {
    line: place.line,
    path: options.systemPath,
  });
}

async function collect(sentences: LabelledSentences): Promise<LabelledSentence[]> {
  const all: LabelledSentence[] = [];
  for await (const sentence of sentences) all.push(sentence);
  return all;
}

async function* iterate(sentences: LabelledSentences): AsyncGenerator<LabelledSentence, undefined> {
  yield* sentences;
  return undefined;
}
