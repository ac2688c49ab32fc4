import { cutBefore, SEPARATOR, trimmed, withoutFormat } from "./characters.js";
import {
  ABBREVIATIONS,
  HYPHENATED_WORDS,
  HYPHEN_PREFIXES,
  SENTENCE_FINAL_SPLIT,
  SLASHED_WORDS,
} from "./lexicon.js";
import { matchToken } from "./token-patterns.js";

/** A stretch of text in UTF-16 units: `text.slice(start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const WORD_SCRIPT_WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * The surface tokens of one sentence by the conventions of UD English-EWT: contractions are still whole here.
 *
 * @param text any text; only `start` to `end` is read.
 * @returns spans in order that do not overlap and leave out nothing but separators, and outside of words format
 *   characters and marks without a letter. No span begins with a mark; format characters inside of a word belong to it.
 */
export function tokenSpans(text: string, start = 0, end = text.length): Span[] {
  const tokens: Span[] = [];
  const sentence = text.slice(start, end);
  const last = trimmed(sentence, 0, sentence.length).end;
  for (const { index, 0: chunk } of sentence.matchAll(CHUNK)) {
    const chunkEnd = index + chunk.length;
    for (let at = index; at < chunkEnd; ) {
      const stop = windowEnd(sentence, at, chunkEnd);
      splitChunk(sentence.slice(at, stop), start + at, stop === last, tokens);
      at = stop;
    }
  }
  return tokens;
}

const CHUNK = new RegExp(`[^${SEPARATOR}]+`, "gu");

/**
 * Most UTF-16 units of a word (beside marks on its last letter); patterns look no further, so that time stays linear in
 * the text.
 */
export const longestWord = 1000;

function windowEnd(text: string, start: number, chunkEnd: number): number {
  const limit = start + longestWord;
  if (limit >= chunkEnd) return chunkEnd;
  const end = cutBefore(text, limit);
  MARKS.lastIndex = end;
  return MARKS.test(text) ? Math.min(MARKS.lastIndex, chunkEnd) : end;
}

const MARKS = /\p{M}+/uy;

/** Adds the tokens of a run of characters without separators; `offset` is its place in the text. */
function splitChunk(run: string, offset: number, isLast: boolean, tokens: Span[]): void {
  const { text: chunk, origins } = withoutFormat(run);
  const origin = (at: number): number => offset + (origins === undefined ? at : (origins[at] as number));
  const places = new Map<string, number>();
  const last = (character: string): number => {
    let place = places.get(character);
    if (place === undefined) places.set(character, (place = chunk.lastIndexOf(character)));
    return place;
  };
  // Marks without a letter before them are no word.
  MARKS.lastIndex = 0;
  for (let at = MARKS.test(chunk) ? MARKS.lastIndex : 0; at < chunk.length; ) {
    let stop = tokenEnd(chunk, at, isLast, last);
    MARKS.lastIndex = stop;
    if (MARKS.test(chunk)) stop = MARKS.lastIndex;
    tokens.push({ start: origin(at), end: origin(stop - 1) + 1 });
    at = stop;
  }
}

function tokenEnd(
  chunk: string,
  at: number,
  isLastChunk: boolean,
  last: (character: string) => number,
): number {
  const slashed = slashedWordEnd(chunk, at);
  if (slashed !== undefined) return slashed;
  const end = matchToken(chunk, at, last);
  if (end === undefined) return at + String.fromCodePoint(chunk.codePointAt(at) as number).length;
  const stop = isWordLike(chunk, at, end) ? withHyphens(chunk, at, end) : end;
  return withPeriod(chunk, at, withPossessiveQuote(chunk, at, stop), isLastChunk);
}

const isWordLike = (chunk: string, at: number, stop: number): boolean =>
  /^[\p{L}\p{M}\p{N}'’]+$/u.test(chunk.slice(at, stop));

function slashedWordEnd(chunk: string, at: number): number | undefined {
  if (at > 0) return undefined;
  const match = /^[\p{L}]{1,3}\/\p{L}{0,3}(?![\p{L}\p{N}/])/u.exec(chunk);
  return match !== null && SLASHED_WORDS.has(match[0].toLowerCase()) ? match[0].length : undefined;
}

/** `non-profit` is one word, `15-year` three: the hyphen stays only behind a prefix or inside a listed word. */
function withHyphens(chunk: string, at: number, stop: number): number {
  if (chunk[stop] !== "-") return stop;
  const rest = /^-[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)?/u.exec(chunk.slice(stop));
  if (rest === null) return stop;
  const joined = stop + rest[0].length;
  const isPrefix = HYPHEN_PREFIXES.has(chunk.slice(at, stop).toLowerCase());
  return isPrefix || HYPHENATED_WORDS.has(chunk.slice(at, joined).toLowerCase()) ? joined : stop;
}

/** The apostrophe of a plural possessive (`workers'`) unless an opening quote before it in the chunk wants it. */
function withPossessiveQuote(chunk: string, at: number, stop: number): number {
  if (
    !/^['’](?![\p{L}\p{N}])/u.test(chunk.slice(stop)) ||
    chunk.startsWith("''", stop) ||
    chunk.startsWith("’’", stop)
  )
    return stop;
  if (!/\p{L}[sS]$/u.test(chunk.slice(at, stop))) return stop;
  return /['’‘`]/u.test(chunk.slice(0, at)) ? stop : stop + 1;
}

function withPeriod(chunk: string, at: number, stop: number, isLastChunk: boolean): number {
  if (chunk[stop] !== "." || chunk[stop + 1] === ".") return stop;
  const word = chunk.slice(at, stop);
  if (!/^[\p{L}.]+$/u.test(word)) return stop;
  const endsSentence = isLastChunk && /^\.[)\]"'”’]*$/u.test(chunk.slice(stop));
  const lower = word.toLowerCase();
  if (/^\p{Lu}$/u.test(word) && word !== "I") return endsSentence ? stop : stop + 1;
  if (/^\p{L}(?:\.\p{L})+$/u.test(word)) return stop + 1;
  if (!ABBREVIATIONS.has(lower)) return stop;
  return endsSentence && SENTENCE_FINAL_SPLIT.has(lower) ? stop : stop + 1;
}

let segmenter: Intl.Segmenter | undefined;
const wordSegmenter = (): Intl.Segmenter => (segmenter ??= new Intl.Segmenter("en", { granularity: "word" }));

/** Cuts a token of a script that puts no spaces between words where Unicode's word break rules (UAX 29) cut it. */
export function splitUnspaced(form: string): number[] {
  if (!WORD_SCRIPT_WITHOUT_SPACES.test(form)) return [];
  const cuts: number[] = [];
  for (const { index, segment } of wordSegmenter().segment(form)) {
    // Format characters and marks belong to what stands before them.
    if (index > 0 && !/^[\p{Cf}\p{M}]/u.test(segment)) cuts.push(index);
  }
  return cuts;
}
