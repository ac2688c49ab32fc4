import { isHelperLabel, outside } from "@nasty/formats/iob";
import { TaggerError } from "../tagger-error.js";
import { type LabelChoice, type Labelling, labellingOfSentences } from "../task.js";
import { type Counts, makeCounter, metricOf, precisionOf, recallOf, valueOf } from "./counts.js";
import type { Score } from "./evaluate.js";
import { checkIsOfOne, namesNoTypes } from "./gold-labelling.js";
import { type LabelledSentence, type LabelledSentences, placeOf } from "./labelled-sentence.js";

/** Task and scheme are seen from the labels of both files unless given; a scheme is that of one file at least. */
export interface ScoreOptions extends LabelChoice {
  /** Names of the two files, for messages. */
  readonly goldPath?: string;
  readonly systemPath?: string;
}

/**
 * Compares the labels of a system's file with the gold standard's, word by word.
 *
 * The same figures as {@link evaluate}; the two files must hold the same sentences and words in the same order. A label
 * that only one side has is a wrong label, not an error; one that no scheme knows (`[SEP]`) is outside of entities.
 *
 * @param gold right labels; both files are read whole, to find what they label.
 * @param system labels to be judged.
 * @throws TaggerError `misaligned` at the first word, or sentence end, that differs, naming its line; `empty`; `labels`
 *   for a scheme that is neither file's; `option` for one of parts of speech.
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
  const goldSentences = await collect(gold);
  const systemSentences = await collect(system);
  goldSentences.forEach((sentence, index) => {
    const judged = systemSentences[index];
    if (judged === undefined) {
      const place = placeOf(sentence, index, 0, options.goldPath);
      const what = `sentence ${index + 1}`;
      throw misaligned(place, what, "a sentence in the system file too", "its end", options);
    }
    checkAligned(sentence, judged, index, options);
  });
  const extra = systemSentences[goldSentences.length];
  if (extra !== undefined) {
    const place = placeOf(extra, goldSentences.length, 0, options.systemPath);
    const expected = `${goldSentences.length} as in the gold file`;
    throw misaligned(place, "sentences", expected, "more", options);
  }
  const tokens = goldSentences.reduce((sum, { words }) => sum + words.length, 0);
  if (tokens === 0) {
    throw new TaggerError("empty", `score: ${options.goldPath ?? "gold"}: words: expected at least 1, got 0`);
  }
  const sides = labellings(goldSentences, systemSentences, options);
  const { task } = sides.gold;
  if (task === "ner" && sides.gold.form === undefined) checkOutside(goldSentences, options.goldPath);
  const counter = makeCounter(task, {
    gold: sides.gold.form,
    predicted: sides.system.form,
    ignoreTypes: namesNoTypes(sides.gold, sides.system),
  });
  const sentenceCounts = goldSentences.map(
    ({ labels }, index): Counts => counter.add(labels, (systemSentences[index] as LabelledSentence).labels),
  );
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
    labelling: sides.system,
    goldLabelling: sides.gold,
  };
}

/**
 * The gold labels say what is labelled; where they leave it open (bare types, or `O` alone), the system's may say it.
 */
function labellings(
  gold: readonly LabelledSentence[],
  system: readonly LabelledSentence[],
  { task: chosen, scheme, systemPath }: ScoreOptions,
): { readonly gold: Labelling; readonly system: Labelling } {
  const [goldLabels, systemLabels] = [gold.map(({ labels }) => labels), system.map(({ labels }) => labels)];
  const choice = { task: chosen, scheme };
  const first = labellingOfSentences(goldLabels, choice);
  const other = labellingOfSentences(systemLabels, { ...choice, types: first.types });
  if (scheme !== undefined) {
    checkIsOfOne(scheme, [goldLabels.flat(), systemLabels.flat()], { operation: "score", path: systemPath });
  }
  const isOpen = first.task === "pos" && first.isAmbiguous && other.task === "ner";
  const task = chosen ?? (isOpen || scheme !== undefined ? "ner" : first.task);
  const own = isOpen ? labellingOfSentences(goldLabels, { task, scheme, types: other.types }) : first;
  if (task === other.task && task === own.task) return { gold: own, system: other };
  return {
    gold: labellingOfSentences(goldLabels, { task, scheme, types: other.types }),
    system: labellingOfSentences(systemLabels, { task, scheme, types: own.types }),
  };
}

/** Gold labels that are said to be of entities, and of which none is. */
function checkOutside(gold: readonly LabelledSentence[], path: string | undefined): void {
  gold.forEach((sentence, index) => {
    const word = sentence.labels.findIndex((label) => label !== outside && !isHelperLabel(label));
    if (word < 0) return;
    const place = placeOf(sentence, index, word, path);
    const label = sentence.labels[word] as string;
    throw new TaggerError(
      "labels",
      `score: ${place.text}: label of "${sentence.words[word]}": expected an entity label such as B-PER, or O, got "${label}"; if each label is the name of an entity type, the scheme is IO`,
      { name: label, line: place.line, path },
    );
  });
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
