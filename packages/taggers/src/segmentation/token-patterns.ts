import { alternatives, classOf } from "./languages/alternatives.js";
import type { LanguageSettings } from "./languages/language-settings.js";

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

/** Endings that make `name.ending` a file or host name rather than two words with a period between. */
const NAME_ENDINGS =
  "aero|asp|aspx|avi|biz|bmp|ca|cfm|co|com|csv|de|dll|doc|docx|edu|eu|exe|fr|gif|gov|gz|htm|html|info|int|io|java|jpeg|jpg|js|json|jsp|md|mil|mov|mp3|mp4|mpg|net|org|pdf|php|png|pps|ppt|pptx|py|rtf|ru|tar|tex|ts|tv|txt|uk|us|wav|wmv|xls|xlsx|xml|yaml|zip";

/** Behind what begins a word nothing of a word follows. */
const END = "(?![\\p{L}\\p{N}])";

/**
 * What may stand at a place in a run of characters without white space, most particular first. Every alternative is
 * tried only where the previous token ended, so none needs to look back.
 */
const patternsOf = (language: LanguageSettings): readonly Pattern[] => [
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
  // Abbreviations with periods inside: f.eks.
  ...abbreviationPatterns(language),
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
    pattern: new RegExp(
      `\\d{1,2}-${alternatives(language.months)}[a-z]{0,6}-\\d{2,4}(?!\\d)|\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d+)?)?(?:Z|[+-]\\d{2}:?\\d{2})?${END}`,
      "iuy",
    ),
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
    pattern: new RegExp(
      `\\d+${alternatives(language.ordinals.suffixes)}${END}|\\d+['’]${alternatives(language.ordinals.behindApostrophe)}${END}|['’]\\d0?\\ds?${END}`,
      "iuy",
    ),
  },
  // Generations of networks and the like: 3G
  { pattern: /\d[GD](?![\p{L}\p{N}])/uy },
  // A number with its unit or am/pm: only the number here; the unit follows as the next token
  {
    pattern: new RegExp(
      `\\d+(?:[${classOf(language.numbers.groups)}]\\d{3})*(?:[${classOf(language.numbers.fractions)}]\\d+)?(?=${alternatives(language.units)}${END})`,
      "iuy",
    ),
  },
  // Versions: v1.2
  { pattern: /v\d+(?:\.\d+)+(?![\p{L}\p{N}])/iuy, needs: "." },
  // Letters and digits mixed: CO2, 3D, AS400
  { pattern: /(?=[\p{L}\p{N}]*\p{L})(?=[\p{L}\p{N}]*\p{N})[\p{L}\p{N}_]+(?:-\d+)?(?![\p{L}\p{N}])/uy },
  // Numbers, a sign before them if nothing stands there
  { pattern: numberPattern(language) },
  // Currency with its country
  { pattern: /(?:US|U|A|C|NZ|HK|AU|CA)\$/y },
  // Letters joined by an ampersand: AT&T
  { pattern: /[\p{Lu}]{1,4}&\p{Lu}{1,3}(?!\p{L})|\p{Ll}&\p{Ll}(?!\p{L})/uy, needs: "&" },
  // Letters with underscores
  { pattern: /[\p{L}\p{N}]+(?:_[\p{L}\p{N}]+)+/uy, needs: "_" },
  // Words that begin with an apostrophe of their own
  {
    pattern: new RegExp(
      `['’]${alternatives([...language.apostropheWords, ...(language.contractions?.clitics ?? [])])}(?![\\p{L}\\p{N}'’])`,
      "iuy",
    ),
  },
  // Runs: ellipsis, dashes, exclamation, quotes, rules
  {
    pattern:
      /\.{2,}|-{2,}|—+|–+|[!?]+(?:[!?.]*[!?])?|\.[!?]+|''|``|’’|‘‘|‘’|<<+|>>+|[*~]{3,}|([*=_~#+^•·$])\1+/uy,
  },
  // Names with a mark of their own
  {
    pattern: new RegExp(`${alternatives(language.markedNames)}(?!\\p{L})`, "uy"),
    needs: marksOf(language.markedNames),
  },
  // Censored words
  { pattern: /\p{L}+\*+\p{L}+/uy, needs: "*" },
  // Words, with inner apostrophes
  { pattern: new RegExp(`[${LETTER}]+(?:${APOSTROPHE}[${LETTER}]+)*`, "uy") },
];

function abbreviationPatterns({ abbreviations }: LanguageSettings): Pattern[] {
  const dotted = abbreviations.filter((word) => word.includes(".")).toSorted((a, b) => b.length - a.length);
  if (dotted.length === 0) return [];
  return [{ pattern: new RegExp(`${alternatives(dotted)}${END}`, "iuy"), needs: "." }];
}

function numberPattern({ numbers }: LanguageSettings): RegExp {
  const [groups, fractions] = [classOf(numbers.groups), classOf(numbers.fractions)];
  const grouped = `\\d+(?:[${groups}]\\d{3})+(?:[${fractions}]\\d+)?`;
  const plain = `\\d+,\\d{2}(?![\\d,])|\\d+(?:[${fractions}]\\d+)?`;
  return new RegExp(`${grouped}|${plain}|(?<![\\p{L}\\p{N}])\\.\\d+|(?<!\\S)\\+\\d+`, "uy");
}

const marksOf = (names: readonly string[]): string => names.join("").replaceAll(/[\p{L}\p{N}]/gu, "");

/**
 * Finds the end of the token that begins at a place in a chunk, or undefined if it is one character that no pattern
 * knows. `last` gives the place of the last occurrence of a character in the chunk.
 */
export type TokenMatcher = (
  chunk: string,
  at: number,
  last: (character: string) => number,
) => number | undefined;

/** What tokens of a language look like. */
export function makeTokenMatcher(language: LanguageSettings): TokenMatcher {
  const patterns = patternsOf(language);
  return (chunk, at, last) => {
    for (const { pattern, needs } of patterns) {
      if (needs !== undefined && !hasOne(needs, at, last)) continue;
      pattern.lastIndex = at;
      if (pattern.test(chunk)) return pattern.lastIndex;
    }
    return undefined;
  };
}

function hasOne(needs: string, at: number, last: (character: string) => number): boolean {
  for (const character of needs) if (last(character) >= at) return true;
  return false;
}
