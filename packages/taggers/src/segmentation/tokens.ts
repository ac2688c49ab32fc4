import {
  ABBREVIATIONS,
  HYPHENATED_WORDS,
  HYPHEN_PREFIXES,
  NAME_ENDINGS,
  SENTENCE_FINAL_SPLIT,
  SLASHED_WORDS,
} from "./lexicon.js";

/** A stretch of text in UTF-16 units: `text.slice(start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const LETTER = "\\p{L}\\p{M}";
const APOSTROPHE = "['’´`]";

/**
 * What may stand at a place in a run of characters without white space, most particular first. Every alternative is
 * tried only where the previous token ended, so none needs to look back.
 */
const PATTERNS: readonly RegExp[] = [
  // Web addresses, up to the punctuation that belongs to the sentence
  /(?:(?:https?|ftp|file):\/\/|www\.(?=[^.\s]))[^\s<>"“”]*[^\s<>"“”.,;:!?'’()[\]{}*]\/?|(?:https?|ftp):\/\/[^\s<>"“”]+/iuy,
  // E-mail addresses, also shortened ("name...@host.com") and internal ones ("Name/Unit@FIRM")
  /(?:mailto:)?[\p{L}\p{N}_][\p{L}\p{N}._%+-]*@[\p{L}\p{N}_](?:[\p{L}\p{N}._-]*[\p{L}\p{N}_])?/iuy,
  // Hash tags, user names
  /[@#]\p{L}[\p{L}\p{N}_]*/uy,
  // Emoticons
  /(?:[:;=8]['’]?[-^o]?[)(\][DPpOo3/\\|*@}{]+(?![\p{L}\p{N}/])|[xX]D(?![\p{L}\p{N}])|<\/?3(?!\p{N})|\^[_.-]?\^|[([][-^]?[:;=8](?![\p{L}\p{N}:])|[oO][._][oO](?![\p{L}\p{N}])|>[:;]\()/uy,
  // Pictographs with their modifiers and joiners; flags
  /\p{Extended_Pictographic}(?:\p{EMod}|\uFE0F|\u200D\p{Extended_Pictographic})*|\p{RI}\p{RI}/uy,
  // File and host names
  new RegExp(
    `[${LETTER}\\p{N}_](?:[${LETTER}\\p{N}_#-]|\\.(?=[${LETTER}\\p{N}_#-]))*\\.(?:${NAME_ENDINGS})(?:/[^\\s<>"“”]*[^\\s<>"“”.,;:!?'’()\\]])?(?![${LETTER}\\p{N}])`,
    "iuy",
  ),
  // Newsgroups and the like: three parts or more in small letters
  /[a-z]{2,}(?:\.[a-z][a-z-]+){2,}(?![\p{L}\p{N}])/uy,
  // Letters with a period after each: U.S., p.m., a.k.a; the last period may be missing
  new RegExp(`\\p{L}\\.(?:\\p{L}\\.)+(?!\\p{L}{2})|\\p{L}(?:\\.\\p{L})+(?![${LETTER}\\p{N}])`, "uy"),
  // Dates, times, telephone numbers
  /\d{1,4}\/\d{1,2}(?:\/\d{1,4})?(?![\p{L}\p{N}])|\d{3}\/\d{3}-\d{4}(?!\d)/uy,
  /(?:\+?\d{1,3}-)?(?:\d{3}-)\d{3}-\d{4}(?!\d)|\d{3}-\d{4}(?![\d-])|\d{1,4}-\d{1,2}-\d{1,4}(?!\d)|\d{5}-\d{4}(?!\d)|\d{3}\.\d{3}\.\d{4}(?!\d)/uy,
  /\d{1,2}:\d{2}(?::\d{2})?(?!\d)|\d+(?:\.\d+){2,}(?!\d)/uy,
  // Ordinals and decades, also with an apostrophe
  /\d+(?:st|nd|rd|th|s)(?![\p{L}\p{N}])|\d+['’]s(?![\p{L}\p{N}])|['’]\d0?\ds?(?![\p{L}\p{N}])/iuy,
  // A number with its unit or am/pm: only the number here; the unit follows as the next token
  /\d+(?:,\d{3})*(?:\.\d+)?(?=(?:[ap]m|[kmb]|mm|cm|km|kg|mg|g|lbs?|oz|ft|hrs?|mins?|secs?|yrs?|mph|ghz|mhz|gb|mb|kb|kw|mw|mwh|bn|mn)(?![\p{L}\p{N}]))/iuy,
  // Letters and digits mixed: CO2, 3D, AS400
  /(?=[\p{L}\p{N}]*\p{L})(?=[\p{L}\p{N}]*\p{N})[\p{L}\p{N}_]+(?:-\d+)?(?![\p{L}\p{N}])/uy,
  // Numbers, a sign before them if nothing stands there
  /\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\p{L}\p{N}])\.\d+|(?<!\S)\+\d+/uy,
  // Currency with its country
  /(?:US|U|A|C|NZ|HK|AU|CA)\$/y,
  // Letters joined by an ampersand: AT&T
  /[\p{Lu}]{1,4}&\p{Lu}{1,3}(?!\p{L})|\p{Ll}&\p{Ll}(?!\p{L})/uy,
  // Letters with underscores
  /[\p{L}\p{N}]+(?:_[\p{L}\p{N}]+)+/uy,
  // Words that begin with an apostrophe of their own
  /['’](?:em|n|cause|til|till|tis|twas|bout|round|cuz|s|re|ve|ll|m|d)(?![\p{L}\p{N}'’])/iuy,
  // Runs: ellipsis, dashes, exclamation, quotes, rules
  /\.{2,}|-{2,}|—+|–+|[!?]+(?:[!?.]*[!?])?|\.[!?]+|''|``|’’|‘‘|‘’|<<+|>>+|([*=_~#+^•·])\1+/uy,
  // Censored words
  /\p{L}+\*+\p{L}+/uy,
  // Words, with inner apostrophes
  new RegExp(`[${LETTER}]+(?:${APOSTROPHE}[${LETTER}]+)*`, "uy"),
];

const WORD_SCRIPT_WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * The surface tokens of one sentence by the conventions of UD English-EWT: contractions are still whole here.
 *
 * @param text any text; only `start` to `end` is read.
 * @returns spans in order that do not overlap and leave out nothing but white space.
 */
export function tokenSpans(text: string, start = 0, end = text.length): Span[] {
  const tokens: Span[] = [];
  const chunk = /\S+/gu;
  chunk.lastIndex = start;
  const sentence = end === text.length ? text : text.slice(0, end);
  const last = sentence.trimEnd().length;
  for (let match = chunk.exec(sentence); match !== null; match = chunk.exec(sentence)) {
    const chunkEnd = match.index + match[0].length;
    for (let at = match.index; at < chunkEnd; at = (tokens.at(-1) as Span).end) {
      splitChunk(sentence, at, windowEnd(sentence, at, chunkEnd), last, tokens);
    }
  }
  return tokens;
}

/** No word is this long; patterns look ahead within a window, so that time stays linear in the text whatever it holds. */
const LONGEST_CHUNK = 1000;

function windowEnd(text: string, start: number, chunkEnd: number): number {
  const end = start + LONGEST_CHUNK;
  if (end >= chunkEnd) return chunkEnd;
  // Not between the halves of a surrogate pair.
  return (text.codePointAt(end - 1) as number) > 0xffff ? end - 1 : end;
}

function splitChunk(text: string, start: number, end: number, sentenceEnd: number, tokens: Span[]): void {
  // Patterns see the chunk alone: what stands behind the white space never changes a token.
  const chunk = text.slice(start, end);
  let at = 0;
  while (at < chunk.length) {
    const stop = tokenEnd(chunk, at, start + chunk.length === sentenceEnd);
    tokens.push({ start: start + at, end: start + stop });
    at = stop;
  }
}

function tokenEnd(chunk: string, at: number, isLastChunk: boolean): number {
  const slashed = slashedWordEnd(chunk, at);
  if (slashed !== undefined) return slashed;
  for (const pattern of PATTERNS) {
    pattern.lastIndex = at;
    if (!pattern.test(chunk)) continue;
    let stop = pattern.lastIndex;
    if (isWordLike(chunk, at, stop)) stop = withHyphens(chunk, at, stop);
    return withPeriod(chunk, at, withPossessiveQuote(chunk, at, stop), isLastChunk);
  }
  return at + String.fromCodePoint(chunk.codePointAt(at) as number).length;
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

const wordSegmenter = new Intl.Segmenter("en", { granularity: "word" });

/** Cuts a token of a script that puts no spaces between words where Unicode's word break rules (UAX 29) cut it. */
export function splitUnspaced(form: string): number[] {
  if (!WORD_SCRIPT_WITHOUT_SPACES.test(form)) return [];
  return [...wordSegmenter.segment(form)].map(({ index }) => index).slice(1);
}
