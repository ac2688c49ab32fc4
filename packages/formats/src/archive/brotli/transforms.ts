import { type Dictionary, placeOfWord } from "./dictionary.js";

/**
 * How words of the dictionary are changed (RFC 7932, appendix B, in its order): what comes before, the change, what
 * comes after. `_` takes the word as it is, `^` with a capital, `!` in capitals, `-3` without its last three bytes,
 * `+3` without its first three.
 */
const transforms = [
  "_",
  "_ ",
  " _ ",
  "+1",
  "^ ",
  "_ the ",
  " _",
  "s _ ",
  "_ of ",
  "^",
  "_ and ",
  "+2",
  "-1",
  ", _ ",
  "_, ",
  " ^ ",
  "_ in ",
  "_ to ",
  "e _ ",
  '_"',
  "_.",
  '_">',
  "_\n",
  "-3",
  "_]",
  "_ for ",
  "+3",
  "-2",
  "_ a ",
  "_ that ",
  " ^",
  "_. ",
  "._",
  " _, ",
  "+4",
  "_ with ",
  "_'",
  "_ from ",
  "_ by ",
  "+5",
  "+6",
  " the _",
  "-4",
  "_. The ",
  "!",
  "_ on ",
  "_ as ",
  "_ is ",
  "-7",
  "-1ing ",
  "_\n\t",
  "_:",
  " _. ",
  "_ed ",
  "+9",
  "+7",
  "-6",
  "_(",
  "^, ",
  "-8",
  "_ at ",
  "_ly ",
  " the _ of ",
  "-5",
  "-9",
  " ^, ",
  '^"',
  "._(",
  "! ",
  '^">',
  '_="',
  " _.",
  ".com/_",
  " the _ of the ",
  "^'",
  "_. This ",
  "_,",
  "._ ",
  "^(",
  "^.",
  "_ not ",
  ' _="',
  "_er ",
  " ! ",
  "_al ",
  " !",
  "_='",
  '!"',
  "^. ",
  " _(",
  "_ful ",
  " ^. ",
  "_ive ",
  "_less ",
  "!'",
  "_est ",
  " ^.",
  '!">',
  " _='",
  "^,",
  "_ize ",
  "!.",
  "\u00c2\u00a0_",
  " _,",
  '^="',
  '!="',
  "_ous ",
  "!, ",
  "^='",
  " ^,",
  ' !="',
  " !, ",
  "!,",
  "!(",
  "!. ",
  " !.",
  "!='",
  " !. ",
  ' ^="',
  " !='",
  " ^='",
].map((text) => {
  const [, before = "", change = "", after = ""] = /^(.*?)([_^!]|[-+]\d)(.*)$/s.exec(text) ?? [];
  return { before: latin1(before), change, omitted: Number(change.slice(1)), after: latin1(after) };
});

/** Bytes that a changed word takes at most: " the " before 24 bytes, " of the " after them. */
export const longestWord = 37;

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * Writes a word of the dictionary, changed.
 *
 * @param length bytes of the word in the dictionary
 * @param id which word of that length, and behind the last one the same ones with the next change
 * @param to where to write it at `at`; what has no room is left out
 * @returns bytes that the changed word has
 * @throws Error where there is no such word
 */
export function writeWord(
  dictionary: Dictionary,
  { length, id }: { readonly length: number; readonly id: number },
  to: Uint8Array,
  at: number,
): number {
  const place = placeOfWord(length, id);
  const transform = transforms[place.transform];
  if (transform === undefined) throw new Error("a distance behind the words of the dictionary");
  const { before, change, omitted, after } = transform;
  const from = change.startsWith("+") ? Math.min(omitted, length) : 0;
  const until = change.startsWith("-") ? Math.max(length - omitted, 0) : length;
  const start = at + before.length;
  const end = start + Math.max(until - from, 0);
  put(before, 0, before.length, to, at);
  put(dictionary, place.start + from, place.start + until, to, start);
  if (change === "^") capitalize(to, start, end);
  if (change === "!") for (let letter = start; letter < end; ) letter += capitalize(to, letter, end);
  put(after, 0, after.length, to, end);
  return end + after.length - at;
}

function put(bytes: Uint8Array, from: number, until: number, to: Uint8Array, at: number): void {
  for (let index = from; index < until; index++) to[at + index - from] = bytes[index] as number;
}

/**
 * Makes a letter of UTF-8 a capital as RFC 7932, section 8, has it: right for ASCII and much of Latin, Greek and
 * Cyrillic.
 *
 * @returns bytes of the letter
 */
function capitalize(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0xc0) {
    if (first >= 0x61 && first <= 0x7a) bytes[at] = first ^ 0x20;
    return 1;
  }
  const [second, flipped] = first < 0xe0 ? [1, 0x20] : [2, 0x05];
  if (at + second < end) bytes[at + second] = (bytes[at + second] as number) ^ flipped;
  return second + 1;
}
