import { commentValue, type Sentence, words as wordsOf } from "@nasty/formats/conllu";
import {
  findFormOfSentences,
  hyphenated,
  type LabelledSentence as ColumnSentence,
  labelsOf,
  makeSpanReader,
} from "@nasty/formats/iob";
import { type LabelledSentence, labelledWords } from "@nasty/taggers";

/** A labelled sentence to learn from. */
export interface TrainingSentence extends LabelledSentence {
  /** Labels of heads that help while training, by head; a word without one has undefined. */
  readonly auxiliary?: Readonly<Record<string, readonly (string | undefined)[]>>;
  /** How often the sentence is seen in an epoch, on average: 1 unless given; 0.5 is a coin toss each epoch. */
  readonly weight?: number;
  /**
   * Name of the corpus that the sentence is from, where its labels follow other conventions than the task's own text,
   * which has none. What is peculiar to a corpus is learned by vectors of its own, which the model is written without.
   */
  readonly corpus?: string | undefined;
}

/** "_" stands for a value that is not given. */
const given = (value: string): string | undefined => (value === "_" ? undefined : value);

/**
 * Sentences of CoNLL-U for part-of-speech training: UPOS, with XPOS and FEATS as auxiliary labels.
 *
 * A FEATS of `_` is a label of its own if any word of the sentences has FEATS ("has no features"); an XPOS of `_` is
 * none.
 */
export async function posSentences(
  sentences: Iterable<Sentence> | AsyncIterable<Sentence>,
): Promise<TrainingSentence[]> {
  const out: TrainingSentence[] = [];
  let hasFeats = false;
  const all: Sentence[] = [];
  for await (const sentence of sentences) all.push(sentence);
  for (const sentence of all) hasFeats ||= wordsOf(sentence).some(({ feats }) => feats !== "_");
  let at = 0;
  for await (const labelled of labelledWords(all)) {
    const words = wordsOf(all[at++] as Sentence);
    const xpos = words.map((word) => given(word.xpos));
    const feats = hasFeats ? words.map((word) => word.feats) : undefined;
    out.push({ ...labelled, auxiliary: { xpos, ...(feats && { feats }) } });
  }
  return out;
}

export interface NerSentenceOptions {
  /** Sentences of CoNLL-U whose UPOS and XPOS become auxiliary labels of the sentence with the same `sent_id`. */
  readonly partsOfSpeech?: Iterable<Sentence>;
  /** New names of entity types; types that are missing from it become `O`. All are kept as they are unless given. */
  readonly types?: Readonly<Record<string, string>>;
  /** See {@link TrainingSentence.weight}. */
  readonly weight?: number;
  /** See {@link TrainingSentence.corpus}. */
  readonly corpus?: string | undefined;
}

/** Types of WNUT-17 in the terms of PER, LOC and ORG; products and creative works have no counterpart. */
export const wnutTypes = { person: "PER", location: "LOC", corporation: "ORG", group: "ORG" } as const;

/**
 * Sentences of columns for entity training: labels of any scheme come out in IOB2.
 *
 * Parts of speech are joined by `sent_id` where number and forms of the words agree.
 */
export function nerSentences(
  sentences: Iterable<ColumnSentence>,
  { partsOfSpeech = [], types, weight, corpus }: NerSentenceOptions = {},
): TrainingSentence[] {
  const byId = new Map<string, Sentence>();
  for (const sentence of partsOfSpeech) {
    const id = commentValue(sentence, "sent_id");
    if (id !== undefined) byId.set(id, sentence);
  }
  const all = [...sentences];
  const { form = hyphenated("IOB2") } = findFormOfSentences(all.map(({ labels }) => labels));
  const spansOf = makeSpanReader(form);
  return all.map(({ comments, words, labels, line }) => {
    const spans = spansOf(labels).flatMap((span) => {
      const type = types === undefined ? span.type : Object.hasOwn(types, span.type) && types[span.type];
      return typeof type === "string" ? [{ ...span, type }] : [];
    });
    const id = comments.map((comment) => /^#\s*sent_id\s*=\s*(\S+)/.exec(comment)?.[1]).find(Boolean);
    const tagged = id === undefined ? undefined : byId.get(id);
    const parts = tagged && wordsOf(tagged);
    const same = parts?.length === words.length && parts.every(({ form }, i) => form === words[i]);
    return {
      words,
      labels: labelsOf(spans, words.length, "IOB2"),
      line,
      ...(weight === undefined ? {} : { weight }),
      ...(corpus === undefined ? {} : { corpus }),
      ...(same
        ? {
            auxiliary: {
              upos: parts.map(({ upos }) => given(upos)),
              xpos: parts.map(({ xpos }) => given(xpos)),
            },
          }
        : {}),
    };
  });
}
