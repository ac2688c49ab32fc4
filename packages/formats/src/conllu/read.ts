import { defaultMaxLineLength, wholeLines } from "../text/whole-lines.js";
import { endInput, parseLines, startParser } from "./parser.js";
import type { Sentence } from "./sentence.js";

/** Settings of a reader. */
export interface ReadConlluOptions {
  /** Name of the input, for messages. */
  readonly name?: string;
  /** Most characters in a line, by default 2^20. */
  readonly maxLineLength?: number;
  /** Most lines between two empty lines, by default 2^17. */
  readonly maxSentenceLines?: number;
  /** Most characters between two empty lines, by default 2^24. */
  readonly maxSentenceLength?: number;
}

/**
 * Reads CoNLL-U from a stream of text or bytes, sentence by sentence; nothing but the sentence at hand and the one
 * before is held.
 *
 * CoNLL-U Plus is read by the columns that `# global.columns` declares: what it lacks of the ten reads as `_`, what it
 * adds stands in `extra` of each row, and words without an ID column count from 1. Comment blocks without words are
 * kept with the sentence behind them, at the end of the file with the one before; a file of comments alone has no
 * sentences.
 *
 * Accepted though the format forbids it, because it changes no sentence: CR LF, a byte order mark, several empty lines
 * or lines of blanks between sentences, no empty line at the end. IDs are not checked for order: `validateConllu` does
 * that.
 *
 * @param chunks text or UTF-8 bytes, cut anywhere
 * @returns sentences in order; none for an empty input
 * @throws FormatError with `line`: `column-count` (not 10, or not as declared), `invalid-value` (ID or HEAD), `syntax`
 *   (a comment inside a sentence, `# global.columns` without FORM or with a name twice), `encoding` (not UTF-8, or
 *   NUL), `line-length`, `sentence-length` (no end of it)
 * @see CoNLL-U format, Universal Dependencies v2, https://universaldependencies.org/format.html; CoNLL-U Plus,
 *   https://universaldependencies.org/ext-format.html
 * @example
 * ```ts
 * for await (const sentence of readConllu(process.stdin)) console.log(words(sentence).length);
 * ```
 */
export async function* readConllu(
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  { name, maxLineLength = defaultMaxLineLength, ...limits }: ReadConlluOptions = {},
): AsyncGenerator<Sentence> {
  const parser = startParser("readConllu", name, limits);
  for await (const block of wholeLines(chunks, { where: parser.where, maxLineLength })) {
    const complete: Sentence[] = [];
    parseLines(parser, block, complete);
    yield* complete;
  }
  const last: Sentence[] = [];
  endInput(parser, last);
  yield* last;
}

/**
 * Reads CoNLL-U from one text, as {@link readConllu} does.
 *
 * @param text a whole file
 * @returns its sentences; none for an empty text
 * @throws FormatError as {@link readConllu}, all but `line-length`
 * @example
 * ```ts
 * const [sentence] = parseConllu("1\tHi\thi\tINTJ\t_\t_\t0\troot\t_\t_\n\n");
 * ```
 */
export function parseConllu(
  text: string,
  { name, ...limits }: Omit<ReadConlluOptions, "maxLineLength"> = {},
): Sentence[] {
  const parser = startParser("parseConllu", name, limits);
  const sentences: Sentence[] = [];
  parseLines(parser, text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, sentences);
  endInput(parser, sentences);
  return sentences;
}
