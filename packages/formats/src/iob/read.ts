import { FormatError, type FormatErrorCode } from "../format-error.js";
import {
  defaultMaxSentenceLength,
  defaultMaxSentenceLines,
  overLimit,
  type SentenceSize,
} from "../text/limits.js";
import { defaultMaxLineLength, wholeLines } from "../text/whole-lines.js";
import {
  type ColumnLayout,
  detectLayout,
  isComment,
  isDocumentStart,
  isRowNumber,
  splitRow,
} from "./layout.js";

/** A sentence of labelled words. */
export interface LabelledSentence {
  /** Comment lines as written, with their `#`. */
  readonly comments: readonly string[];
  readonly words: readonly string[];
  /** One label a word. */
  readonly labels: readonly string[];
  /** Line of the first word in the file, from 1, where it was read from one. */
  readonly line?: number;
  /** Line of each word, where it was read from a file. */
  readonly lines?: readonly number[];
  /** Whether a `-DOCSTART-` row stands before the sentence. */
  readonly startsDocument?: boolean;
}

/** Settings of a reader; what is not given is found from the first sentence. */
export interface ReadColumnsOptions {
  /** Column of the word, from 1. */
  readonly wordColumn?: number;
  /** Column of the label, from 1; −1 is the last. */
  readonly labelColumn?: number;
  /** Name of the input, for messages. */
  readonly name?: string;
  /** Most characters in a line, by default 2^20. */
  readonly maxLineLength?: number;
  /** Most lines between two empty lines, by default 2^17. */
  readonly maxSentenceLines?: number;
  /** Most characters between two empty lines, by default 2^24. */
  readonly maxSentenceLength?: number;
}

interface Reader {
  readonly where: string;
  readonly options: ReadColumnsOptions;
  layout: ColumnLayout | undefined;
  line: number;
  comments: string[];
  rows: string[];
  rowLines: number[];
  startsDocument: boolean;
  readonly size: SentenceSize;
}

/**
 * Reads columns of words and labels from a stream, sentence by sentence.
 *
 * Understood without being told: two columns (WNUT, Broad Twitter), the four of CoNLL-2003 with `-DOCSTART-`, numbered
 * columns with `# ` headers (Universal NER; ranges and empty nodes are left out), tabs or blanks. A line that begins
 * with `#` but has the columns of a row is a row: hashtags are words. A word may be empty or blank where tabs separate
 * the columns (Broad Twitter has such rows); it counts like any other.
 *
 * @param chunks text or UTF-8 bytes, cut anywhere
 * @returns sentences of at least one word, in order
 * @throws FormatError with `line`: `column-count`, `label` (empty), `encoding`, `line-length`, `sentence-length`
 *   (no end of it), `syntax` (a row without number in a file of numbered rows)
 * @example
 * ```ts
 * for await (const { words, labels } of readColumns(stream)) spansOf(labels);
 * ```
 */
export async function* readColumns(
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  options: ReadColumnsOptions = {},
): AsyncGenerator<LabelledSentence> {
  const reader = startReader("readColumns", options);
  const { maxLineLength = defaultMaxLineLength } = options;
  for await (const block of wholeLines(chunks, { where: reader.where, maxLineLength })) {
    const complete: LabelledSentence[] = [];
    readLines(reader, block, complete);
    yield* complete;
  }
  const last: LabelledSentence[] = [];
  endSentence(reader, last);
  yield* last;
}

/**
 * Reads columns of words and labels from one text, as {@link readColumns} does.
 *
 * @example
 * ```ts
 * parseColumns("Oslo\tB-LOC\n\n")[0].labels; // ["B-LOC"]
 * ```
 */
export function parseColumns(text: string, options: ReadColumnsOptions = {}): LabelledSentence[] {
  const reader = startReader("parseColumns", options);
  const sentences: LabelledSentence[] = [];
  readLines(reader, text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, sentences);
  endSentence(reader, sentences);
  return sentences;
}

function startReader(operation: string, options: ReadColumnsOptions): Reader {
  return {
    where: options.name === undefined ? operation : `${operation}: ${options.name}`,
    options,
    layout: undefined,
    line: 0,
    comments: [],
    rows: [],
    rowLines: [],
    startsDocument: false,
    size: { lines: 0, length: 0 },
  };
}

