import { formInScheme, isHelperLabel, labelReader, type LabelScheme, outside } from "@nasty/formats/iob";
import { TaggerError } from "../tagger-error.js";
import { type Labelling, labellingOfSentences } from "../task.js";
import { type LabelledSentence, placeOf } from "./labelled-sentence.js";

/** What gold labels are read beside. */
export interface GoldSource {
  /** What reads them, for messages. */
  readonly operation: string;
  readonly path?: string | undefined;
  /** A scheme that the user named: of the gold labels, of the model's, or of both. */
  readonly scheme?: LabelScheme | undefined;
}

/**
 * Finds the form of gold entity labels that a model's are compared with, or converted to. The two may differ: what
 * counts is the entities.
 *
 * @param model what the model's labels are
 * @throws TaggerError `unknown-label` with its place for a label of no entity, or of a type that the model does not
 *   know; `labels` if a scheme was named that is neither the gold labels' nor the model's
 */
export function goldLabelling(
  sentences: readonly LabelledSentence[],
  modelLabels: readonly string[],
  model: Labelling,
  source: GoldSource,
): Labelling {
  const { scheme } = source;
  const gold = labellingOfSentences(
    sentences.map(({ labels }) => labels),
    { task: "ner", scheme, types: model.types },
  );
  if (scheme !== undefined)
    checkIsOfOne(scheme, [modelLabels, sentences.flatMap(({ labels }) => labels)], source);
  checkKnown(sentences, gold, model, source);
  return gold;
}

/**
 * Whether only the places of entities can be compared, since one side names no types.
 */
export function namesNoTypes(one: Labelling, other: Labelling): boolean {
  return (one.scheme === "untyped") !== (other.scheme === "untyped");
}

/** @throws TaggerError `labels` if a scheme that was named is that of none of the label sets. */
export function checkIsOfOne(
  scheme: LabelScheme,
  sets: readonly (readonly string[])[],
  { operation, path }: Pick<GoldSource, "operation" | "path">,
): void {
  if (sets.some((labels) => formInScheme(labels, scheme) !== undefined)) return;
  const got = sets.map((labels) => [...new Set(labels)].slice(0, 12).join(", ")).join("; and ");
  throw new TaggerError(
    "labels",
    `${operation}: ${path === undefined ? "" : `${path}: `}scheme: expected labels of ${scheme} on one side at least, got ${got}`,
    { name: "scheme", path },
  );
}

function checkKnown(
  sentences: readonly LabelledSentence[],
  gold: Labelling,
  model: Labelling,
  { operation, path }: GoldSource,
): void {
  const types = new Set(model.types);
  const strangers = new Set(gold.foreign.filter((label) => !isHelperLabel(label)));
  const isStrange =
    gold.form === undefined
      ? (label: string): boolean => label !== outside && !isHelperLabel(label)
      : (label: string): boolean => strangers.has(label);
  const comparesTypes = !namesNoTypes(gold, model);
  const strangeTypes = comparesTypes ? gold.types.filter((type) => !types.has(type)) : [];
  const hasStrangeType = new Set(labelsOfTypes(sentences, gold, strangeTypes));
  if (gold.form !== undefined && strangers.size === 0 && hasStrangeType.size === 0) return;
  sentences.forEach((sentence, index) => {
    sentence.labels.forEach((label, word) => {
      if (!isStrange(label) && !hasStrangeType.has(label)) return;
      const place = placeOf(sentence, index, word, path);
      throw new TaggerError(
        "unknown-label",
        `${operation}: ${place.text}: label of "${sentence.words[word]}": expected O or a label of ${model.types.join(", ")} (the ner model's types), got "${label}"`,
        { name: label, line: place.line, path },
      );
    });
  });
}

function labelsOfTypes(
  sentences: readonly LabelledSentence[],
  { form }: Labelling,
  types: readonly string[],
): string[] {
  if (form === undefined || types.length === 0) return [];
  const read = labelReader(form);
  const wanted = new Set(types);
  const labels = new Set(sentences.flatMap((sentence) => sentence.labels));
  return [...labels].filter((label) => {
    const part = read(label);
    return part !== undefined && wanted.has(part.type);
  });
}
