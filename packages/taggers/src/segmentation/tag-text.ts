import type { BatchOptions, Tagger } from "../tagger.js";
import { segmentText, type TextSentence, type TextWord } from "./segment-text.js";

/** A word of a text with its label; `text.slice(start, end) === form`. */
export interface TaggedWord extends TextWord {
  readonly label: string;
}

/** A sentence of a text with labelled words; multiword tokens as {@link segmentText} found them. */
export interface TaggedSentence extends TextSentence {
  readonly words: readonly TaggedWord[];
}

/**
 * Tags a text: sentences and words by UD English conventions, labels by the tagger.
 *
 * @param tagger any tagger; it is not closed.
 * @param text any text; an empty one gives no sentence. Offsets count its UTF-16 units.
 * @throws what the tagger throws.
 *
 * @example
 * ```ts
 * for await (const { words } of tagText(tagger, "Time flies.")) words[0]; // { form: "Time", label: "NOUN", start: 0, end: 4 }
 * ```
 */
export async function* tagText(
  tagger: Tagger,
  text: string,
  options?: BatchOptions,
): AsyncGenerator<TaggedSentence> {
  const sentences = segmentText(text);
  let at = 0;
  for await (const labels of tagger.tag(wordLists(sentences), options)) {
    const sentence = sentences[at++] as TextSentence;
    yield { ...sentence, words: sentence.words.map((word, i) => ({ ...word, label: labels[i] as string })) };
  }
}

function* wordLists(sentences: readonly TextSentence[]): Generator<string[]> {
  for (const { words } of sentences) yield words.map(({ form }) => form);
}
