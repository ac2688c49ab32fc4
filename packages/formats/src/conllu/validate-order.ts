import type { Report } from "./problem.js";

/** The ID of a row, taken apart, and the line it is on. */
export type RowId =
  | { readonly kind: "word"; readonly line: number; readonly text: string; readonly id: number }
  | {
      readonly kind: "multiword";
      readonly line: number;
      readonly text: string;
      readonly first: number;
      readonly last: number;
    }
  | {
      readonly kind: "empty";
      readonly line: number;
      readonly text: string;
      readonly after: number;
      readonly index: number;
    };

const wordPattern = /^[1-9][0-9]*$/;
const rangePattern = /^([1-9][0-9]*)-([1-9][0-9]*)$/;
const emptyPattern = /^(0|[1-9][0-9]*)\.([1-9][0-9]*)$/;

/** The ID in the first column, or undefined where it is none. */
export function rowId(text: string, line: number): RowId | undefined {
  if (wordPattern.test(text)) return { kind: "word", line, text, id: Number(text) };
  const range = rangePattern.exec(text);
  if (range !== null)
    return { kind: "multiword", line, text, first: Number(range[1]), last: Number(range[2]) };
  const empty = emptyPattern.exec(text);
  if (empty === null) return undefined;
  return { kind: "empty", line, text, after: Number(empty[1]), index: Number(empty[2]) };
}

/**
 * Checks the IDs of one sentence: words count 1, 2, 3, …; empty nodes i.1, i.2, … follow word i; a range stands
 * directly before its first word (behind the empty nodes there), inside the sentence, and overlaps no other.
 *
 * @returns whether all is well
 */
export function checkOrder(rows: readonly RowId[], say: Report): boolean {
  let isInOrder = true;
  const report: Report = (...problem) => {
    isInOrder = false;
    say(...problem);
  };
  const wordCount = rows.reduce((count, row) => count + (row.kind === "word" ? 1 : 0), 0);
  let word = 0;
  let emptyIndex = 0;
  let covered = 0;
  let previous: RowId | undefined;
  for (const row of rows) {
    switch (row.kind) {
      case "word":
        if (row.id !== word + 1) {
          report(row.line, 1, "word-order", "word ID", String(word + 1), row.text);
        }
        // Continue from the number that is there: one gap is one problem.
        word = row.id;
        emptyIndex = 0;
        break;
      case "multiword":
        if (row.last < row.first) {
          report(row.line, 1, "range-reversed", "range", "the lower number first", row.text);
        } else if (row.first !== word + 1) {
          report(row.line, 1, "range-place", "range", `a range from ${word + 1}, the next word`, row.text);
        } else if (row.first <= covered) {
          report(row.line, 1, "range-overlap", "range", `a range from ${covered + 1} or later`, row.text);
        }
        if (row.last > wordCount) {
          report(row.line, 1, "range-bounds", "range", `at most word ${wordCount}`, row.text);
        }
        covered = Math.max(covered, row.last);
        break;
      case "empty":
        if (row.after !== word || row.index !== emptyIndex + 1) {
          report(row.line, 1, "empty-node-order", "empty node", `${word}.${emptyIndex + 1}`, row.text);
        } else if (previous?.kind === "multiword") {
          const expected = `the node before the range ${previous.text}`;
          report(row.line, 1, "empty-node-order", "empty node", expected, `${row.text} behind it`);
        }
        emptyIndex = row.after === word ? row.index : emptyIndex;
        break;
      default:
        row satisfies never;
    }
    previous = row;
  }
  return isInOrder;
}
