import {
  type Entity,
  type EntityOptions,
  type SentenceOptions,
  sentenceEntities,
  type Tagger,
  type WordEntity,
  wordEntities,
} from "@nasty/taggers";
import { type GivenSentence, givenSentences } from "../texts/given-words.js";
import type { Piece } from "../texts/plain-text.js";
import type { OpenText } from "../texts/text-form.js";

/** How entities are found, and where they go: one JSON list, written piece by piece. */
export interface EntitiesJob {
  readonly options: EntityOptions & SentenceOptions;
  /** Waits while the reader is slower. */
  readonly write: (text: string) => Promise<void> | void;
}

/** Writes the entities of raw text, with offsets into the whole text; how many sentences there are. */
export async function writeTextEntities(
  pieces: AsyncIterable<Piece>,
  tagger: Tagger,
  { options, write }: EntitiesJob,
): Promise<number> {
  const list = jsonList(write);
  let count = 0;
  for await (const { text, offset } of pieces) {
    for await (const { entities } of sentenceEntities(tagger, text, options)) {
      count++;
      for (const entity of entities) await list.add(written(entity, offset));
    }
  }
  await list.end();
  return count;
}

/**
 * Writes the entities of words that are given, which have no offsets: each word has its line instead; how many
 * sentences there are.
 */
export async function writeGivenEntities(
  text: OpenText,
  tagger: Tagger,
  { options, write }: EntitiesJob,
): Promise<number> {
  const waiting: GivenSentence[] = [];
  async function* wordLists(): AsyncGenerator<readonly string[]> {
    for await (const item of givenSentences(text, { task: tagger.task, isRewritten: false })) {
      if ("rest" in item) continue;
      waiting.push(item);
      yield item.words;
    }
  }
  const list = jsonList(write);
  let count = 0;
  for await (const entities of wordEntities(tagger, wordLists(), options)) {
    const sentence = waiting.shift() as GivenSentence;
    count++;
    for (const entity of entities) await list.add({ input: text.form, ...givenEntity(entity, sentence) });
  }
  await list.end();
  return count;
}

function jsonList(write: EntitiesJob["write"]) {
  let isEmpty = true;
  return {
    async add(item: object): Promise<void> {
      await write(`${isEmpty ? "[\n" : ",\n"}${JSON.stringify(item)}`);
      isEmpty = false;
    },
    end: () => write(isEmpty ? "[]\n" : "\n]\n"),
  };
}

/** Digits beyond these differ between processors. */
const rounded = (score: number): number => Number(score.toFixed(6));

function written({ type, text, start, end, score, words }: Entity, offset: number): object {
  return {
    type,
    text,
    start: start + offset,
    end: end + offset,
    score: rounded(score),
    words: words.map((word) => ({
      form: word.form,
      label: word.label,
      start: word.start + offset,
      end: word.end + offset,
      score: rounded(word.score),
    })),
  };
}

function givenEntity(entity: WordEntity, { words, lines }: GivenSentence): object {
  const { type, score, firstWord, wordsEnd, start, end } = entity;
  const forms = words.slice(firstWord, wordsEnd);
  const shown = [...forms];
  // The last first: it may be the first too.
  shown[shown.length - 1] = (shown.at(-1) as string).slice(0, end);
  shown[0] = (shown[0] as string).slice(start);
  return {
    type,
    text: shown.join(" "),
    score: rounded(score),
    words: entity.words.map((word, i) => ({
      form: forms[i],
      label: word.label,
      line: lines[firstWord + i],
      score: rounded(word.score),
    })),
  };
}
