import type { Random } from "@nasty/core";
import type { Noise } from "./noise.js";
import {
  anyAddress,
  anyEmoji,
  capitalized,
  curly,
  drawnOut,
  isAddress,
  isEmoticon,
  isMistypable,
  mistyped,
  withoutApostrophes,
} from "./word-noise.js";

/** A sentence as somebody else might have typed it. */
export interface DisturbedSentence {
  readonly words: readonly string[];
  /** For each word, its place in the sentence as it was. */
  readonly places: readonly number[];
}

/**
 * A sentence with noise, or undefined for one that stays as it is. Words may be spelled otherwise or left out; none is
 * added, and their order stays, so that labels and what teachers think of the words hold on.
 *
 * @param mayDrop whether the word at a place may be left out if it is punctuation. Default: every one.
 */
export function disturb(
  words: readonly string[],
  noise: Noise,
  random: Random,
  mayDrop: (place: number) => boolean = () => true,
): DisturbedSentence | undefined {
  if (random.uniform() >= noise.share) return undefined;
  const chance = (share: number): boolean => random.uniform() < share;
  const kept = chance(noise.punctuation)
    ? withoutPunctuation(words, random, mayDrop)
    : words.map((_, place) => place);
  let out = kept.map((place) => words[place] as string);
  // In the order of the keys: quotes and faces are told by their characters, case comes last.
  if (chance(noise.symbols)) out = out.map((word) => otherSymbol(word, random));
  if (chance(noise.typing)) {
    out = out.map((word) =>
      isMistypable(word) && chance(noise.typingPerWord) ? mistyped(word, random) : word,
    );
  }
  if (chance(noise.elongation)) out = withOneDrawnOut(out, random);
  if (chance(noise.apostrophes)) out = out.map(withoutApostrophes);
  if (chance(noise.quotes)) out = withCurlyQuotes(out);
  return { words: inCase(out, noise, random.uniform()), places: kept };
}

/**
 * Places of the words that are left: punctuation goes, all of it or each with even chances; never the whole sentence.
 */
function withoutPunctuation(
  words: readonly string[],
  random: Random,
  mayDrop: (place: number) => boolean,
): number[] {
  const share = random.uniform() < 0.5 ? 1 : 0.5;
  const all = words.map((_, place) => place);
  const kept = all.filter(
    (place) => !(isPunctuation(words[place] as string) && mayDrop(place) && random.uniform() < share),
  );
  return kept.length === 0 ? all : kept;
}

const isPunctuation = (word: string): boolean => /^[.,;:!?…'"“”‘’`()[\]-]+$/.test(word) && !isEmoticon(word);

function otherSymbol(word: string, random: Random): string {
  if (isAddress(word)) return anyAddress(random);
  return isEmoticon(word) ? anyEmoji(random) : word;
}

function withOneDrawnOut(words: readonly string[], random: Random): string[] {
  const at = random.below(words.length);
  return words.map((word, i) => (i === at && /^\p{L}+$/u.test(word) ? drawnOut(word, random) : word));
}

/** Quotes open and close in turn. */
function withCurlyQuotes(words: readonly string[]): string[] {
  let isOpen = false;
  return words.map((word) => {
    const changed = curly(word, !isOpen);
    if (word === '"' || word === "'") isOpen = !isOpen;
    return changed;
  });
}

function inCase(words: readonly string[], { lower, upper, title }: Noise, drawn: number): readonly string[] {
  if (drawn < lower) return words.map((word) => word.toLowerCase());
  if (drawn < lower + upper) return words.map((word) => word.toUpperCase());
  return drawn < lower + upper + title ? words.map(capitalized) : words;
}
