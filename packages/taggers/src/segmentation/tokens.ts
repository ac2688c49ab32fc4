import { cutBefore, SEPARATOR, trimmed, withoutFormat } from "./characters.js";
import type { LanguageSettings } from "./languages/language-settings.js";
import { makeTokenRules, type TokenRules } from "./token-rules.js";

/** A stretch of text in UTF-16 units: `text.slice(start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const WORD_SCRIPT_WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * Finds the surface tokens of one sentence of `text`, which is read from `start` to `end` only: spans in order that do
 * not overlap and leave out nothing but separators, and outside of words format characters and marks without a letter.
 * No span begins with a mark; format characters inside of a word belong to it. Contractions are still whole here.
 */
export type TokenCutter = (text: string, start: number, end: number) => Span[];

/** The tokens of a language. */
export function makeTokenCutter(language: LanguageSettings): TokenCutter {
  const rules = makeTokenRules(language);
  return (text, start, end) => {
    const tokens: Span[] = [];
    const sentence = text.slice(start, end);
    const last = trimmed(sentence, 0, sentence.length).end;
    for (const { index, 0: chunk } of sentence.matchAll(CHUNK)) {
      const chunkEnd = index + chunk.length;
      for (let at = index; at < chunkEnd; ) {
        const stop = windowEnd(sentence, at, chunkEnd);
        const run = { text: sentence.slice(at, stop), offset: start + at, isLast: stop === last };
        splitRun(run, rules, tokens);
        at = stop;
      }
    }
    return tokens;
  };
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

/** A run of characters without separators, its place in the text, and whether the sentence ends with it. */
interface Run {
  readonly text: string;
  readonly offset: number;
  readonly isLast: boolean;
}

/** Adds the tokens of a run. */
function splitRun({ text, offset, isLast }: Run, { tokenEnd }: TokenRules, tokens: Span[]): void {
  const { text: chunk, origins } = withoutFormat(text);
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
    let stop = tokenEnd({ chunk, isLast, last }, at);
    MARKS.lastIndex = stop;
    if (MARKS.test(chunk)) stop = MARKS.lastIndex;
    tokens.push({ start: origin(at), end: origin(stop - 1) + 1 });
    at = stop;
  }
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
