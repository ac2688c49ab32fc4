import { hyphenated } from "@nasty/formats/iob";
import { checkLabels, placeOf, TaggerError, type Task } from "@nasty/taggers";
import { labelsOfForm } from "../../fine-tuning/label-set.js";
import type { TrainingSentence } from "./training-sentence.js";

/** Labels of the task's head and of the auxiliary heads, sorted, and what text there is. */
export interface LabelSets {
  readonly labels: readonly string[];
  readonly auxiliary: Readonly<Record<string, readonly string[]>>;
  /** Names of the corpora beside the task's own text, sorted. */
  readonly corpora: readonly string[];
}

/**
 * Finds the labels that the training sentences use.
 *
 * Entity labels, which are in IOB2, get both parts of every type (`B-` and `I-`), and `O`.
 *
 * @throws TaggerError `empty` without a word; `misaligned` for a sentence with not one label a word; `labels` for those
 *   that are empty or hold control characters.
 */
export function labelSets(sentences: readonly TrainingSentence[], task: Task): LabelSets {
  const labels = new Set<string>();
  const auxiliary = new Map<string, Set<string>>();
  sentences.forEach((sentence, i) => {
    checkAligned(sentence, i, "train");
    for (const label of sentence.labels) labels.add(label);
    for (const [head, values] of Object.entries(sentence.auxiliary ?? {})) {
      const set = auxiliary.get(head) ?? new Set<string>();
      for (const value of values) if (value !== undefined) set.add(value);
      auxiliary.set(head, set);
    }
  });
  if (labels.size === 0) {
    throw new TaggerError("empty", "trainTagger: training sentences: words: expected at least 1, got 0");
  }
  checkLabels([...labels], "trainTagger: training sentences");
  const heads = [...auxiliary].filter(([, set]) => set.size > 1).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    labels: task === "pos" ? [...labels].sort() : entityLabels([...labels]),
    auxiliary: Object.fromEntries(heads.map(([head, set]) => [head, [...set].sort()])),
    corpora: [...new Set(sentences.flatMap(({ corpus }) => corpus ?? []))].sort(),
  };
}

function entityLabels(labels: readonly string[]): string[] {
  const stray = labels.find((label) => label !== "O" && !/^[BI]-./.test(label));
  if (stray !== undefined) {
    throw new TaggerError(
      "labels",
      `trainTagger: training sentences: labels: expected O, B-TYPE and I-TYPE, got ${JSON.stringify(stray)}`,
      { name: stray },
    );
  }
  return labelsOfForm(labels, hyphenated("IOB2"));
}

function checkAligned(sentence: TrainingSentence, index: number, where: string): void {
  const { words, labels, auxiliary = {} } = sentence;
  const lists = [labels, ...Object.values(auxiliary)];
  const wrong = lists.find((list) => list.length !== words.length);
  if (wrong === undefined) return;
  const { text, line } = placeOf(sentence, index, 0);
  throw new TaggerError(
    "misaligned",
    `trainTagger: ${where}: ${text}: labels: expected ${words.length} (one a word), got ${wrong.length}`,
    { line },
  );
}

/**
 * Checks that validation can be scored with the labels of training.
 *
 * @throws TaggerError `empty`, `misaligned`, or `unknown-label` for a label that only validation has.
 */
export function checkValidation(sentences: readonly TrainingSentence[], labels: readonly string[]): void {
  const known = new Set(labels);
  let words = 0;
  sentences.forEach((sentence, i) => {
    checkAligned(sentence, i, "validation");
    words += sentence.words.length;
    sentence.labels.forEach((name, w) => {
      if (known.has(name)) return;
      const { text, line } = placeOf(sentence, i, w);
      throw new TaggerError(
        "unknown-label",
        `trainTagger: validation: ${text}: label: expected one of those in training (${[...known].join(", ")}), got ${JSON.stringify(name)}`,
        { name, line },
      );
    });
  });
  if (words > 0) return;
  throw new TaggerError("empty", "trainTagger: validation sentences: words: expected at least 1, got 0");
}

/**
 * Checks that no sentence is longer than one step may hold.
 *
 * @throws TaggerError `window`.
 */
export function checkLengths(sentences: readonly TrainingSentence[], longest: number): void {
  const at = sentences.findIndex(({ words }) => words.length > longest);
  const sentence = sentences[at];
  if (sentence === undefined) return;
  const { text, line } = placeOf(sentence, at, 0);
  throw new TaggerError(
    "window",
    `trainTagger: train: ${text}: words of the sentence: expected at most ${longest} (longestSentence), got ${sentence.words.length}`,
    { line },
  );
}
