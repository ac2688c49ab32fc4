import type { Random } from "@nasty/core";

/** Letters beside each other on a keyboard; letters of no row are not taken for others. */
const keyRows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
const neighbours = new Map(
  keyRows.flatMap((row) =>
    Array.from(row, (key, i) => [key, `${row[i - 1] ?? ""}${row[i + 1] ?? ""}`] as const),
  ),
);

/** Fewest letters of a word with a typing error: a shorter one would often become another word. */
const fewestLetters = 3;

const isLetter = (character: string): boolean => /^\p{L}$/u.test(character);

/** Whether a word is made of letters, apart from hyphens and apostrophes within, and long enough for typing errors. */
export const isMistypable = (word: string): boolean =>
  /^\p{L}[\p{L}'’-]*$/u.test(word) && Array.from(word).filter(isLetter).length >= fewestLetters;

/**
 * A word with one typing error: two letters swapped, a letter left out, doubled, or taken for a neighbour. The first
 * letter stays in its place, as people mostly get it right.
 */
export function mistyped(word: string, random: Random): string {
  const letters = Array.from(word);
  const at = 1 + random.below(letters.length - 1);
  const letter = letters[at] as string;
  switch (random.below(4)) {
    case 0: {
      // The last letter goes with the one before it.
      const first = Math.min(at, letters.length - 2);
      const second = letters[first + 1] as string;
      return first < 1
        ? word
        : letters
            .with(first, second)
            .with(first + 1, letters[first] as string)
            .join("");
    }
    case 1:
      return letters.toSpliced(at, 1).join("");
    case 2:
      return letters.toSpliced(at, 0, letter).join("");
    default:
      return letters.with(at, besideOnKeyboard(letter, random)).join("");
  }
}

function besideOnKeyboard(letter: string, random: Random): string {
  const near = neighbours.get(letter.toLowerCase());
  if (near === undefined) return letter;
  const key = near[random.below(near.length)] as string;
  return letter === letter.toLowerCase() ? key : key.toUpperCase();
}

/** A word with its last vowel drawn out; a word without one as it is. */
export function drawnOut(word: string, random: Random): string {
  const at = word.search(/[aeiouyAEIOUY][^aeiouyAEIOUY]*$/);
  if (at < 0) return word;
  return word.slice(0, at) + (word[at] as string).repeat(3 + random.below(4)) + word.slice(at + 1);
}

/** A word with a capital first letter. */
export function capitalized(word: string): string {
  const [first = ""] = word;
  return first.toUpperCase() + word.slice(first.length);
}

/** A word without apostrophes; one that would be empty as it is. */
export function withoutApostrophes(word: string): string {
  const rest = word.replaceAll(/['’]/g, "");
  return rest === "" ? word : rest;
}

/** Straight quotes made curly: `opens` says whether a quote that stands alone opens. */
export function curly(word: string, opens: boolean): string {
  if (word === "``") return "“";
  if (word === "''") return "”";
  if (word === "'") return opens ? "‘" : "’";
  return word.replaceAll('"', opens ? "“" : "”").replaceAll("'", "’");
}

/** Whether a word is an address of a page. */
export const isAddress = (word: string): boolean => /^(?:https?:\/\/|www\.)\S/i.test(word);

const addressLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
const addressEnds = [".com", ".org", ".net", ".io", ".co/", ".gov"];

/** An address that nobody has seen. */
export function anyAddress(random: Random): string {
  const name = (length: number): string =>
    Array.from({ length }, () => addressLetters[random.below(addressLetters.length)]).join("");
  const start = ["https://", "http://", "www."][random.below(3)] as string;
  const end = addressEnds[random.below(addressEnds.length)] as string;
  const path = random.uniform() < 0.5 ? "" : `${end.endsWith("/") ? "" : "/"}${name(3 + random.below(12))}`;
  return start + name(3 + random.below(9)) + end + path;
}

/** Whether a word is a face made of punctuation. */
export const isEmoticon = (word: string): boolean =>
  /^[:;=8][-'o^]?[()[\]DPpOo3/\\|*]+$/.test(word) || word === "<3";

const emoji = [..."😀😂🤣😊😍😭🙏👍🔥🎉😎🤔🙄😅💕👏"];

export const anyEmoji = (random: Random): string => emoji[random.below(emoji.length)] as string;
