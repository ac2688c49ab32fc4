import { TaggerError } from "@nasty/taggers";

/**
 * How the words of training sentences are disturbed, so that a tagger holds up on text as people type it. Every number
 * is a share from 0 to 1.
 */
export interface Noise {
  /** Of the sentences of an epoch, which are disturbed; the others stay as they are. */
  readonly share: number;
  /** Of the disturbed sentences: all in lower case. With `upper` and `title` at most 1. */
  readonly lower: number;
  /** All in upper case. */
  readonly upper: number;
  /** Every word with a capital. */
  readonly title: number;
  /** With typing errors: letters swapped, left out, doubled, or taken for their neighbours on the keyboard. */
  readonly typing: number;
  /** Of the words of three letters or more of a sentence with typing errors: those that have one. */
  readonly typingPerWord: number;
  /** Of the disturbed sentences: without apostrophes inside words. */
  readonly apostrophes: number;
  /** Without some or all of their punctuation. */
  readonly punctuation: number;
  /** With curly quotes for straight ones. */
  readonly quotes: number;
  /** With a vowel drawn out in one word. */
  readonly elongation: number;
  /** With other addresses of pages in place of theirs, and emoji in place of emoticons. */
  readonly symbols: number;
}

/** What a disturbed sentence is like unless it is said; nothing is disturbed without a `share`. */
export const defaultNoise: Noise = {
  share: 0,
  lower: 0.45,
  upper: 0.08,
  title: 0.12,
  typing: 0.4,
  typingPerWord: 0.12,
  apostrophes: 0.15,
  punctuation: 0.15,
  quotes: 0.1,
  elongation: 0.05,
  symbols: 0.2,
};

/**
 * The noise that is asked for, with the defaults for what is not said; undefined where nothing is to be disturbed.
 *
 * @throws TaggerError `option` for what is no share, and for kinds of case that add up to more than all sentences.
 */
export function noiseOf(given: Partial<Noise> = {}): Noise | undefined {
  const noise: Noise = { ...defaultNoise, ...given };
  for (const [name, value] of Object.entries(noise)) {
    if (!(value >= 0 && value <= 1)) throw refused(name, "a number from 0 to 1", value);
  }
  const cases = noise.lower + noise.upper + noise.title;
  if (cases > 1 + 1e-9) throw refused("lower + upper + title", "at most 1 together", cases);
  return noise.share === 0 ? undefined : noise;
}

const refused = (name: string, expected: string, got: unknown): TaggerError =>
  new TaggerError("option", `trainTagger: noise: ${name}: expected ${expected}, got ${String(got)}`, {
    name,
  });
