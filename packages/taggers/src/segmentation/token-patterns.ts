import { NAME_ENDINGS } from "./lexicon.js";

const LETTER = "\\p{L}\\p{M}";
const APOSTROPHE = "['’´`]";

/**
 * What a token may look like; `needs`: characters of which one must stand in the rest of the chunk for the pattern to
 * match.
 */
interface Pattern {
  readonly pattern: RegExp;
  readonly needs?: string;
}

/**
 * What may stand at a place in a run of characters without white space, most particular first. Every alternative is
 * tried only where the previous token ended, so none needs to look back.
 */
const PATTERNS: readonly Pattern[] = [
  // Web addresses, up to the punctuation that belongs to the sentence
  {
    pattern:
      /(?:(?:https?|ftp|file):\/\/|www\.(?=[^.\s]))[^\s<>"“”]*[^\s<>"“”.,;:!?'’()[\]{}*]\/?|(?:https?|ftp):\/\/[^\s<>"“”]+/iuy,
    needs: ":.",
  },
  // E-mail addresses, also shortened ("name...@host.com") and internal ones ("Name/Unit@FIRM")
  {
    pattern:
      /(?:mailto:)?[\p{L}\p{N}_](?:[\p{L}\p{N}._%+-]|['’](?=\p{L}))*@[\p{L}\p{N}_](?:[\p{L}\p{N}._-]*[\p{L}\p{N}_])?/iuy,
    needs: "@",
  },
  // Hash tags, user names
  { pattern: /(?:[@#][\p{L}_]|#(?=\p{N}+\p{L}))[\p{L}\p{M}\p{N}_]*/uy, needs: "@#" },
  // Emoticons
  {
    pattern:
      /(?:[:;=8]['’]?[-^o]?[)(\][DPpOo3/\\|*@}{]+(?![\p{L}\p{N}/])|[xX]D(?![\p{L}\p{N}])|<\/?3(?!\p{N})|\^[_.-]?\^|[([][-^]?[:;=8](?![\p{L}\p{N}:])|[oO][._][oO](?![\p{L}\p{N}])|>[:;]\()/uy,
  },
  // Pictographs with their modifiers and joiners; flags
  {
    pattern:
      /\p{Extended_Pictographic}(?:\p{EMod}|\uFE0F|[\u{E0020}-\u{E007F}]|\u200D\p{Extended_Pictographic})*|\p{RI}\p{RI}/uy,
  },
  // File and host names
  {
    pattern: new RegExp(
      `[${LETTER}\\p{N}_](?:[${LETTER}\\p{N}_#-]|\\.(?=[${LETTER}\\p{N}_#-]))*\\.(?:${NAME_ENDINGS})(?::\\d{2,5})?(?:(?:/|\\?(?=[\\p{L}\\p{N}_]+=))[^\\s<>"“”]*[^\\s<>"“”.,;:!?'’()\\]])?(?![${LETTER}\\p{N}])`,
      "iuy",
    ),
    needs: ".",
  },
  // Newsgroups and the like: three parts or more in small letters
  { pattern: /[a-z]{2,}(?:\.[a-z][a-z-]+){2,}(?![\p{L}\p{N}])/uy, needs: "." },
  // Letters with a period after each: U.S., p.m., a.k.a; the last period may be missing
  {
    pattern: new RegExp(
      `\\p{L}\\.(?:\\p{L}\\.)+(?!\\p{L}{2})|\\p{L}(?:\\.\\p{L})+(?![${LETTER}\\p{N}])`,
      "uy",
    ),
    needs: ".",
  },
  // Dates: 01-Feb-02, 2001-02-03, also with a time of the day
  {
    pattern:
      /\d{1,2}-(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}-\d{2,4}(?!\d)|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?(?![\p{L}\p{N}])/iuy,
    needs: "-",
  },
  // Dates, times, telephone numbers; also extensions of four digits ("X3-5290")
  { pattern: /\d{1,4}\/\d{1,2}(?:\/\d{1,4})?(?![\p{L}\p{N}])|\d{3}\/\d{3}-\d{4}(?!\d)/uy },
  {
    pattern:
      /(?:\+?\d{1,3}-)?(?:\d{3}-)\d{3}-\d{4}(?!\d)|\d{3}-\d{4}(?![\d-])|\d-\d{4}(?![\d-])|\d{1,4}-\d{1,2}-\d{1,4}(?!\d)|\d{5}-\d{4}(?!\d)|\d{3}\.\d{3}\.\d{4}(?!\d)/uy,
  },
  { pattern: /\d{1,2}:\d{2}(?::\d{2})?(?!\d)|\d+(?:\.\d+){2,}(?!\d)/uy },
  // Ordinals and decades, also with an apostrophe
  {
    pattern: /\d+(?:st|nd|rd|th|s)(?![\p{L}\p{N}])|\d+['’]s(?![\p{L}\p{N}])|['’]\d0?\ds?(?![\p{L}\p{N}])/iuy,
  },
  // Generations of networks and the like: 3G
  { pattern: /\d[GD](?![\p{L}\p{N}])/uy },
  // A number with its unit or am/pm: only the number here; the unit follows as the next token
  {
    pattern:
      /\d+(?:,\d{3})*(?:\.\d+)?(?=(?:[ap]m|[kmb]|mm|cm|km|kg|mg|g|lbs?|oz|ft|hrs?|mins?|secs?|yrs?|mph|ghz|mhz|gb|mb|kb|kw|mw|mwh|bn|mn)(?![\p{L}\p{N}]))/iuy,
  },
  // Versions: v1.2
  { pattern: /v\d+(?:\.\d+)+(?![\p{L}\p{N}])/iuy, needs: "." },
  // Letters and digits mixed: CO2, 3D, AS400
  { pattern: /(?=[\p{L}\p{N}]*\p{L})(?=[\p{L}\p{N}]*\p{N})[\p{L}\p{N}_]+(?:-\d+)?(?![\p{L}\p{N}])/uy },
  // Numbers, a sign before them if nothing stands there
  {
    pattern:
      /\d+(?:,\d{3})+(?:\.\d+)?|\d+,\d{2}(?![\d,])|\d+(?:\.\d+)?|(?<![\p{L}\p{N}])\.\d+|(?<!\S)\+\d+/uy,
  },
  // Currency with its country
  { pattern: /(?:US|U|A|C|NZ|HK|AU|CA)\$/y },
  // Letters joined by an ampersand: AT&T
  { pattern: /[\p{Lu}]{1,4}&\p{Lu}{1,3}(?!\p{L})|\p{Ll}&\p{Ll}(?!\p{L})/uy, needs: "&" },
  // Letters with underscores
  { pattern: /[\p{L}\p{N}]+(?:_[\p{L}\p{N}]+)+/uy, needs: "_" },
  // Words that begin with an apostrophe of their own
  { pattern: /['’](?:em|n|cause|til|till|tis|twas|bout|round|cuz|s|re|ve|ll|m|d)(?![\p{L}\p{N}'’])/iuy },
  // Runs: ellipsis, dashes, exclamation, quotes, rules
  {
    pattern:
      /\.{2,}|-{2,}|—+|–+|[!?]+(?:[!?.]*[!?])?|\.[!?]+|''|``|’’|‘‘|‘’|<<+|>>+|[*~]{3,}|([*=_~#+^•·$])\1+/uy,
  },
  // Names with a mark of their own
  { pattern: /Yahoo!(?!\p{L})/uy, needs: "!" },
  // Censored words
  { pattern: /\p{L}+\*+\p{L}+/uy, needs: "*" },
  // Words, with inner apostrophes
  { pattern: new RegExp(`[${LETTER}]+(?:${APOSTROPHE}[${LETTER}]+)*`, "uy") },
];

/**
 * The end of the token that begins at a place in a chunk, or undefined if it is one character that no pattern knows.
 *
 * @param last place of the last occurrence of a character in the chunk.
 */
export function matchToken(
  chunk: string,
  at: number,
  last: (character: string) => number,
): number | undefined {
  for (const { pattern, needs } of PATTERNS) {
    if (needs !== undefined && !hasOne(needs, at, last)) continue;
    pattern.lastIndex = at;
    if (pattern.test(chunk)) return pattern.lastIndex;
  }
  return undefined;
}

function hasOne(needs: string, at: number, last: (character: string) => number): boolean {
  for (const character of needs) if (last(character) >= at) return true;
  return false;
}
