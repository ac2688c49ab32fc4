import { FormatError, type FormatErrorCode } from "../format-error.js";
import type { Row } from "./sentence.js";

const tab = 9;
const dash = 45;
const dot = 46;
const zero = 48;
const underscore = 95;

/** Builds the error of one line. */
export type Refuse = (
  code: FormatErrorCode,
  what: string,
  expected: string,
  got: string,
  column?: number,
) => FormatError;

/** Number written in [start, end) without sign or leading zero and below 10^9, or −1. */
export function integerIn(text: string, start: number, end: number): number {
  const length = end - start;
  if (length < 1 || length > 9) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - zero;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return length > 1 && text.charCodeAt(start) === zero ? -1 : value;
}

/**
 * One row from text[start, end), which holds no newline. The fields are sought character by character: they are
 * five characters long on average, and the loop makes no array.
 */
export function parseRow(text: string, start: number, end: number, refuse: Refuse): Row {
  let at = start;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  const t1 = at++;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  const t2 = at++;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  const t3 = at++;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  const t4 = at++;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  const t5 = at++;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  const t6 = at++;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  const t7 = at++;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  const t8 = at++;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  const t9 = at++;
  while (at < end && text.charCodeAt(at) !== tab) at++;
  if (t9 >= end || at < end) {
    const columns = text.slice(start, end).split("\t").length;
    throw refuse("column-count", "column count", "10", String(columns));
  }

  const form = field(text, t1, t2);
  const lemma = field(text, t2, t3);
  const upos = field(text, t3, t4);
  const xpos = field(text, t4, t5);
  const feats = field(text, t5, t6);
  let head: number | undefined;
  if (t7 - t6 !== 2 || text.charCodeAt(t6 + 1) !== underscore) {
    head = integerIn(text, t6 + 1, t7);
    if (head < 0) {
      throw refuse("invalid-value", "HEAD", "a number or _", JSON.stringify(text.slice(t6 + 1, t7)), 7);
    }
  }
  const deprel = field(text, t7, t8);
  const deps = field(text, t8, t9);
  const misc = field(text, t9, end);

  const id = integerIn(text, start, t1);
  if (id > 0) return { kind: "word", id, form, lemma, upos, xpos, feats, head, deprel, deps, misc };
  let mark = start;
  while (mark < t1 && text.charCodeAt(mark) !== dash && text.charCodeAt(mark) !== dot) mark++;
  const left = integerIn(text, start, mark);
  const right = integerIn(text, mark + 1, t1);
  const isRange = text.charCodeAt(mark) === dash;
  if (mark === t1 || left < (isRange ? 1 : 0) || right < 1) {
    const expected = "a number from 1, a range such as 2-3, or an empty node such as 5.1";
    throw refuse("invalid-value", "ID", expected, JSON.stringify(text.slice(start, t1)), 1);
  }
  const columns = { form, lemma, upos, xpos, feats, head, deprel, deps, misc };
  return isRange
    ? { kind: "multiword", first: left, last: right, ...columns }
    : { kind: "empty", after: left, index: right, ...columns };
}

/** The text between two tabs; `_`, the most frequent value by far, is not copied. */
function field(text: string, before: number, after: number): string {
  if (after - before === 2 && text.charCodeAt(before + 1) === underscore) return "_";
  return text.slice(before + 1, after);
}
