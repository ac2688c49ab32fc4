/**
 * What separates words, as a character class: Unicode's white space, U+FEFF (a byte order mark wherever files were
 * joined) and control characters, of which U+0085 and U+001C to U+001F count as white space in other languages'
 * libraries.
 */
export const SEPARATOR = "\\s\\p{White_Space}\\p{Cc}";

const ONE = new RegExp(`[${SEPARATOR}]`, "u");

/** Whether a character that separates words is in a text. */
export const hasSeparator = (text: string): boolean => ONE.test(text);

const LEADING = new RegExp(`^[${SEPARATOR}]+`, "u");
const TRAILING = new RegExp(`(?<![${SEPARATOR}])[${SEPARATOR}]+$`, "u");

/** The part of a stretch of text that has no separators around it; empty where there is nothing else. */
export function trimmed(text: string, start: number, end: number): { start: number; end: number } {
  const piece = text.slice(start, end);
  const from = start + (LEADING.exec(piece)?.[0].length ?? 0);
  if (from === end) return { start: end, end };
  return { start: from, end: end - (TRAILING.exec(piece)?.[0].length ?? 0) };
}

const FORMAT = /\p{Cf}/u;
/** Joiners between pictographs, and the tags that spell a flag behind one: these make one character of several. */
const EMOJI_PART =
  /(?<=[\p{Extended_Pictographic}\p{EMod}\uFE0F])\u200D(?=\p{Extended_Pictographic})|(?<=[\p{Extended_Pictographic}\u{E0020}-\u{E007F}])[\u{E0020}-\u{E007F}]/uy;

/** A text without the characters that only format it, and where each of its UTF-16 units came from. */
export interface Unformatted {
  readonly text: string;
  /** Place in the original of a unit; undefined where nothing was left out. */
  readonly origins?: Int32Array;
}

/**
 * Leaves out format characters (soft hyphens, zero-width spaces and joiners, bidirectional marks) so that they cut no
 * word; those inside of emoji stay.
 */
export function withoutFormat(text: string): Unformatted {
  if (!FORMAT.test(text)) return { text };
  const origins = new Int32Array(text.length);
  let kept = "";
  let at = 0;
  for (const character of text) {
    EMOJI_PART.lastIndex = at;
    if (!FORMAT.test(character) || EMOJI_PART.test(text)) {
      for (let unit = 0; unit < character.length; unit++) origins[kept.length + unit] = at + unit;
      kept += character;
    }
    at += character.length;
  }
  return { text: kept, origins };
}

/**
 * A place at or before `at` where a text may be cut: inside of no surrogate pair and before no mark, joiner or format
 * character.
 */
export function cutBefore(text: string, at: number): number {
  for (let cut = at; cut > Math.max(0, at - LONGEST_CHARACTER); cut--) {
    const isInside = /[\uDC00-\uDFFF]/.test(text[cut] ?? "") && /[\uD800-\uDBFF]/.test(text[cut - 1] ?? "");
    if (
      !isInside &&
      !CONTINUES.test(String.fromCodePoint(text.codePointAt(cut) ?? 0x20)) &&
      text[cut - 1] !== "\u200D"
    )
      return cut;
  }
  return at;
}

/** Characters of more units than this are cut all the same. */
const LONGEST_CHARACTER = 64;
const CONTINUES = /[\p{M}\p{Cf}\p{EMod}]/u;
