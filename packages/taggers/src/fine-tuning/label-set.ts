import { FormatError, convertLabels } from "@nasty/formats/iob";
import { type LabelledSentence, type LabelledSentences, placeOf } from "../evaluation/labelled-sentence.js";
import { TaggerError } from "../tagger-error.js";
import { entityTypes, type Task } from "../task.js";

/** A column without a value, as CoNLL-U writes it: the word is read but not learned from. */
const noLabel = "_";

/** Where sentences come from, for messages. */
export interface SentenceSource {
  /** `fineTune` or `distill`. */
  readonly operation: string;
  readonly name: "train" | "validation";
  readonly task: Task;
}

/**
 * Reads labelled sentences and checks them; entity labels come out as IOB2, empty sentences are left out.
 *
 * @throws TaggerError `empty` without a labelled word, `misaligned`, `labels` for a label that is no chunk label.
 */
export async function readSentences(
  sentences: LabelledSentences,
  { operation, name, task }: SentenceSource,
): Promise<LabelledSentence[]> {
  const read: LabelledSentence[] = [];
  let index = 0;
  let words = 0;
  for await (const sentence of sentences) {
    const place = placeOf(sentence, index++, 0);
    if (sentence.labels.length !== sentence.words.length) {
      throw new TaggerError(
        "misaligned",
        `${operation}: ${name}: ${place.text}: labels: expected ${sentence.words.length} (one a word), got ${sentence.labels.length}`,
        { line: place.line },
      );
    }
    if (sentence.words.length === 0) continue;
    words += sentence.labels.filter((label) => label !== noLabel).length;
    read.push(
      task === "ner" ? { ...sentence, labels: chunks(sentence.labels, operation, place.text) } : sentence,
    );
  }
  if (words > 0) return read;
  throw new TaggerError(
    "empty",
    `${operation}: ${name}: labelled words: expected at least 1, got 0 in ${index} sentences`,
  );
}

function chunks(labels: readonly string[], operation: string, place: string): string[] {
  try {
    return convertLabels(labels, "IOB2");
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new TaggerError(
      "labels",
      `${operation}: ${place}: label: expected O or a chunk label, got another`,
      {
        cause,
      },
    );
  }
}

/**
 * The labels of training sentences: sorted for `pos`; `O`, then `B-` and `I-` of every type for `ner`.
 */
export function labelSetOf(sentences: readonly LabelledSentence[], task: Task): string[] {
  const labels = new Set<string>();
  for (const sentence of sentences) {
    for (const label of sentence.labels) if (label !== noLabel) labels.add(label);
  }
  if (task === "pos") return [...labels].sort();
  return ["O", ...entityTypes([...labels]).flatMap((type) => [`B-${type}`, `I-${type}`])];
}

/**
 * Index of each label of a sentence, −100 for words without one.
 *
 * @throws TaggerError `unknown-label` with the word's place.
 */
export function labelIndices(
  sentence: LabelledSentence,
  index: number,
  { labels, source }: { readonly labels: ReadonlyMap<string, number>; readonly source: SentenceSource },
): Int32Array {
  return Int32Array.from(sentence.labels, (label, word) => {
    const found = labels.get(label);
    if (found !== undefined) return found;
    if (label === noLabel) return ignoredLabel;
    const { text, line } = placeOf(sentence, index, word);
    throw new TaggerError(
      "unknown-label",
      `${source.operation}: ${source.name}: ${text}: label of "${sentence.words[word]}": expected one of those in training (${[...labels.keys()].join(", ")}), got "${label}"`,
      { name: label, line },
    );
  });
}

/** What the loss leaves out. */
export const ignoredLabel = -100;
