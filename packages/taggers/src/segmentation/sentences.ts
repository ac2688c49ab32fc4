import { trimmed } from "./characters.js";
import { ABBREVIATIONS, FINAL_WORDS, SENTENCE_FINAL_SPLIT } from "./lexicon.js";
import type { Span } from "./tokens.js";

let segmenter: Intl.Segmenter | undefined;
/** Made when a text is first cut: it reads tables that words which are given never need. */
const sentenceSegmenter = (): Intl.Segmenter =>
  (segmenter ??= new Intl.Segmenter("en", { granularity: "sentence" }));

/**
 * Ends of sentences that Unicode's rules do not see, as they stand in mail, comments and encyclopedias; in UD
 * English-EWT's training file 70 to 100 % of each are ends.
 */
const FURTHER_ENDS = new RegExp(
  [
    // A period behind a whole word and before a small letter: "call me. i am going". Short words may be abbreviations,
    // of other languages too.
    /(?:(?<![\p{L}.])(?:\p{L}{4,64}|SHORT)|['’]\p{L}{1,2}|\))\.["'”’)]*(?=\s+\p{Ll})/u,
    // References behind the stop: "of Paris.[2] They"
    /[.!?]["'”’)]*(?:\[\d+\])+(?=\s)/u,
    // Date and time of a message, before and behind them
    /[\p{L}>](?=\s\d{1,2}\/\d{1,2}\/\d{2,4}\s\d{1,2}:\d{2}(?:\s?[AP]M|:\d))/u,
    /\d\/\d{2,4}\s\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AP]M)?(?=\s+(?![AP]M)\S)/u,
    // A rule of dashes or the like, before and behind it
    /\S(?=\s+(?:-{5,}|={5,}|\*{5,}|_{5,}|~{5,}|#{5,})\s)/u,
    /(?<![-=*_~#])[-=*_~#]{5,}(?=\s)/u,
    // The end of a letter before its name: "Thanks, Ann"
    /(?<!\p{L})(?:[Tt]hanks|[Rr]egards|[Ss]incerely|[Cc]heers|[Ww]ishes),(?=\s+\p{Lu})/u,
    // Addresses and emoticons before a capital letter
    /(?<!\S)(?:https?:\/\/\S{1,1000}|[\p{L}\p{N}._-]{1,64}@[\p{L}\p{N}.-]{1,64}\.\p{L}{2,})(?=\s+\p{Lu})/u,
    /(?<!\S)[:;=]-?[)(DP](?=\s+\p{Lu})/u,
  ]
    .map(({ source }) => source.replace("SHORT", FINAL_WORDS.join("|")))
    .join("|"),
  "gu",
);

/** A piece that cannot be the end of a sentence: it ends in an abbreviation, an initial or a list number. */
const LAST_WORD = /(?:^|[\s("“[]|(?<!\p{L})['’‘])([\p{L}.]+|\d{1,2})\.["'”’)]*\s*$/u;

/** Where the sentences of a piece of text without empty lines are; white space is outside. */
export function sentencesOfPiece(piece: string): Span[] {
  // UAX 29 ends a sentence at every line break; prose is often wrapped, and the offsets stay the same.
  const unwrapped = piece.replace(/[\r\n\u2028\u0085]/gu, " ");
  const spans: Span[] = [];
  let start = 0;
  const endAt = (end: number): void => {
    const span = trimmed(piece, start, end);
    if (span.end > span.start) spans.push(span);
    start = end;
  };
  const further = Array.from(unwrapped.matchAll(FURTHER_ENDS), ({ index, 0: match }) => index + match.length);
  for (const end of [...unicodeEnds(unwrapped), ...further].sort((a, b) => a - b)) {
    if (end > start && mayEnd(unwrapped, start, end)) endAt(end);
  }
  endAt(piece.length);
  return spans;
}

/** Units of text that go through the segmenter at once: behind a period it may look ahead as far as its text goes. */
const BLOCK = 2048;
/** Ends so near to a block's end wait for what follows. */
const OVERLAP = 256;

function* unicodeEnds(text: string): Generator<number> {
  for (let start = 0; start < text.length; ) {
    const block = text.slice(start, start + BLOCK);
    const isLast = start + block.length === text.length;
    const sure = isLast ? block.length : BLOCK - OVERLAP;
    let next = 0;
    for (const { index, segment } of sentenceSegmenter().segment(block)) {
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

function mayEnd(text: string, start: number, end: number): boolean {
  const following = text.slice(end, end + LONGEST_OPENING);
  // Inside of a run without white space only scripts that do without it end sentences: "news.asp?ID=7", "wow!great".
  if (/[\u0021-\u007E’”]$/u.test(text.slice(end - 1, end)) && /^[^\s\p{Lo}]/u.test(following)) return false;
  const ending = text.slice(Math.max(start, end - LONGEST_ENDING), end);
  const word = LAST_WORD.exec(ending)?.[1];
  if (word === undefined) return true;
  if (/^\d+$/u.test(word)) return ending.trim() !== `${word}.` || end - start > LONGEST_ENDING;
  if (/^\p{Lu}$/u.test(word) && word !== "I") return false;
  // "born c. 1580", "p. 28"
  if (/^\p{Ll}$/u.test(word)) return /^\s*["“‘(]?\p{Lu}/u.test(following);
  const lower = word.toLowerCase();
  // "at 5 p.m. The show", "in the U.S. He": a capital word that often begins sentences decides.
  if (/^\p{L}(?:\.\p{L})+$/u.test(word) || SENTENCE_FINAL_SPLIT.has(lower)) return OPENER.test(following);
  return !ABBREVIATIONS.has(lower);
}

const OPENER =
  /^\s*["'“‘(]?(?:The|A|An|This|That|These|Those|It|He|She|We|You|They|I|There|Here|In|On|At|For|But|And|So|If|When|While|After|Before|What|Why|How|Who|Where|My|Our|Your|His|Her|Their|Its|No|Not|Yes|As|To|Please|Then|However)\b/u;
