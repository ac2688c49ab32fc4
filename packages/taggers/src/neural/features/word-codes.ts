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

/** Where each word of a list stands; pairs, as `new Map` takes them, would cost three times as much. */
export function placesOf(words: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  for (let i = 0; i < words.length; i++) places.set(words[i] as string, i);
  return places;
}

/** Makes the function that gives the rows [books] of a lower-cased word; all {@link noCode} for one without codes. */
export function makeCodesOf({ words, books, codes }: WordCodes): (lower: string) => Int32Array {
  const places = placesOf(words);
  const none = new Int32Array(books).fill(noCode);
  return (lower) => {
    const place = places.get(lower);
    if (place === undefined) return none;
    const rows = new Int32Array(books);
    for (let book = 0; book < books; book++)
      rows[book] = 1 + book * codesOfBook + (codes[book * words.length + place] as number);
    return rows;
  };
}
