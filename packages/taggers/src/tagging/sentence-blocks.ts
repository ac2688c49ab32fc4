import { cutBefore } from "../segmentation/characters.js";
import { longestWord } from "../segmentation/tokens.js";
import { TaggerError } from "../tagger-error.js";
import type { BatchOptions, Sentences } from "../tagger.js";

/** {@link BatchOptions} with nothing left open. */
export interface Limits {
  readonly batchSize: number;
  readonly batchTokens: number;
  readonly lookAhead: number;
  readonly signal: AbortSignal | undefined;
}

/** Most words (transformers: subwords) of a sentence in one run; a longer sentence goes through overlapping windows. */
export const longestRow = 512;

/** Words behind which a block ends, however few sentences it has. */
const BLOCK_WORDS = 16_384;

/**
 * The options of a call on top of a tagger's defaults.
 *
 * @throws RangeError for a size that is no integer of at least 1.
 */
export function limitsOf(options: BatchOptions = {}, defaults: Omit<Limits, "signal">): Limits {
  const batchSize = atLeastOne(options.batchSize ?? defaults.batchSize, "batchSize");
  return {
    batchSize,
    batchTokens: atLeastOne(options.batchTokens ?? defaults.batchTokens, "batchTokens"),
    // One by one nothing is gained by waiting.
    lookAhead: batchSize === 1 ? 1 : atLeastOne(options.lookAhead ?? defaults.lookAhead, "lookAhead"),
    signal: options.signal,
  };
}

function atLeastOne(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`tag: ${name}: expected an integer of at least 1, got ${value}`);
}

/**
 * Reads sentences in blocks of at most `lookAhead`, fewer where they are long; words are cut to {@link longestWord}
 * UTF-16 units.
 *
 * @throws TaggerError `words` for anything but lists of texts; the signal's reason where it is aborted.
 */
export async function* sentenceBlocks(
  sentences: Sentences,
  { lookAhead, signal }: Pick<Limits, "lookAhead" | "signal">,
): AsyncGenerator<(readonly string[])[]> {
  let block: (readonly string[])[] = [];
  let words = 0;
  let count = 0;
  for await (const sentence of iterable(sentences)) {
    signal?.throwIfAborted();
    block.push(checkedWords(sentence, count++));
    words += sentence.length;
    if (block.length < lookAhead && words < BLOCK_WORDS) continue;
    yield block;
    block = [];
    words = 0;
  }
  if (block.length > 0) yield block;
}

/**
 * Sentences that can be read one by one.
 *
 * @throws TaggerError `words` for what is no list of lists
 */
export function iterable(sentences: Sentences): Sentences {
  const given: unknown = sentences;
  const isIterable =
    typeof given === "object" &&
    given !== null &&
    (Symbol.iterator in given || Symbol.asyncIterator in given);
  if (isIterable) return sentences;
  throw new TaggerError("words", `tag: sentences: expected lists of words, got ${described(given)}`);
}

function checkedWords(sentence: readonly string[], index: number): readonly string[] {
  if (!Array.isArray(sentence)) {
    throw new TaggerError(
      "words",
      `tag: sentence ${index}: expected a list of words, got ${described(sentence)}`,
    );
  }
  let isLong = false;
  for (let i = 0; i < sentence.length; i++) {
    const word: unknown = sentence[i];
    if (typeof word !== "string") {
      throw new TaggerError(
        "words",
        `tag: sentence ${index}: word ${i}: expected a string, got ${described(word)}`,
      );
    }
    if (word.length > longestWord) isLong = true;
  }
  return isLong ? sentence.map(seenOf) : sentence;
}

/** What of a word is looked at: no more than {@link longestWord} UTF-16 units. */
export const seenOf = (word: string): string =>
  word.length > longestWord ? word.slice(0, cutBefore(word, longestWord)) : word;

function described(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return `the text ${JSON.stringify(value.slice(0, 20))}`;
  return typeof value === "object" || typeof value === "function"
    ? `a value of type ${typeof value}`
    : `${String(value)} (${typeof value})`;
}
