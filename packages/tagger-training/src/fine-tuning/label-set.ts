import {
  hyphenated,
  type LabelForm,
  type LabelScheme,
  outside,
  typesOf,
  writeLabel,
} from "@nasty/formats/iob";
import {
  checkLabels,
  entitiesInForm,
  type LabelledSentence,
  type LabelledSentences,
  noLabel,
  placeOf,
  TaggerError,
  type Task,
} from "@nasty/taggers";

/** Where sentences come from, for messages. */
export interface SentenceSource {
  /** `fineTune` or `distill`. */
  readonly operation: string;
  readonly name: "train" | "validation";
  readonly task: Task;
  /** Scheme of entity labels, where it is that of the sentences; seen from them unless given. */
  readonly scheme?: LabelScheme | undefined;
  /** What entity labels are turned into; IOB2 unless given. */
  readonly form?: LabelForm | undefined;
  /** Entity types of the model, where it has some. */
  readonly types?: readonly string[];
}

/**
 * Reads labelled sentences and checks them; entity labels come out in the form of the model, empty sentences are left
 * out.
 *
 * @throws TaggerError `empty` without a labelled word, `misaligned`, `labels` for a label that is none of an entity.
 */
export async function readSentences(
  sentences: LabelledSentences,
  { operation, name, task, ...entities }: SentenceSource,
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
    read.push(sentence);
  }
  if (words > 0) {
    const { form = hyphenated("IOB2"), ...source } = entities;
    return task === "pos" ? read : entitiesInForm(read, form, { where: `${operation}: ${name}`, ...source });
  }
  throw new TaggerError(
    "empty",
    `${operation}: ${name}: labelled words: expected at least 1, got 0 in ${index} sentences`,
  );
}

/**
 * The labels of training sentences: sorted for `pos`; `O`, then those of every type for `ner` (`B-` and `I-` in IOB2).
 *
 * @throws TaggerError `labels` for those that are empty or hold control characters
 */
export function labelSetOf(
  sentences: readonly LabelledSentence[],
  task: Task,
  { operation, form }: { readonly operation: string; readonly form?: LabelForm | undefined },
): string[] {
  const labels = new Set<string>();
  for (const sentence of sentences) {
    for (const label of sentence.labels) if (label !== noLabel) labels.add(label);
  }
  checkLabels([...labels], `${operation}: train`);
  if (task === "pos") return [...labels].sort();
  const entities = labelsOfForm(labels, form ?? hyphenated("IOB2"));
  checkHasEntities(entities, operation);
  return entities;
}

/** @throws TaggerError `labels` if `O` is the only label that there is to learn. */
export function checkHasEntities(labels: readonly string[], operation: string): void {
  if (labels.length > 1) return;
  throw new TaggerError(
    "labels",
    `${operation}: train: labels: expected those of at least 1 entity, such as B-PER, got none`,
  );
}

/** `O`, then every label that the types of some labels can have. */
export function labelsOfForm(labels: Iterable<string>, form: LabelForm): string[] {
  const positions = positionsOf[form.scheme];
  const all = typesOf(labels, form).flatMap((type) =>
    positions.map((position) => writeLabel({ position, type }, form)),
  );
  return [outside, ...all];
}

const positionsOf = {
  IOB1: ["B", "I"],
  IOB2: ["B", "I"],
  BIOES: ["B", "I", "E", "S"],
  BMES: ["B", "I", "E", "S"],
  IO: ["I"],
} as const;

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
