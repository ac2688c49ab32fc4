import { textSentences, type TextSentence, type TextWord } from "../segmentation/segment-text.js";
import type { SentenceOptions } from "../segmentation/text-pieces.js";
import type { Tagger } from "../tagger.js";
import { type EntityOptions, type LabelledPart, type WordEntity, wordEntities } from "./word-entities.js";

/** A word inside of an entity of a text; `text.slice(start, end) === form`. */
export interface EntityWord extends TextWord, LabelledPart {}

/** An entity of a text: `text.slice(start, end)` of the whole text is its `text`. */
export interface Entity {
  /** The type, such as `PER`; empty where the labels name none. */
  readonly type: string;
  /** As it stands in the text. */
  readonly text: string;
  /** UTF-16 units of the whole text. */
  readonly start: number;
  readonly end: number;
  /** Mean probability of the labels that it is made of, 0..1. */
  readonly score: number;
  /** The words that it stands in, each with its label; with `none` and `simple` it may begin and end inside of one. */
  readonly words: readonly EntityWord[];
}

/** A sentence with its entities. */
export interface SentenceEntities {
  readonly sentence: TextSentence;
  readonly entities: readonly Entity[];
}

/**
 * Finds the entities of a text: people, places and whatever types the tagger has, where they stand, and how sure it is.
 *
 * The text is cut into sentences and words as {@link tagText} does; words are labelled by the tagger, and labels of any
 * scheme are put together to entities. A score is the mean of the probabilities of the labels: softmax of a word's
 * (subword's) scores, or for a tagger with scores of label sequences (a conditional random field) the marginal of each
 * label over all sequences. Long text goes through windows.
 *
 * @param tagger of entities, in any label scheme; it is not closed
 * @param text any text; an empty one has none. Offsets count its UTF-16 units.
 * @param options of {@link Tagger.tag}; `aggregation` for words of several subwords, default `first`; `onePerLine`
 *   where each line is a sentence
 * @throws TaggerError `labels` for a tagger that is not one of entities; `option`; what the tagger throws
 * @see decision 126
 *
 * @example
 * ```ts
 * for await (const entity of entities(tagger, "Ada Lovelace lived in London.")) entity; // { type: "PER", text: "Ada Lovelace", start: 0, end: 12, … }
 * ```
 */
export async function* entities(
  tagger: Tagger,
  text: string,
  options: EntityOptions & SentenceOptions = {},
): AsyncGenerator<Entity> {
  for await (const { entities: found } of sentenceEntities(tagger, text, options)) yield* found;
}

/** {@link entities}, sentence by sentence: also of those that have none. */
export async function* sentenceEntities(
  tagger: Tagger,
  text: string,
  options: EntityOptions & SentenceOptions = {},
): AsyncGenerator<SentenceEntities> {
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
  for await (const found of wordEntities(tagger, words, options)) {
    const sentence = waiting.shift() as TextSentence;
    yield { sentence, entities: found.map((entity) => inText(entity, sentence, text)) };
  }
}

function inText(entity: WordEntity, { words }: TextSentence, text: string): Entity {
  const { type, score, firstWord, wordsEnd } = entity;
  const start = (words[firstWord] as TextWord).start + entity.start;
  const end = (words[wordsEnd - 1] as TextWord).start + entity.end;
  return {
    type,
    text: text.slice(start, end),
    start,
    end,
    score,
    words: words
      .slice(firstWord, wordsEnd)
      .map((word, i) => ({ ...word, ...(entity.words[i] as LabelledPart) })),
  };
}
