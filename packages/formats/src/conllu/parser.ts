import { FormatError } from "../format-error.js";
import {
  defaultMaxSentenceLength,
  defaultMaxSentenceLines,
  overLimit,
  type SentenceLimits,
  type SentenceSize,
} from "../text/limits.js";
import { declaredColumns } from "./columns.js";
import { parsePlusRow, type PlusLayout, plusLayout } from "./parse-plus-row.js";
import { parseRow, type Refuse } from "./parse-row.js";
import type { Row, Sentence } from "./sentence.js";

/** A sentence under construction, and where in the input it stands. */
export interface Parser {
  /** Start of every message: the operation, and the name of the input where it has one. */
  readonly where: string;
  /** Lines that are complete. */
  line: number;
  startLine: number;
  comments: string[];
  rows: Row[];
  /** Comment blocks without words, which go to the next sentence, or to the last. */
  blocks: string[][];
  /** The last complete sentence: comment blocks may still follow it. */
  held: Sentence | undefined;
  /** The columns where they are not the ten. */
  plus: PlusLayout | undefined;
  /** What is held of the sentence at hand. */
  readonly size: SentenceSize;
  readonly limits: SentenceLimits;
  readonly refuse: Refuse;
}

const hash = 35;
const carriageReturn = 13;

/** A parser that stands before the first line. */
export function startParser(
  operation: string,
  name: string | undefined,
  limits: Partial<SentenceLimits> = {},
): Parser {
  const parser: Parser = {
    where: name === undefined ? operation : `${operation}: ${name}`,
    line: 0,
    startLine: 1,
    comments: [],
    rows: [],
    blocks: [],
    held: undefined,
    plus: undefined,
    size: { lines: 0, length: 0 },
    limits: {
      maxSentenceLines: limits.maxSentenceLines ?? defaultMaxSentenceLines,
      maxSentenceLength: limits.maxSentenceLength ?? defaultMaxSentenceLength,
    },
    refuse: (code, what, expected, got, column) => lineError(parser, code, what, { expected, got, column }),
  };
  return parser;
}

/** The error of the line that the parser is at. */
export function lineError(
  parser: Pick<Parser, "where" | "line">,
  code: FormatError["code"],
  what: string,
  {
    expected,
    got,
    column,
    line = parser.line,
  }: { expected: string; got: string; column?: number | undefined; line?: number },
): FormatError {
  const place = column === undefined ? `line ${line}` : `line ${line}, column ${column}`;
  return new FormatError(code, `${parser.where}: ${place}: ${what}: expected ${expected}, got ${got}`, {
    line,
    ...(column === undefined ? {} : { column }),
    expected,
    got,
  });
}

/** Reads whole lines (the last one may lack its newline) and adds every sentence that is complete to `out`. */
export function parseLines(parser: Parser, text: string, out: Sentence[]): void {
  // Decided before the loop: V8 moves a search whose result is only used in the loop into it, and reading gets
  // quadratic.
  if (text.includes("\0")) throw nulError(parser, text);
  let start = 0;
  while (start < text.length) {
    let next = text.indexOf("\n", start);
    if (next < 0) next = text.length;
    parser.line++;
    const end = next > start && text.charCodeAt(next - 1) === carriageReturn ? next - 1 : next;
    parseLine(parser, text, start, end, out);
    start = next + 1;
  }
}

function parseLine(parser: Parser, text: string, start: number, end: number, out: Sentence[]): void {
  if (start === end || isBlank(text, start, end)) {
    endSentence(parser, out);
    return;
  }
  checkSize(parser, end - start);
  if (parser.comments.length === 0 && parser.rows.length === 0) parser.startLine = parser.line;
  if (text.charCodeAt(start) !== hash) {
    const { plus, rows, refuse } = parser;
    rows.push(
      plus === undefined
        ? parseRow(text, start, end, refuse)
        : parsePlusRow(text.slice(start, end), plus, rows.length + 1, refuse),
    );
  } else if (parser.rows.length === 0) {
    const comment = text.slice(start, end);
    const columns = declaredColumns(comment);
    if (columns !== undefined) parser.plus = plusLayout(columns, parser.refuse);
    parser.comments.push(comment);
  } else {
    throw lineError(parser, "syntax", "comment", {
      expected: "comments only before the first word of a sentence",
      got: JSON.stringify(text.slice(start, Math.min(end, start + 40))),
    });
  }
}

function nulError(parser: Parser, text: string): FormatError {
  const lines = text.slice(0, text.indexOf("\0")).split("\n");
  const character = (lines.at(-1) as string).length + 1;
  return lineError(parser, "encoding", "characters", {
    expected: "text",
    got: `a NUL at character ${character}`,
    line: parser.line + lines.length,
  });
}

/** An editor may leave spaces or tabs in an empty line: harmless to a reader, an error to the validator. */
function isBlank(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start);
  return (first === 32 || first === 9) && text.slice(start, end).trim() === "";
}

/** A sentence that does not end would be held whole, and so would the file. */
function checkSize(parser: Parser, length: number): void {
  parser.size.lines++;
  parser.size.length += length;
  const over = overLimit(parser.size, parser.limits);
  if (over !== undefined) throw lineError(parser, "sentence-length", "sentence", over);
}

/** Completes the sentence, or the block of comments, that an empty line ends; hands over the sentence before it. */
function endSentence(parser: Parser, out: Sentence[]): void {
  const { comments, rows, startLine, blocks, plus, held, size } = parser;
  if (rows.length > 0) {
    if (held !== undefined) out.push(held);
    parser.held = {
      comments,
      rows,
      line: startLine,
      ...(plus === undefined ? {} : { columns: plus.names }),
      ...(blocks.length === 0 ? {} : { blocksBefore: blocks }),
    };
    parser.blocks = [];
    size.lines = 0;
    size.length = 0;
  } else if (comments.length > 0) {
    // Still counted: blocks without end are held as well.
    blocks.push(comments);
  }
  parser.comments = [];
  parser.rows = [];
}

/** Hands over what the end of the input completes. */
export function endInput(parser: Parser, out: Sentence[]): void {
  endSentence(parser, out);
  const { held, blocks } = parser;
  if (held !== undefined) out.push(blocks.length === 0 ? held : { ...held, blocksAfter: blocks });
}
