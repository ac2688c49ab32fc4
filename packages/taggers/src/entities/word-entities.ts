import { labelReader, makeSpanReader } from "@nasty/formats/iob";
import { labellingOfTagger } from "../evaluation/evaluate.js";
import { TaggerError } from "../tagger-error.js";
import {
  type Aggregation,
  aggregations,
  type BatchOptions,
  type ChoiceOptions,
  type LabelChoices,
  type Sentences,
  type Tagger,
} from "../tagger.js";
import { iterable, seenOf } from "../tagging/sentence-blocks.js";

/** How entities are found. */
export interface EntityOptions extends BatchOptions {
  /**
   * What a word of several subwords gets, see {@link Aggregation}. Default `first`: the labels of {@link Tagger.tag}.
   */
  readonly aggregation?: Aggregation | undefined;
}

/** A word inside of an entity. */
export interface LabelledPart {
  /** The label as the model has it, such as `B-PER`; of the first of the word's subwords that are in the entity. */
  readonly label: string;
  /** Mean probability of the word's labels, 0..1. */
  readonly score: number;
}

/** An entity of a list of words. */
export interface WordEntity {
  /** The type, such as `PER`; empty where the labels name none. */
  readonly type: string;
  /**
   * Mean probability of the labels that it is made of, 0..1: of its words, or with `none` and `simple` of its subwords.
   */
  readonly score: number;
  /** Index of its first word, and of the word behind its last. */
  readonly firstWord: number;
  readonly wordsEnd: number;
  /** UTF-16 units of its first word before it: 0 unless subwords are chosen one by one. */
  readonly start: number;
  /** UTF-16 units of its last word up to its end. */
  readonly end: number;
  /** One of each of its words. */
  readonly words: readonly LabelledPart[];
}

/**
 * The entities of sentences whose words are given, in the order of the sentences.
 *
 * @param tagger of entities, in any label scheme; it is not closed
 * @returns a list for each sentence, in order and without overlap
 * @throws TaggerError `labels` for a tagger that is not one of entities, or does not say how sure it is, `option` for
 *   an unknown aggregation, and as {@link Tagger.tag}
 * @example
 * ```ts
 * for await (const [first] of wordEntities(tagger, [["Ada", "Lovelace", "ran"]])) first; // { type: "PER", firstWord: 0, wordsEnd: 2, … }
 * ```
 */
export async function* wordEntities(
  tagger: Tagger,
  sentences: Sentences,
  options: EntityOptions = {},
): AsyncGenerator<readonly WordEntity[]> {
  const { aggregation = "first" } = options;
  if (!aggregations.includes(aggregation)) {
    throw new TaggerError(
      "option",
      `entities: aggregation: expected ${aggregations.join(", ")}, got ${String(aggregation)}`,
      { name: "aggregation" },
    );
  }
  const choicesOf = entityChoices(tagger);
  const entitiesOf = makeEntityReader(tagger, aggregation);
  const waiting: (readonly string[])[] = [];
  async function* kept(): AsyncGenerator<readonly string[]> {
    for await (const words of iterable(sentences)) {
      waiting.push(words);
      yield words;
    }
  }
  for await (const choices of choicesOf(kept(), options)) {
    yield entitiesOf(waiting.shift() as readonly string[], choices);
  }
}

type Choices = (sentences: Sentences, options: ChoiceOptions) => AsyncIterable<LabelChoices>;

function entityChoices(tagger: Tagger): Choices {
  const { task } = labellingOfTagger(tagger);
  if (task === "ner" && tagger.choices !== undefined)
    return (...args) => (tagger.choices as Choices)(...args);
  const shown = tagger.labels.slice(0, 12).join(", ");
  throw new TaggerError(
    "labels",
    task === "ner"
      ? "entities: tagger: choices: expected a function that gives labels with probabilities, got none"
      : `entities: tagger: labels: expected those of entities, such as B-PER, I-PER and O, got ${shown}; if each is the name of an entity type, give the scheme IO (--scheme io)`,
  );
}

type EntityReader = (words: readonly string[], choices: LabelChoices) => WordEntity[];

/**
 * Puts choices together to entities, by the rule of `spansOf` of @nasty/formats/iob; with `none` each choice is one.
 */
function makeEntityReader(tagger: Tagger, aggregation: Aggregation): EntityReader {
  const { labels } = tagger;
  const { form } = labellingOfTagger(tagger);
  if (form === undefined) return () => [];
  const read = labelReader(form);
  const grouped = makeSpanReader(form);
  const single = (names: readonly string[]) =>
    names.flatMap((label, start) => {
      const part = read(label);
      return part === undefined ? [] : [{ type: part.type, start, end: start + 1 }];
    });
  const spansOf = aggregation === "none" ? single : grouped;
  return (words, choices) => {
    const spans = spansOf(Array.from(choices.labels, (label) => labels[label] as string));
    if (spans.length === 0) return [];
    const places = makePlaces(tagger, words, choices);
    return spans.flatMap(({ type, start, end }) => {
      const first = places.wordOf(start);
      const last = places.wordOf(end - 1);
      const entity: WordEntity = {
        type,
        score: mean(choices.probabilities, start, end),
        firstWord: first,
        wordsEnd: last + 1,
        start: places.startOf(start),
        end: places.endOf(end - 1),
        words: Array.from({ length: last + 1 - first }, (_, i) => {
          const from = Math.max(start, places.firstOf(first + i));
          return {
            label: labels[choices.labels[from] as number] as string,
            score: mean(choices.probabilities, from, Math.min(end, places.firstOf(first + i + 1))),
          };
        }),
      };
      // Subwords that stand for no character, such as the mark of a blank by itself, are nothing that the text has.
      return first === last && entity.start === entity.end ? [] : [entity];
    });
  };
}

function mean(values: Float64Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += values[i] as number;
  return sum / (end - start);
}

/** Where choices stand: which word they are of, and which part of it. */
interface Places {
  wordOf(choice: number): number;
  /** The first choice for a word. */
  firstOf(word: number): number;
  startOf(choice: number): number;
  endOf(choice: number): number;
}

function makePlaces(
  tagger: Tagger,
  words: readonly string[],
  { subwordsBefore: before }: LabelChoices,
): Places {
  const lengthOf = (word: number): number => (words[word] as string).length;
  if (before === undefined) {
    return { wordOf: (at) => at, firstOf: (word) => word, startOf: () => 0, endOf: lengthOf };
  }
  const wordOf = (choice: number): number => {
    let [low, high] = [0, words.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((before[middle] as number) <= choice) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const known = new Map<number, Int32Array>();
  const unitsOf = (choice: number, side: 0 | 1): number => {
    const word = wordOf(choice);
    let spans = known.get(word);
    if (spans === undefined) {
      spans = tagger.subwordSpans?.(seenOf(words[word] as string)) ?? Int32Array.of(0, lengthOf(word));
      known.set(word, spans);
    }
    return spans[2 * (choice - (before[word] as number)) + side] as number;
  };
  return {
    wordOf,
    firstOf: (word) => before[word] as number,
    startOf: (choice) => unitsOf(choice, 0),
    endOf: (choice) => unitsOf(choice, 1),
  };
}
