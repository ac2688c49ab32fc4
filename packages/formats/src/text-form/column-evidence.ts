import { detectLayout, splitRow } from "../iob/layout.js";
import {
  isCapitalTag,
  isChunkLabel,
  isPunctuation,
  isTag,
  isTypedChunk,
  isUniversalTag,
  mayBeLabel,
  share,
} from "./label-shapes.js";
import { mode, type TextRows } from "./text-rows.js";

/** Whether rows are words and labels: they are, they are not, or they could be either. */
export interface ColumnEvidence {
  readonly verdict: "labels" | "none" | "open";
  readonly why: string;
  /** Whether an open case is worth a remark: tabs part columns, or many lines are alike. */
  readonly isClose?: boolean;
}

const none = (why: string): ColumnEvidence => ({ verdict: "none", why });
const open = (why: string, isClose: boolean): ColumnEvidence => ({ verdict: "open", why, isClose });
const labels = (why: string): ColumnEvidence => ({ verdict: "labels", why });

/** Weighs whether the rows of a text are columns of words and labels. */
export function columnEvidence(text: TextRows): ColumnEvidence {
  const { rows, groups } = text;
  if (text.startsDocument) return labels("its documents start as in CoNLL-2003");
  // A row of a Markdown table begins and ends with the sign that parts its columns.
  if (share(rows, (row) => /^\s*\|.*\|\s*$/.test(row)) >= 0.5) return none("its lines are those of a table");
  const separator = share(rows, (row) => row.includes("\t")) >= 0.5 ? "tab" : "blanks";
  const split = rows.map((row) => splitRow(row, separator));
  const { value: width, count } = mode(split.map(({ length }) => length));
  if (width < 2) {
    return count >= 0.9 * rows.length
      ? open("every line is one word", rows.length >= 5)
      : none("its lines have no columns");
  }
  // One row of a short file may be at fault, and the file is columns all the same; two lines of prose differ as well.
  if (rows.length < 3 && count < rows.length && separator === "blanks")
    return none("its lines differ in their columns");
  if (count < (rows.length < 5 ? 0.5 : 0.8) * rows.length) return none("its lines differ in their columns");
  const usual = split.filter(({ length }) => length === width);
  const first = rows.slice(0, groups[0]).filter((row) => splitRow(row, separator).length === width);
  const layout = detectLayout(first.length > 0 ? first : usual.map((fields) => fields.join("\t")));
  const table: Table = {
    text,
    width,
    isUniform: count === rows.length,
    words: usual.map((fields) => (fields[layout.word - 1] ?? "").trim()),
    values: usual.map((fields) => (fields[layout.label - 1] ?? "").trim()),
  };
  return separator === "tab" ? tabbedEvidence(table) : blankEvidence(table);
}

interface Table {
  readonly text: TextRows;
  readonly width: number;
  /** Whether every row has as many columns. */
  readonly isUniform: boolean;
  readonly words: readonly string[];
  readonly values: readonly string[];
}

function tabbedEvidence(table: Table): ColumnEvidence {
  const { words, values } = table;
  if (share(words, (word) => /\s/.test(word)) > 0.1) return none("its first column holds more than words");
  if (isChunked(values)) return labels("a column holds labels of entities");
  if (share(values, mayBeLabel) < 0.95) return none("its last column holds no labels");
  if (hasOutside(values)) return labels("a column holds O and types of entities");
  if (share(values, isUniversalTag) >= 0.9 && values.length > 1)
    return labels("a column holds universal parts of speech");
  if (hasSentences(table) && (repeats(values) || share(values, isTag) >= 0.9))
    return labels("labels repeat over its sentences");
  return open("its last column may hold labels or other things", true);
}

/** Prose has blanks between words: only labels that prose does not end its lines with are believed. */
function blankEvidence(table: Table): ColumnEvidence {
  const { width, words, values, isUniform } = table;
  if (width > 6) return none("its lines are long, as those of prose are");
  const isLabel = (value: string): boolean => isTypedChunk(value) || value === "O";
  if (share(values, isLabel) >= 0.8 && (values.length > 1 || values.every(isEntityLabel)))
    return labels("a column holds labels of entities");
  if (!isUniform) return none("its lines differ in their columns");
  if (isChunked(values) && values.includes("O") && values.length > 1)
    return labels("a column holds labels of entities");
  // Prose that was cut into words ends its lines with stops, which are tags of punctuation too.
  const isProse = share(values, isPunctuation) >= 0.5;
  const isMixed = !isProse && share(words, isCapitalTag) < 0.5 && new Set(values).size > 1;
  if (hasOutside(values) && share(values, isCapitalTag) === 1 && values.length > 1)
    return labels("a column holds O and types of entities");
  if (isMixed && values.length > 2 && share(values, isUniversalTag) >= 0.95 && share(values, isTag) >= 0.95)
    return labels("a column holds universal parts of speech");
  if (isMixed && values.length > 4 && share(values, isTag) >= 0.95 && hasSentences(table))
    return labels("tags repeat over its sentences");
  return open(
    "all of its lines have as many words, and the last may be labels",
    !isProse && values.length >= 5,
  );
}

/** What prose does not end with: `B-PER`. */
const isEntityLabel = (value: string): boolean => /^[BIESLU]-[A-Z]\w*$/.test(value);

/** Labels of chunks, perhaps with some of a tokenizer's own among them. */
const isChunked = (values: readonly string[]): boolean =>
  share(values, isChunkLabel) >= 0.5 && (values.includes("O") || share(values, isTypedChunk) >= 0.5);

/** `O` for what is outside, and names of types without a prefix. */
const hasOutside = (values: readonly string[]): boolean =>
  share(values, (value) => value === "O") >= 0.2 &&
  share(values, (value) => /^[\p{L}_-]+$/u.test(value)) >= 0.95;

/** Rows in groups as sentences are: empty lines between them, or signs among the words. */
function hasSentences({ text: { groups }, words }: Table): boolean {
  const rows = groups.reduce((sum, group) => sum + group, 0);
  return (groups.length > 1 && rows >= 2 * groups.length) || share(words, isPunctuation) >= 0.03;
}

const repeats = (values: readonly string[]): boolean =>
  values.length < 20 ? new Set(values).size < values.length : new Set(values).size <= 0.5 * values.length;
