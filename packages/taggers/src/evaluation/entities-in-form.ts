import {
  isHelperLabel,
  type LabelForm,
  type LabelScheme,
  labelsOf,
  makeSpanReader,
  outside,
} from "@nasty/formats/iob";
import { TaggerError } from "../tagger-error.js";
import type { Tagger } from "../tagger.js";
import { labellingOfSentences } from "../task.js";
import { labellingOfTagger } from "./evaluate.js";
import { type LabelledSentence, noLabel, placeOf } from "./labelled-sentence.js";

export interface EntitySource {
  /** What reads the sentences, such as `fineTune: train`, for messages. */
  readonly where: string;
  /** Scheme of their labels, where it is theirs; seen from them unless given. */
  readonly scheme?: LabelScheme | undefined;
  /** Types that the model has. */
  readonly types?: readonly string[];
}

/**
 * Sentences with the same entities in the form of a model. Helper labels (`[SEP]`, `X`) are outside of entities; `_`
 * stays.
 *
 * @param sentences in any scheme, which is found from all of them together
 * @throws TaggerError `labels` with its place for a label of no entity
 */
export function entitiesInForm<Sentence extends LabelledSentence>(
  sentences: readonly Sentence[],
  to: LabelForm,
  { where, scheme, types }: EntitySource,
): Sentence[] {
  const { form, foreign } = labellingOfSentences(
    sentences.map(({ labels }) => labels),
    { task: "ner", scheme, ...(types === undefined ? {} : { types }) },
  );
  const strange = new Set(foreign.filter((label) => !isHelperLabel(label)));
  const isStrange = (label: string): boolean =>
    form === undefined ? label !== outside && !isHelperLabel(label) : strange.has(label);
  const spansOf = form === undefined ? () => [] : makeSpanReader(form);
  return sentences.map((sentence, index) => {
    const { labels } = sentence;
    const at = labels.findIndex(isStrange);
    if (at >= 0) throw strangeLabel(sentence, index, at, where);
    const written = labelsOf(spansOf(labels), labels.length, to);
    return { ...sentence, labels: written.map((label, i) => (labels[i] === noLabel ? noLabel : label)) };
  });
}

/**
 * Sentences with labels as a tagger would give them: entities in its scheme.
 *
 * @throws TaggerError `labels` with its place for a label of no entity
 */
export function labelledAs<Sentence extends LabelledSentence>(
  tagger: Tagger,
  sentences: readonly Sentence[],
  source: EntitySource,
): readonly Sentence[] {
  const { form, types } = labellingOfTagger(tagger);
  return form === undefined ? sentences : entitiesInForm(sentences, form, { types, ...source });
}

function strangeLabel(sentence: LabelledSentence, index: number, at: number, where: string): TaggerError {
  const { text, line } = placeOf(sentence, index, at);
  const label = sentence.labels[at] as string;
  return new TaggerError(
    "labels",
    `${where}: ${text}: label of "${sentence.words[at]}": expected O or an entity label such as B-PER, got ${JSON.stringify(label)}`,
    { name: label, line },
  );
}
