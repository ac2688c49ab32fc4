/**
 * Word vectors in a few bytes a word: one code of each of some codebooks, whose rows add up to the vector.
 *
 * @see Y. Chen, T. Guan and C. Wang, "Approximate Nearest Neighbor Search by Residual Vector Quantization" (2010); R.
 *   Shu and H. Nakayama, "Compressing Word Embeddings via Deep Compositional Code Learning" (2018), for codes in a
 *   model
 */
export interface WordCodes {
  /** Lower-cased words that have codes. */
  readonly words: readonly string[];
  /** How many codes a word has. */
  readonly books: number;
  /** Codes [books, words]. */
  readonly codes: Uint8Array;
}

/** Rows of a codebook. */
export const codesOfBook = 256;

/** Row of a word without codes. */
export const noCode = 0;

/** Rows of the table of all codebooks, that of {@link noCode} first. */
export const codeRows = (books: number): number => 1 + books * codesOfBook;

/** Parts of a list of words. */
const SHELVES = 32;
const shelfOf = (word: string): number => word.charCodeAt(0) % SHELVES || 0;

/**
 * Makes the function that says where a word stands in a list.
 *
 * A part of the list, by first letters, is looked through when a word of it is first asked for: a map of 60,000 words
 * takes as long as the tagging of a short text.
 */
export function makePlaceOf(words: readonly string[]): (word: string) => number | undefined {
  const shelves: Map<string, number>[] = [];
  const placesOn = (shelf: number): Map<string, number> => {
    const places = new Map<string, number>();
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as string;
      if (shelfOf(word) === shelf) places.set(word, i);
    }
    return places;
  };
  return (word) => {
    const shelf = shelfOf(word);
    return (shelves[shelf] ??= placesOn(shelf)).get(word);
  };
}

/** Makes the function that gives the rows [books] of a lower-cased word; all {@link noCode} for one without codes. */
export function makeCodesOf({ words, books, codes }: WordCodes): (lower: string) => Int32Array {
  const placeOf = makePlaceOf(words);
  const none = new Int32Array(books).fill(noCode);
  return (lower) => {
    const place = placeOf(lower);
    if (place === undefined) return none;
    const rows = new Int32Array(books);
    for (let book = 0; book < books; book++)
      rows[book] = 1 + book * codesOfBook + (codes[book * words.length + place] as number);
    return rows;
  };
}
