import { gunzip, gzip } from "@nasty/formats/archive";
import { TaggerError } from "../../tagger-error.js";
import { fromBase64, toBase64 } from "../../base64.js";

/** The metadata entry of a vocabulary. */
export const VOCABULARY_KEY = "nasty.vocabulary";

/** No vocabulary of words is larger; an entry that unpacks to more, or to more words, is an attack. */
const MOST_BYTES = 64 * 2 ** 20;
const MOST_WORDS = 2_000_000;
const NEWLINE = 10;

/**
 * A list of words in few characters: one a line, gzip, base64. 9,000 English words in alphabetical order take about 40
 * kB.
 *
 * @throws TaggerError `metadata` for a word with a line break.
 */
export async function packVocabulary(words: readonly string[]): Promise<string> {
  const broken = words.find((word) => word.includes("\n"));
  if (broken !== undefined) {
    throw new TaggerError(
      "metadata",
      `packVocabulary: word ${JSON.stringify(broken)}: expected no line break, got one`,
      { name: broken },
    );
  }
  return toBase64(await gzip(new TextEncoder().encode(words.map((word) => `${word}\n`).join(""))));
}

/**
 * The words that {@link packVocabulary} packed.
 *
 * @throws TaggerError `metadata` if the text is not base64 of gzip of UTF-8, or holds more than two million words.
 */
export async function unpackVocabulary(text: string): Promise<string[]> {
  try {
    const bytes = await gunzip(fromBase64(text), { maxBytes: MOST_BYTES });
    checkCount(bytes);
    const lines = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return lines.split("\n").slice(0, -1);
  } catch (cause) {
    if (cause instanceof TaggerError) throw cause;
    throw new TaggerError(
      "metadata",
      `openTagger: metadata nasty.vocabulary: expected base64 of gzipped words, got ${(cause as Error).message}`,
      { name: "nasty.vocabulary", cause },
    );
  }
}

/** Before the list is made: an empty word takes one byte packed, eight in a list. */
function checkCount(bytes: Uint8Array): void {
  let words = 0;
  for (const byte of bytes) if (byte === NEWLINE) words++;
  if (words > MOST_WORDS) {
    throw new TaggerError(
      "metadata",
      `openTagger: metadata nasty.vocabulary: expected at most ${MOST_WORDS} words, got ${words}; train the tagger with fewer`,
      { name: "nasty.vocabulary" },
    );
  }
}
