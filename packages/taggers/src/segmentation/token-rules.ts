import { alternatives, classOf } from "./languages/alternatives.js";
import type { LanguageSettings } from "./languages/language-settings.js";
import { makeTokenMatcher } from "./token-patterns.js";

/** A run of characters without separators. */
export interface Chunk {
  readonly chunk: string;
  /** Whether the sentence ends with it. */
  readonly isLast: boolean;
  /** Place of the last occurrence of a character in it. */
  readonly last: (character: string) => number;
}

export interface TokenRules {
  /** Where the token that begins at a place ends. */
  tokenEnd(chunk: Chunk, at: number): number;
}

/** How a language joins what the patterns find: hyphens, slashes, apostrophes and periods that belong to words. */
export function makeTokenRules(language: LanguageSettings): TokenRules {
  const matchToken = makeTokenMatcher(language);
  const slashedWords = new Set(language.slashedWords);
  const withJoined = language.joiners === "" ? makeHyphenRule(language) : makeJoinerRule(language);
  const withApostrophe = makeApostropheRule(language);
  const withPeriod = makePeriodRule(language);

  function slashedWordEnd(chunk: string, at: number): number | undefined {
    if (at > 0 || slashedWords.size === 0) return undefined;
    const match = /^[\p{L}]{1,3}\/\p{L}{0,3}(?![\p{L}\p{N}/])/u.exec(chunk);
    return match !== null && slashedWords.has(match[0].toLowerCase()) ? match[0].length : undefined;
  }

  return {
    tokenEnd({ chunk, isLast, last }, at) {
      const slashed = slashedWordEnd(chunk, at);
      if (slashed !== undefined) return slashed;
      const end = matchToken(chunk, at, last);
      if (end === undefined) return at + String.fromCodePoint(chunk.codePointAt(at) as number).length;
      const stop = withApostrophe(chunk, at, withJoined(chunk, at, end));
      return withPeriod(chunk, at, stop, isLast);
    },
  };
}

/** Moves the end of a token from `at` that has been found at `stop`. */
type Rule = (chunk: string, at: number, stop: number) => number;

/** `non-profit` is one word, `15-year` three: the hyphen stays only behind a prefix or inside a listed word. */
function makeHyphenRule({ hyphenPrefixes, hyphenatedWords }: LanguageSettings): Rule {
  const prefixes = new Set(hyphenPrefixes);
  const words = new Set(hyphenatedWords);
  return (chunk, at, stop) => {
    if (chunk[stop] !== "-" || !/^[\p{L}\p{M}\p{N}'’]+$/u.test(chunk.slice(at, stop))) return stop;
    const rest = /^-[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)?/u.exec(chunk.slice(stop));
    if (rest === null) return stop;
    const joined = stop + rest[0].length;
    const isPrefix = prefixes.has(chunk.slice(at, stop).toLowerCase());
    return isPrefix || words.has(chunk.slice(at, joined).toLowerCase()) ? joined : stop;
  };
}

/** `SID-huset`, `4-årige` and `for-` (of `for- og bagside`) are one word, as is `og/eller` where slashes join too. */
function makeJoinerRule({ joiners, numbers }: LanguageSettings): Rule {
  const [between, fractions] = [classOf(joiners), classOf(numbers.fractions)];
  const first = new RegExp(`^[${between}]`, "u");
  const inWord = new RegExp(`^[\\p{L}\\p{M}\\p{N}${fractions}'’/-]*[\\p{L}\\p{M}\\p{N}]$`, "u");
  const part = `[\\p{L}\\p{M}\\p{N}]+(?:[${fractions}]\\p{N}+)*(?:['’]\\p{L}+)*`;
  const rest = new RegExp(`^(?:[${between}]${part})*(?:-(?![\\p{L}\\p{N}-]))?`, "u");
  return (chunk, at, stop) => {
    if (!first.test(chunk.slice(stop, stop + 1)) || !inWord.test(chunk.slice(at, stop))) return stop;
    return stop + (rest.exec(chunk.slice(stop))?.[0].length ?? 0);
  };
}

/** The apostrophe at a word's end (`workers'`) unless an opening quote before it in the chunk wants it. */
function makeApostropheRule({ apostropheBehind }: LanguageSettings): Rule {
  const behind = new RegExp(`\\p{L}${alternatives(apostropheBehind)}$`, "iu");
  return (chunk, at, stop) => {
    if (
      !/^['’](?![\p{L}\p{N}])/u.test(chunk.slice(stop)) ||
      chunk.startsWith("''", stop) ||
      chunk.startsWith("’’", stop)
    )
      return stop;
    if (!behind.test(chunk.slice(at, stop))) return stop;
    return /['’‘`]/u.test(chunk.slice(0, at)) ? stop : stop + 1;
  };
}

/** The period of an abbreviation, of an initial, or of an ordinal. */
function makePeriodRule({
  abbreviations,
  finalAbbreviations,
  singleLetterWords,
  ordinals,
  joiners,
}: LanguageSettings): (chunk: string, at: number, stop: number, isLast: boolean) => number {
  const all = new Set(abbreviations);
  const final = new Set(finalAbbreviations);
  const single = new Set(singleLetterWords);
  const lastPart = (token: string): string =>
    token.slice(1 + Math.max(-1, ...Array.from(joiners, (joiner) => token.lastIndexOf(joiner))));
  return (chunk, at, stop, isLast) => {
    if (chunk[stop] !== "." || chunk[stop + 1] === ".") return stop;
    const endsSentence = isLast && /^\.[)\]"'”’]*$/u.test(chunk.slice(stop));
    const token = chunk.slice(at, stop);
    // Within a sentence a number with a period counts: "den 3. maj".
    if (ordinals.period && /^\d{1,3}$/u.test(token))
      return !isLast && stop + 1 === chunk.length ? stop + 1 : stop;
    const word = all.has(token.toLowerCase()) ? token : lastPart(token);
    if (!/^[\p{L}./]+$/u.test(word)) return stop;
    const lower = word.toLowerCase();
    if (/^\p{Lu}$/u.test(word) && !single.has(word)) return endsSentence ? stop : stop + 1;
    if (/^\p{L}(?:\.\p{L})+$/u.test(word)) return stop + 1;
    if (!all.has(lower)) return stop;
    return endsSentence && final.has(lower) ? stop : stop + 1;
  };
}
