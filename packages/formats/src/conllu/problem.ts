/** What is wrong with a line; the first group breaks the file format itself, the second the content of a column. */
export type ProblemCode =
  | "encoding"
  | "byte-order-mark"
  | "newline"
  | "missing-empty-line"
  | "extra-empty-line"
  | "pseudo-empty-line"
  | "empty-sentence"
  | "invalid-line"
  | "misplaced-comment"
  | "column-count"
  | "empty-column"
  | "leading-whitespace"
  | "trailing-whitespace"
  | "repeated-whitespace"
  | "invalid-whitespace"
  | "unicode-normalization"
  | "word-id"
  | "word-order"
  | "range-reversed"
  | "range-place"
  | "range-overlap"
  | "range-bounds"
  | "empty-node-order"
  // Columns
  | "upos"
  | "feats"
  | "head"
  | "deprel"
  | "deps"
  | "multiword-columns"
  | "empty-node-columns"
  | "misc"
  // Trees and graphs
  | "roots"
  | "cycle"
  | "enhanced-graph"
  // Comments and the text
  | "sent-id"
  | "parallel-id"
  | "new-document"
  | "text"
  | "space-after";

/** One fault of a CoNLL-U file. */
export interface Problem {
  /** Line, from 1. */
  readonly line: number;
  /** Column of the row, 1 (ID) to 10 (MISC), where one is at fault. */
  readonly column?: number;
  readonly code: ProblemCode;
  /** `validateConllu: line 4, column 8 (DEPREL): leading whitespace: expected none, got " punct"`. */
  readonly message: string;
}

/** Notes a problem: what was looked at, what was expected, what is there. */
export type Report = (
  line: number,
  column: number | undefined,
  code: ProblemCode,
  what: string,
  expected: string,
  got: string,
) => void;

/** A value for a message: quoted, and cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
