import { TaggerError } from "@nasty/taggers";
import { codesOfBook, type WordCodes } from "@nasty/taggers/neural";
import { seededRandom } from "@nasty/training";
import { makeCodebook } from "./codebook.js";
import { onPrincipalAxes } from "./principal-axes.js";
import type { WordVectors } from "./word-vectors.js";

/** Codes of words, and what the rows of their codebooks are before training. */
export interface EncodedVectors extends WordCodes {
  readonly width: number;
  /** Float32 [books · 256, width]. */
  readonly rows: Float32Array;
}

export interface EncodeVectorsOptions {
  /** How many of the words get codes, the first ones. Default 40,000. */
  readonly limit?: number;
  /** Width of the codebooks' rows: narrower vectors get zeros. Default that of the vectors. */
  readonly width?: number;
  /** Bytes of a word, at most 64. Default 4. */
  readonly books?: number;
  /** Default 1. */
  readonly seed?: number;
}

/** Frequent words are those whose vectors say most. */
const LEARNED_FROM = 20_000;
const ROUNDS = 10;

/**
 * Word vectors as codes: turned onto their first principal axes, scaled to unit length on average, and quantized
 * codebook by codebook, each taking what those before it left over.
 *
 * @throws TaggerError `option` for numbers that are no whole ones, or too large.
 * @see Y. Chen, T. Guan and C. Wang, "Approximate Nearest Neighbor Search by Residual Vector Quantization" (2010)
 * @example
 * ```ts
 * const wordCodes = encodeVectors(await parseVectors(lines), { width: 64, books: 4 });
 * const { model } = await trainTagger({ task: "pos", train, validation, wordCodes });
 * ```
 */
export function encodeVectors(
  vectors: WordVectors,
  { limit = 40_000, width = vectors.width, books = 4, seed = 1 }: EncodeVectorsOptions = {},
): EncodedVectors {
  checkWhole("limit", limit, Number.MAX_SAFE_INTEGER);
  checkWhole("width", width, 4096);
  checkWhole("books", books, 64);
  const count = Math.min(limit, vectors.words.length);
  const random = seededRandom(seed);
  const left = onPrincipalAxes(vectors.values.subarray(0, count * vectors.width), {
    width: vectors.width,
    kept: width,
  });
  scaleToUnit(left, width);
  const { order, words } = alphabetical(vectors.words.slice(0, count));
  const codes = new Uint8Array(books * count);
  const rows = new Float32Array(books * codesOfBook * width);
  for (let book = 0; book < books; book++) {
    const found = makeCodebook(left, {
      width,
      rows: codesOfBook,
      learnedFrom: LEARNED_FROM,
      rounds: ROUNDS,
      random,
    });
    rows.set(found.rows, book * codesOfBook * width);
    order.forEach((place, i) => {
      codes[book * count + i] = found.codes[place] as number;
    });
    for (let i = 0; i < left.length; i++) {
      const code = found.codes[Math.floor(i / width)] as number;
      left[i] = (left[i] as number) - (found.rows[code * width + (i % width)] as number);
    }
  }
  return { words, books, codes, width, rows };
}

/** Words by UTF-16 code units, so that the list packs well, and where each stood. */
function alphabetical(words: readonly string[]): { order: number[]; words: string[] } {
  const order = words.map((_, i) => i).sort((a, b) => ((words[a] as string) < (words[b] as string) ? -1 : 1));
  return { order, words: order.map((place) => words[place] as string) };
}

function scaleToUnit(values: Float32Array, width: number): void {
  let sum = 0;
  for (let i = 0; i < values.length; i += width) {
    let square = 0;
    for (let j = 0; j < width; j++) square += (values[i + j] as number) ** 2;
    sum += Math.sqrt(square);
  }
  const mean = sum / (values.length / width);
  if (mean > 0) for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / mean;
}

function checkWhole(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new TaggerError(
    "option",
    `encodeVectors: ${name}: expected a whole number from 1 to ${most}, got ${value}`,
    { name },
  );
}
