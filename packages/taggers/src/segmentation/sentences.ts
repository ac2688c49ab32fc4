import { ABBREVIATIONS, SENTENCE_FINAL_SPLIT } from "./lexicon.js";
import type { Span } from "./tokens.js";

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** A piece that cannot be the end of a sentence: it ends in an abbreviation, an initial or a list number. */
const LAST_WORD = /(?:^|[\s("'“‘[])([\p{L}.]+|\d{1,2})\.\s*$/u;

/**
 * Where the sentences of a text are.
 *
 * Unicode's sentence break rules (UAX 29, through `Intl.Segmenter`), then: pieces that end in an abbreviation, an initial or
 * the number of a list item are joined with the next one; a blank line ends a sentence, a single line break does not; white space is
 * outside.
 *
 * @example
 * ```ts
 * sentenceSpans("Dr. Who is in. Ask him."); // [{ start: 0, end: 14 }, { start: 15, end: 23 }]
 * ```
 */
export function sentenceSpans(text: string): Span[] {
  const spans: Span[] = [];
  const paragraph = /\S(?:[^\n\r]|\r?\n(?!\s*?\r?\n)|\r(?!\n))*/gu;
  for (const match of text.matchAll(paragraph)) paragraphSentences(text, match.index, match[0], spans);
  return spans;
}

function paragraphSentences(text: string, offset: number, paragraph: string, spans: Span[]): void {
  // UAX 29 ends a sentence at every line break; prose is often wrapped, and the offsets stay the same.
  const unwrapped = paragraph.replace(/[\r\n\u2028\u0085]/gu, " ");
  let start: number | undefined;
  for (const { index, segment } of segmenter.segment(unwrapped)) {
    start ??= index;
    const end = index + segment.length;
    const rest = unwrapped.slice(end);
    if (rest.trim() !== "" && !mayEnd(unwrapped.slice(start, end), rest)) continue;
    pushTrimmed(text, offset + start, offset + end, spans);
    start = undefined;
  }
  if (start !== undefined) pushTrimmed(text, offset + start, offset + paragraph.length, spans);
}

const LONGEST_ENDING = 60;

function mayEnd(piece: string, rest: string): boolean {
  // The end alone decides; a piece may have grown over many abbreviations.
  const word = LAST_WORD.exec(piece.slice(-LONGEST_ENDING))?.[1];
  if (word === undefined) return true;
  if (/^\d+$/u.test(word)) return piece.trim() !== `${word}.`;
  if (/^\p{Lu}$/u.test(word) && word !== "I") return false;
  const lower = word.toLowerCase();
  // "at 5 p.m. The show", "in the U.S. He": a capital word that often begins sentences decides.
  if (/^\p{L}(?:\.\p{L})+$/u.test(word) || SENTENCE_FINAL_SPLIT.has(lower)) return OPENER.test(rest);
  return !ABBREVIATIONS.has(lower);
}

const OPENER =
  /^\s*["'“‘(]?(?:The|A|An|This|That|These|Those|It|He|She|We|You|They|I|There|Here|In|On|At|For|But|And|So|If|When|While|After|Before|What|Why|How|Who|Where|My|Our|Your|His|Her|Their|Its|No|Not|Yes|As|To|Please|Then|However)\b/u;

function pushTrimmed(text: string, start: number, end: number, spans: Span[]): void {
  const piece = text.slice(start, end);
  const from = start + (piece.length - piece.trimStart().length);
  const to = start + piece.trimEnd().length;
  if (to > from) spans.push({ start: from, end: to });
}
