import { TaggerError } from "@nasty/taggers";

/** Vectors of words, the most frequent word first. */
export interface WordVectors {
  readonly words: readonly string[];
  readonly width: number;
  /** Float32 [words, width]. */
  readonly values: Float32Array;
}

export interface ParseVectorsOptions {
  /** Only the first so many words. Default: all. */
  readonly limit?: number | undefined;
  /** Name of the file, for errors. */
  readonly name?: string | undefined;
}

/**
 * Reads word vectors in the text format of GloVe and word2vec: a word and its numbers a line, between blanks; a first
 * line with the number of words and their width may be there (word2vec, fastText). Words are lower-cased; of a word
 * that stands there twice the first, more frequent one counts.
 *
 * @throws TaggerError `vectors` (naming the line): another width, something that is no number, no line at all.
 * @example
 * ```ts
 * const vectors = await parseVectors(createInterface(createReadStream("glove.6B.100d.txt")), { limit: 100_000 });
 * ```
 */
export async function parseVectors(
  lines: AsyncIterable<string> | Iterable<string>,
  { limit = Number.POSITIVE_INFINITY, name = "vectors" }: ParseVectorsOptions = {},
): Promise<WordVectors> {
  const rows: Float32Array[] = [];
  const words = new Set<string>();
  let width = 0;
  let number = 0;
  for await (const line of lines) {
    number++;
    const [word = "", ...numbers] = line.trimEnd().split(" ");
    if (word === "" || (number === 1 && numbers.length === 1)) continue;
    width ||= numbers.length;
    const row = Float32Array.from(numbers, Number);
    if (width === 0 || row.length !== width || !row.every(Number.isFinite)) {
      throw new TaggerError(
        "vectors",
        `parseVectors: ${name}: line ${number}: expected a word and ${width === 0 ? "its" : width} numbers between blanks, got ${JSON.stringify(line.slice(0, 60))}`,
        { name },
      );
    }
    const lower = word.toLowerCase();
    if (words.has(lower)) continue;
    words.add(lower);
    rows.push(row);
    if (rows.length >= limit) break;
  }
  if (rows.length === 0)
    throw new TaggerError("vectors", `parseVectors: ${name}: expected vectors of words, got no line`, {
      name,
    });
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, i) => values.set(row, i * width));
  return { words: [...words], width, values };
}
