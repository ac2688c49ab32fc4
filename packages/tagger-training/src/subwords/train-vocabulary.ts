import { TaggerError } from "@nasty/taggers";
import { largestFirst } from "./largest-first.js";

/** What stands before a piece that does not start a word. */
export const continuationPrefix = "##";

/** Tokens that no text makes, in the order of their ids 0 to 4. */
export const specialPieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

export interface VocabularyOptions {
  /** Most pieces, special tokens counted. Default 8,000. */
  readonly size?: number;
  /** A pair of pieces that occurs less often does not become one. Default 2. */
  readonly leastCount?: number;
}

/** Pairs are numbers: first · this + second. Fewer pieces than this, and their product is a safe integer. */
const PAIR = 2 ** 24;

/**
 * Learns the pieces that words are written with.
 *
 * Every character of the words is a piece (`a` at the start of a word, `##a` inside). Then, until there are `size`
 * pieces, the two neighbouring pieces that occur together most often become a new one; of equal counts the pair of
 * older pieces. Words are cut at white space first; case is kept. The order of the words does not matter.
 *
 * Pair counts are kept up to date, so that a step only visits the words in which its pair occurs.
 *
 * @param counts occurrences of each word
 * @returns pieces in the order of their ids: {@link specialPieces}, characters by code point, then as they were merged
 * @throws TaggerError `option` for a size that does not hold the special tokens and the characters, `empty` without a
 *   character.
 * @see R. Sennrich, B. Haddow and A. Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016),
 *   algorithm 1, for the merges; Y. Wu et al., "Google's Neural Machine Translation System" (2016), section 4.1, for
 *   pieces at the start of a word and inside
 * @example
 * ```ts
 * trainVocabulary(new Map([["low", 5], ["lower", 2]]), { size: 12 }).at(-1); // "low"
 * ```
 */
export function trainVocabulary(
  counts: ReadonlyMap<string, number>,
  { size = 8000, leastCount = 2 }: VocabularyOptions = {},
): string[] {
  const distinct = cutAtSpace(counts);
  const pieces: string[] = [...specialPieces, ...charactersOf(distinct.keys())];
  if (pieces.length === specialPieces.length) {
    throw new TaggerError("empty", "trainVocabulary: words: characters: expected at least 1, got 0");
  }
  if (!Number.isInteger(size) || size < pieces.length || size > PAIR) {
    throw new TaggerError(
      "option",
      `trainVocabulary: size: expected an integer from ${pieces.length} (special tokens and characters) to ${PAIR}, got ${size}`,
      { name: "size" },
    );
  }
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const words = [...distinct].map(([word, count]): Word => {
    return { ids: spelled(word).map((piece) => ids.get(piece) as number), count };
  });
  const pairs = makePairs(words);
  while (pieces.length < size) {
    const pair = pairs.mostFrequent(leastCount);
    if (pair === undefined) break;
    const [first, second] = [Math.floor(pair / PAIR), pair % PAIR];
    const merged = `${pieces[first]}${(pieces[second] as string).slice(continuationPrefix.length)}`;
    // The same piece comes from other pairs too (a bc, ab c).
    let id = ids.get(merged);
    if (id === undefined) {
      id = pieces.push(merged) - 1;
      ids.set(merged, id);
    }
    pairs.merge(pair, id);
  }
  return pieces;
}

interface Word {
  /** Its pieces; shortened as pairs become one. */
  readonly ids: number[];
  readonly count: number;
}

function cutAtSpace(counts: ReadonlyMap<string, number>): Map<string, number> {
  const cut = new Map<string, number>();
  for (const [text, count] of counts) {
    for (const word of text.split(/\s+/)) if (word !== "") cut.set(word, (cut.get(word) ?? 0) + count);
  }
  return cut;
}

const spelled = (word: string): string[] =>
  Array.from(word, (character, i) => (i === 0 ? character : continuationPrefix + character));

function charactersOf(words: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const word of words) for (const piece of spelled(word)) found.add(piece);
  const point = (piece: string): number =>
    (isInner(piece) ? piece.slice(continuationPrefix.length) : piece).codePointAt(0) as number;
  return [...found].sort((a, b) => Number(isInner(a)) - Number(isInner(b)) || point(a) - point(b));
}

/** Of single characters alone this is never ambiguous. */
const isInner = (piece: string): boolean => piece.startsWith(continuationPrefix);

interface Pairs {
  /** The pair that occurs most often, if that is often enough. */
  mostFrequent(leastCount: number): number | undefined;
  /** Puts one piece for two wherever they are neighbours. */
  merge(pair: number, id: number): void;
}

function makePairs(words: readonly Word[]): Pairs {
  const counts = new Map<number, number>();
  const places = new Map<number, Set<number>>();
  // An entry whose count is out of date is put back with the right one when it comes up; a larger count is a new entry.
  const order = largestFirst();

  const change = (pair: number, by: number, word: number): void => {
    counts.set(pair, (counts.get(pair) ?? 0) + by);
    if (by < 0) return;
    const there = places.get(pair);
    if (there === undefined) places.set(pair, new Set([word]));
    else there.add(word);
  };
  const changeAll = ({ ids, count }: Word, sign: 1 | -1, word: number): void => {
    for (let i = 1; i < ids.length; i++)
      change((ids[i - 1] as number) * PAIR + (ids[i] as number), sign * count, word);
  };
  words.forEach((word, w) => changeAll(word, 1, w));
  for (const [pair, count] of counts) order.add(count, pair);

  return {
    mostFrequent(leastCount) {
      for (;;) {
        const top = order.take();
        if (top === undefined || top.count < leastCount) return undefined;
        const count = counts.get(top.item) ?? 0;
        if (count === top.count) return top.item;
        if (count > 0 && count < top.count) order.add(count, top.item);
      }
    },
    merge(pair, id) {
      const [first, second] = [Math.floor(pair / PAIR), pair % PAIR];
      const touched = new Set<number>();
      for (const w of places.get(pair) ?? []) {
        const word = words[w] as Word;
        changeAll(word, -1, w);
        joinNeighbours(word.ids, { first, second, id });
        changeAll(word, 1, w);
        const { ids } = word;
        for (let i = 0; i < ids.length; i++) {
          if (ids[i] !== id) continue;
          if (i > 0) touched.add((ids[i - 1] as number) * PAIR + id);
          if (i + 1 < ids.length) touched.add(id * PAIR + (ids[i + 1] as number));
        }
      }
      counts.delete(pair);
      places.delete(pair);
      for (const neighbour of touched) order.add(counts.get(neighbour) ?? 0, neighbour);
    },
  };
}

function joinNeighbours(
  ids: number[],
  { first, second, id }: { readonly first: number; readonly second: number; readonly id: number },
): void {
  let length = 0;
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === first && ids[i + 1] === second) {
      ids[length++] = id;
      i++;
    } else {
      ids[length++] = ids[i] as number;
    }
  }
  ids.length = length;
}
