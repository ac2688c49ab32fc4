import { cutBefore, hasSeparator, trimmed } from "./characters.js";
import { rulesOf } from "./language-rules.js";
import type { Language } from "./languages/find-language.js";
import type { Span } from "./tokens.js";

/** Most UTF-16 units of a piece, and so of a sentence: memory is bounded by it, whatever a text holds. */
export const longestPiece = 1 << 16;

/** A sentence end is sure when so much text stands behind it: rules look no further. */
const LOOK_AHEAD = 1 << 10;

const LINE_END = "(?:\\r\\n|\\n|\\r(?!\\n))";
const GAP = new RegExp(`${LINE_END}[^\\S\\r\\n]*${LINE_END}\\s*`, "u");

/** How a text is cut into sentences. */
export interface SentenceOptions {
  /** Its language: a BCP 47 tag, or settings of one. English unless it is given; neutral for tags not known. */
  readonly language?: Language | undefined;
  /** Whether each line is one sentence; without it a line break alone ends none. */
  readonly onePerLine?: boolean | undefined;
}

/** Whether each line is one sentence, and whether nothing follows the text. */
export interface PieceOptions extends Pick<SentenceOptions, "onePerLine"> {
  readonly isWhole: boolean;
}

/**
 * Where the first piece of a text ends: a stretch that no sentence crosses, so that a text can be read piece by piece
 * with the same sentences.
 *
 * A piece ends at an empty line (at every line end where each line is a sentence); a longer one than
 * {@link longestPiece} behind its last sure sentence (of English in any language: whoever cuts a text for others may
 * not know its language, and the pieces must be the same); a sentence that is longer, at its last white space, or
 * anywhere.
 *
 * @param text from the end of the piece before it.
 * @returns UTF-16 units; 0 if more of the text must be read.
 */
export function pieceEnd(text: string, { isWhole, onePerLine = false }: PieceOptions): number {
  const window = text.length > longestPiece ? text.slice(0, longestPiece) : text;
  const end = onePerLine ? lastLineEnd(window) : gapEnd(window);
  if (end > 0) return end;
  if (text.length <= longestPiece) return isWhole ? text.length : 0;
  return (onePerLine ? undefined : sureEnd(window)) ?? forcedEnd(window);
}

function gapEnd(window: string): number {
  const gap = GAP.exec(window);
  return gap === null ? 0 : gap.index + gap[0].length;
}

function lastLineEnd(window: string): number {
  // Perhaps the first half of a Windows line end.
  const known = window.endsWith("\r") ? window.length - 2 : window.length - 1;
  return Math.max(window.lastIndexOf("\n", known), window.lastIndexOf("\r", known)) + 1;
}

function sureEnd(window: string): number | undefined {
  return rulesOf()
    .sentencesOf(window)
    .slice(1)
    .findLast(({ start }) => start <= window.length - LOOK_AHEAD)?.start;
}

function forcedEnd(window: string): number {
  for (let at = window.length - 1; at > 0; at--) if (hasSeparator(window[at] as string)) return at + 1;
  return cutBefore(window, window.length - 1);
}

/**
 * Where the sentences of a text are: as {@link sentenceSpans}, one after the other as they are asked for.
 */
export function* sentencesOf(text: string, options: SentenceOptions = {}): Generator<Span> {
  const { sentencesOf: sentencesOfPiece } = rulesOf(options.language);
  for (let at = 0; at < text.length; ) {
    // Only as much of the text is copied as one piece may need.
    const ahead = text.slice(at, at + longestPiece + 1);
    const end =
      at + pieceEnd(ahead, { onePerLine: options.onePerLine, isWhole: at + ahead.length === text.length });
    const piece = text.slice(at, end);
    for (const span of options.onePerLine === true ? linesOf(piece) : sentencesOfPiece(piece)) {
      yield { start: at + span.start, end: at + span.end };
    }
    at = end;
  }
}

function* linesOf(piece: string): Generator<Span> {
  for (const { index, 0: line } of piece.matchAll(/[^\r\n]+/gu)) {
    const span = trimmed(piece, index, index + line.length);
    if (span.end > span.start) yield span;
  }
}

/**
 * Where the sentences of a text are.
 *
 * Unicode's sentence break rules (UAX 29, through `Intl.Segmenter`) and what the language's settings add to them (of
 * English what UD English-EWT does, see decision 053). An empty line ends a sentence, a single line break does not
 * (unless each line is a sentence); white space is outside. A sentence of more than 65,536 UTF-16 units is cut, at
 * white space where it has some.
 *
 * @example
 * ```ts
 * sentenceSpans("Dr. Who is in. Ask him."); // [{ start: 0, end: 14 }, { start: 15, end: 23 }]
 * ```
 */
export function sentenceSpans(text: string, options?: SentenceOptions): Span[] {
  return [...sentencesOf(text, options)];
}
