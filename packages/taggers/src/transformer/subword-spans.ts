import type { SubwordText } from "./subword-text.js";

/**
 * What a tokenizer may leave out of a word or put into it: marks, format and control characters, blanks and what stands
 * for them.
 */
const SKIPPED = /^[\p{M}\p{C}\p{Z}\s\u2581\uFFFD]$/u;
const BLANK = /^[\p{Z}\s\u2581]*$/u;
const MARK = /^\p{M}$/u;

/** How far a character is looked for that is not where it should be. */
const FARTHEST = 16;
/** Characters behind an unknown subword that must be where it is said to end. */
const PROOF = 8;

/**
 * A character of the word or of its subwords, folded so that normalization does not tell them apart; `at` is what it is
 * a part of.
 */
interface Folded {
  readonly character: string;
  readonly at: number;
}

/**
 * Where the subwords of a word stand in it.
 *
 * Tokenizers normalize (case, accents, compatibility forms), so characters are compared without such differences, one
 * after the other; one that was replaced by another takes its place. Characters that a tokenizer left out belong to no
 * subword, but for marks, which stay with what they stand on. Unknown subwords share what lies between the known ones.
 *
 * @param word as it stands in the text
 * @param text what the subwords stand for
 * @returns start and end of each in UTF-16 units of the word, [2 × subwords], in order; empty where a subword stands
 *   for no character
 */
export function subwordSpans(word: string, { characters, ranges }: SubwordText): Int32Array {
  const units = unitsOf(word);
  const places = placesOf(units, characters);
  const spans = new Int32Array(ranges.length);
  const unitStart = (unit: number): number => units[unit]?.start ?? word.length;
  let free = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    let [first, end] = [-1, -1];
    for (let character = ranges[i] as number; character < (ranges[i + 1] as number); character++) {
      const place = places[character] as Place;
      if (place.end === place.first) continue;
      if (first < 0) first = place.first;
      end = place.end;
    }
    if (first >= 0) {
      while (end < units.length && MARK.test(units[end]?.character as string)) end++;
      free = end;
    }
    spans[i] = unitStart(first < 0 ? free : first);
    spans[i + 1] = unitStart(first < 0 ? free : end);
  }
  return spans;
}

/** A code point of a word. */
interface Unit {
  readonly character: string;
  /** UTF-16 units before it. */
  readonly start: number;
}

function unitsOf(word: string): Unit[] {
  const units: Unit[] = [];
  let start = 0;
  for (const character of word) {
    units.push({ character, start });
    start += character.length;
  }
  return units;
}

/** The code points of the word that a character of the subwords stands for. */
interface Place {
  readonly first: number;
  readonly end: number;
}

/** The place of each character, in order. */
function placesOf(units: readonly Unit[], characters: readonly (string | undefined)[]): Place[] {
  const word = folded(units.map(({ character }) => character));
  const places: Place[] = [];
  // The next of the word's folded characters, and the code point that it is a part of.
  let at = 0;
  const unitAt = (place: number): number => word[place]?.at ?? units.length;
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i];
    if (character === undefined) {
      const count = unknownFrom(characters, i);
      const known = folded(characters.slice(i + count, unknownAfter(characters, i + count)));
      const end = resumesAt(word, at, known.slice(0, PROOF));
      places.push(...shared(units, { first: unitAt(at), end: unitAt(end), count }));
      at = end;
      i += count - 1;
      continue;
    }
    let [first, end] = [unitAt(at), unitAt(at)];
    let isPlaced = false;
    if (!BLANK.test(character)) {
      for (const { character: part } of folded([character])) {
        const found = find(word, part, at);
        // A mark that the word has not: the tokenizer composed or replaced something.
        if (found === undefined && (SKIPPED.test(part) || at === word.length)) continue;
        const taken = found ?? at;
        if (!isPlaced) first = unitAt(taken);
        isPlaced = true;
        end = unitAt(taken) + 1;
        at = taken + 1;
      }
    }
    places.push({ first, end: isPlaced ? end : first });
  }
  return places;
}

/** Characters without case and compatibility forms; one may become several. */
function folded(characters: readonly (string | undefined)[]): Folded[] {
  return characters.flatMap((character, at) =>
    character === undefined
      ? []
      : [...character.normalize("NFKD").toLowerCase().normalize("NFKD")].map((one) => ({
          character: one,
          at,
        })),
  );
}

/** Where a character stands from `at` on: behind what may be left out, or else a little farther on. */
function find(word: readonly Folded[], character: string, at: number): number | undefined {
  let place = at;
  while (place < word.length && word[place]?.character !== character) {
    if (!SKIPPED.test(word[place]?.character as string)) break;
    place++;
  }
  if (word[place]?.character === character) return place;
  if (SKIPPED.test(character)) return undefined;
  for (let far = place; far < Math.min(word.length, place + FARTHEST); far++) {
    if (word[far]?.character === character) return far;
  }
  return undefined;
}

/** How many unknown subwords stand together. */
function unknownFrom(characters: readonly (string | undefined)[], first: number): number {
  let end = first;
  while (end < characters.length && characters[end] === undefined) end++;
  return end - first;
}

/** The next unknown subword, or the one behind this many characters. */
function unknownAfter(characters: readonly (string | undefined)[], first: number): number {
  let end = first;
  while (end < Math.min(characters.length, first + PROOF) && characters[end] !== undefined) end++;
  return end;
}

/**
 * Where the known characters behind an unknown subword follow: at the first place where a run of letters and digits, or
 * another character, begins; else anywhere; at the end of the word where they do not.
 */
function resumesAt(word: readonly Folded[], at: number, known: readonly Folded[]): number {
  const wanted = known.filter(({ character }) => !SKIPPED.test(character));
  if (wanted.length === 0) return word.length;
  let anywhere: number | undefined;
  for (let place = at + 1; place < word.length; place++) {
    if (!follows(word, wanted, place)) continue;
    const isInside = [place - 1, place].every((one) => IN_RUN.test(word[one]?.character as string));
    if (!isInside) return place;
    anywhere ??= place;
  }
  return anywhere ?? word.length;
}

function follows(word: readonly Folded[], wanted: readonly Folded[], from: number): boolean {
  let place = from;
  for (const { character } of wanted) {
    if (place > from) {
      while (place < word.length && SKIPPED.test(word[place]?.character as string)) place++;
    }
    if (word[place]?.character !== character) return false;
    place++;
  }
  return true;
}

const IN_RUN = /[\p{L}\p{N}\p{M}]/u;
const RUNS = /\p{Script=Han}|[\p{L}\p{N}\p{M}]+|./gsu;

/**
 * Divides a stretch between unknown subwords: letters and digits that stand together are one if that comes out even,
 * else code points.
 */
function shared(units: readonly Unit[], { first, end, count }: Place & { readonly count: number }): Place[] {
  // More than there are code points: bytes of them, all of which stand for the same.
  if (count > end - first) return Array.from({ length: count }, () => ({ first, end }));
  const own = units.slice(first, end).map(({ character }) => character);
  const runs = own.join("").match(RUNS) ?? [];
  const lengths = runs.length === count ? runs.map((run) => [...run].length) : undefined;
  const places: Place[] = [];
  let at = first;
  for (let i = 0; i < count; i++) {
    const next = i === count - 1 ? end : Math.min(end, at + (lengths?.[i] ?? 1));
    places.push({ first: at, end: next });
    at = next;
  }
  return places;
}
