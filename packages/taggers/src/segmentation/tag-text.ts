import type { BatchOptions, Tagger } from "../tagger.js";
import { textSentences, type TextSentence, type TextWord } from "./segment-text.js";
import type { SentenceOptions } from "./text-pieces.js";

/** A word of a text with its label; `text.slice(start, end) === form`. */
export interface TaggedWord extends TextWord {
  readonly label: string;
}

/** A sentence of a text with labelled words; multiword tokens as {@link textSentences} found them. */
export interface TaggedSentence extends TextSentence {
  readonly words: readonly TaggedWord[];
}

/**
 * Tags a text: sentences and words by the conventions of the tagger's language, labels by the tagger.
 *
 * @param tagger any tagger; it is not closed.
 * The text is cut as its sentences are asked for.
 *
 * @param text any text; an empty one gives no sentence. Offsets count its UTF-16 units.
 * @param options of {@link Tagger.tag}; `onePerLine` where each line is one sentence; `language` for another than the
 *   tagger's.
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
  options: BatchOptions & SentenceOptions = {},
): AsyncGenerator<TaggedSentence> {
  const waiting: TextSentence[] = [];
  const words = (function* () {
    for (const sentence of textSentences(text, {
      ...options,
      language: options.language ?? tagger.language,
    })) {
      waiting.push(sentence);
      yield sentence.words.map(({ form }) => form);
    }
  })();
  for await (const labels of tagger.tag(words, options)) {
    const sentence = waiting.shift() as TextSentence;
    yield { ...sentence, words: sentence.words.map((word, i) => ({ ...word, label: labels[i] as string })) };
  }
}
