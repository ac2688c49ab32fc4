import { trimmed } from "./characters.js";
import { alternatives, classOf } from "./languages/alternatives.js";
import type { LanguageSettings } from "./languages/language-settings.js";
import type { Span } from "./tokens.js";

/**
 * Ends of sentences that Unicode's rules do not see, as they stand in mail, comments and encyclopedias; in UD
 * English-EWT's training file 70 to 100 % of each are ends.
 */
const FURTHER_ENDS = {
  // A period behind a whole word and before a small letter: "call me. i am going". Short words may be abbreviations, of
  // other languages too.
  beforeSmall: (short: string) =>
    String.raw`(?:(?<![\p{L}.])(?:\p{L}{4,64}|${short})|['’]\p{L}{1,2}|\))\.["'”’)]*(?=\s+\p{Ll})`,
  always: [
    // References behind the stop: "of Paris.[2] They"
    /[.!?]["'”’)]*(?:\[\d+\])+(?=\s)/u,
    // Date and time of a message, before and behind them
    /[\p{L}>](?=\s\d{1,2}\/\d{1,2}\/\d{2,4}\s\d{1,2}:\d{2}(?:\s?[AP]M|:\d))/u,
    /\d\/\d{2,4}\s\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AP]M)?(?=\s+(?![AP]M)\S)/u,
    // A rule of dashes or the like, before and behind it
    /\S(?=\s+(?:-{5,}|={5,}|\*{5,}|_{5,}|~{5,}|#{5,})\s)/u,
    /(?<![-=*_~#])[-=*_~#]{5,}(?=\s)/u,
    // Addresses and emoticons before a capital letter
    /(?<!\S)(?:https?:\/\/\S{1,1000}|[\p{L}\p{N}._-]{1,64}@[\p{L}\p{N}.-]{1,64}\.\p{L}{2,})(?=\s+\p{Lu})/u,
    /(?<!\S)[:;=]-?[)(DP](?=\s+\p{Lu})/u,
  ].map(({ source }) => source),
  // The end of a letter before its name: "Thanks, Ann"
  closing: (words: string) => String.raw`(?<!\p{L})${words},(?=\s+\p{Lu})`,
};

function furtherEnds({ finalWords, closings }: LanguageSettings): RegExp {
  const { beforeSmall, always, closing } = FURTHER_ENDS;
  const capitals = closings.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  const first = finalWords === undefined ? [] : [beforeSmall(alternatives(finalWords))];
  return new RegExp([...first, ...always, closing(alternatives([...closings, ...capitals]))].join("|"), "gu");
}

/** Finds where the sentences of a piece of text without empty lines are; white space is outside. */
export type SentenceCutter = (piece: string) => Span[];

/** The sentences of a language; `locale` is a tag that `Intl` knows. */
export function makeSentenceCutter(language: LanguageSettings, locale: string): SentenceCutter {
  // It reads tables that words which are given never need.
  const segmenter = new Intl.Segmenter(locale, { granularity: "sentence" });
  const further = furtherEnds(language);
  const mayEnd = makeEndRule(language);
  return (piece) => {
    // UAX 29 ends a sentence at every line break; prose is often wrapped, and the offsets stay the same.
    const unwrapped = piece.replace(/[\r\n\u2028\u0085]/gu, " ");
    const spans: Span[] = [];
    let start = 0;
    const endAt = (end: number): void => {
      const span = trimmed(piece, start, end);
      if (span.end > span.start) spans.push(span);
      start = end;
    };
    const more = Array.from(unwrapped.matchAll(further), ({ index, 0: match }) => index + match.length);
    for (const end of [...unicodeEnds(unwrapped, segmenter), ...more].sort((a, b) => a - b)) {
      if (end > start && mayEnd(unwrapped, start, end)) endAt(end);
    }
    endAt(piece.length);
    return spans;
  };
}

/** Units of text that go through the segmenter at once: behind a period it may look ahead as far as its text goes. */
const BLOCK = 2048;
/** Ends so near to a block's end wait for what follows. */
const OVERLAP = 256;

function* unicodeEnds(text: string, segmenter: Intl.Segmenter): Generator<number> {
  for (let start = 0; start < text.length; ) {
    const block = text.slice(start, start + BLOCK);
    const isLast = start + block.length === text.length;
    const sure = isLast ? block.length : BLOCK - OVERLAP;
    let next = 0;
    for (const { index, segment } of segmenter.segment(block)) {
      const end = index + segment.length;
      if (end > sure) break;
      yield start + end;
      next = end;
    }
    // Of a sentence longer than a block the rest is read as if it began there.
    start += next || sure;
  }
}

/** How much of a sentence's end decides, and how much of what follows. */
const LONGEST_ENDING = 60;
const LONGEST_OPENING = 60;

/** Whether a sentence from `start` may end at `end`: not behind an abbreviation, an initial or a list number. */
type EndRule = (text: string, start: number, end: number) => boolean;

function makeEndRule(language: LanguageSettings): EndRule {
  const { singleLetterWords, openers, ordinals, joiners } = language;
  const abbreviations = new Set(language.abbreviations);
  const final = new Set(language.finalAbbreviations);
  const single = new Set(singleLetterWords);
  const opener = new RegExp(`^\\s*["'“‘(]?${alternatives(openers)}(?![\\p{L}\\p{N}_])`, "u");
  const lastWord = new RegExp(
    `(?:^|[${classOf(joiners)}\\s("“[]|(?<!\\p{L})['’‘])([\\p{L}.]+|\\d{1,2})\\.["'”’)]*\\s*$`,
    "u",
  );
  return (text, start, end) => {
    const following = text.slice(end, end + LONGEST_OPENING);
    // Inside of a run without white space only scripts that do without it end sentences: "news.asp?ID=7", "wow!great".
    if (/[\u0021-\u007E’”]$/u.test(text.slice(end - 1, end)) && /^[^\s\p{Lo}]/u.test(following)) return false;
    const ending = text.slice(Math.max(start, end - LONGEST_ENDING), end);
    const word = lastWord.exec(ending)?.[1];
    if (word === undefined) return true;
    if (/^\d+$/u.test(word)) {
      // "the 2. World War" in languages that write ordinals so
      if (ordinals.period && !opener.test(following)) return false;
      return ending.trim() !== `${word}.` || end - start > LONGEST_ENDING;
    }
    if (/^\p{Lu}$/u.test(word) && !single.has(word)) return false;
    // "born c. 1580", "p. 28"
    if (/^\p{Ll}$/u.test(word)) return /^\s*["“‘(]?\p{Lu}/u.test(following);
    const lower = word.toLowerCase();
    // "at 5 p.m. The show", "in the U.S. He": a capital word that often begins sentences decides.
    if (/^\p{L}(?:\.\p{L})+$/u.test(word) || final.has(lower)) return opener.test(following);
    return !abbreviations.has(lower);
  };
}