function readLines(reader: Reader, text: string, out: LabelledSentence[]): void {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const raw of lines) {
    reader.line++;
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line.includes("\0")) refuse(reader, "encoding", reader.line, "characters", "text", "a NUL");
    if (line.trim() === "") {
      endSentence(reader, out);
      continue;
    }
    checkSize(reader, line.length);
    if (isDocumentStart(line)) {
      endSentence(reader, out);
      reader.startsDocument = true;
    } else if (reader.rows.length === 0 && line.startsWith("#") && isComment(line, reader.layout)) {
      reader.comments.push(line);
    } else {
      reader.rows.push(line);
      reader.rowLines.push(reader.line);
    }
  }
}

/** A sentence that does not end would be held whole, and so would the file. */
function checkSize(reader: Reader, length: number): void {
  const { size, options } = reader;
  size.lines++;
  size.length += length;
  const over = overLimit(size, {
    maxSentenceLines: options.maxSentenceLines ?? defaultMaxSentenceLines,
    maxSentenceLength: options.maxSentenceLength ?? defaultMaxSentenceLength,
  });
  if (over !== undefined) refuse(reader, "sentence-length", reader.line, "sentence", over.expected, over.got);
}

function endSentence(reader: Reader, out: LabelledSentence[]): void {
  const { rows, rowLines, comments, startsDocument } = reader;
  // Comments without words head the file or a document; they stay with the next sentence.
  if (rows.length === 0) return;
  reader.layout ??= chooseLayout(reader);
  const words: string[] = [];
  const labels: string[] = [];
  const lines: number[] = [];
  for (const [index, row] of rows.entries()) {
    const line = rowLines[index] as number;
    if (readRow(reader, reader.layout, row, line, words, labels)) lines.push(line);
  }
  if (words.length > 0) {
    const sentence = { comments, words, labels, line: rowLines[0] as number, lines };
    out.push(startsDocument ? { ...sentence, startsDocument } : sentence);
    reader.startsDocument = false;
  }
  reader.comments = [];
  reader.rows = [];
  reader.rowLines = [];
  reader.size.lines = 0;
  reader.size.length = 0;
}

function chooseLayout(reader: Reader): ColumnLayout {
  const found = detectLayout(reader.rows);
  const { wordColumn = found.word, labelColumn = found.label } = reader.options;
  const last = found.count ?? found.label;
  const label = labelColumn < 0 ? last + 1 + labelColumn : labelColumn;
  if (found.count !== undefined && (found.count < 2 || Math.max(wordColumn, label) > found.count)) {
    const expected = `at least ${Math.max(2, wordColumn, label)}`;
    refuse(
      reader,
      "column-count",
      reader.rowLines[0] as number,
      "column count",
      expected,
      String(found.count),
    );
  }
  return { ...found, word: wordColumn, label };
}

/** Adds the word of a row, and says whether it has one: ranges and empty nodes have none. */
function readRow(
  reader: Reader,
  layout: ColumnLayout,
  row: string,
  line: number,
  words: string[],
  labels: string[],
): boolean {
  const fields = splitRow(row, layout.separator);
  const needed = Math.max(layout.word, layout.label);
  if (layout.count === undefined ? fields.length < needed : fields.length !== layout.count) {
    const expected = layout.count === undefined ? `at least ${needed}` : String(layout.count);
    refuse(reader, "column-count", line, "column count", expected, String(fields.length));
  }
  if (layout.numbered) {
    const number = fields[0] as string;
    if (!isRowNumber(number)) {
      refuse(reader, "syntax", line, "first column", "the number of a word", JSON.stringify(number));
    }
    if (/[-.]/.test(number)) return false;
  }
  const word = fields[layout.word - 1] as string;
  const label = (fields[layout.label - 1] as string).trim();
  if (label === "") refuse(reader, "label", line, `column ${layout.label}`, "a label", "nothing");
  words.push(word);
  labels.push(label);
  return true;
}

function refuse(
  { where }: Reader,
  code: FormatErrorCode,
  line: number,
  what: string,
  expected: string,
  got: string,
): never {
  throw new FormatError(code, `${where}: line ${line}: ${what}: expected ${expected}, got ${got}`, {
    line,
    expected,
    got,
  });
}
