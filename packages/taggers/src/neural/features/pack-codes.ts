import { gunzip, gzip } from "@nasty/formats/archive";
import { fromBase64, toBase64 } from "../../base64.js";
import { TaggerError } from "../../tagger-error.js";
import type { WordCodes } from "./word-codes.js";

/** No list of words with their codes is larger; an entry that unpacks to more is an attack. */
const MOST_BYTES = 64 * 2 ** 20;
const NEWLINE = 10;

/** The metadata entry of word codes. */
export const CODES_KEY = "nasty.codes";

/**
 * Word codes in few characters: the words, one a line, an empty line, and the codes [books, words] as bytes; gzip,
 * base64. 40,000 English words with 4 codes each take about 430 kB.
 *
 * @throws TaggerError `metadata` for an empty word, or one with a line break.
 */
export async function packCodes({ words, codes }: WordCodes): Promise<string> {
  const broken = words.find((word) => word === "" || word.includes("\n"));
  if (broken !== undefined) {
    throw refuse(
      `packCodes: word ${JSON.stringify(broken)}: expected a word without line breaks, got ${broken === "" ? "an empty one" : "one"}`,
    );
  }
  const text = new TextEncoder().encode(`${words.map((word) => `${word}\n`).join("")}\n`);
  const bytes = new Uint8Array(text.length + codes.length);
  bytes.set(text);
  bytes.set(codes, text.length);
  return toBase64(await gzip(bytes));
}

/**
 * The word codes that {@link packCodes} packed.
 *
 * @throws TaggerError `metadata` if the text is not base64 of gzip of words and their codes.
 */
export async function unpackCodes(text: string, books: number): Promise<WordCodes> {
  let bytes: Uint8Array;
  try {
    bytes = await gunzip(fromBase64(text), { maxBytes: MOST_BYTES });
  } catch (cause) {
    throw refuse(
      `openTagger: metadata ${CODES_KEY}: expected base64 of gzipped words and codes, got ${(cause as Error).message}`,
      cause,
    );
  }
  const end = endOfWords(bytes);
  if (end === undefined) {
    throw refuse(
      `openTagger: metadata ${CODES_KEY}: expected words and an empty line, got ${bytes.length} bytes without one`,
    );
  }
  const words = decode(bytes.subarray(0, end)).split("\n").slice(0, -1);
  const codes = bytes.slice(end + 1);
  if (codes.length !== words.length * books) {
    throw refuse(
      `openTagger: metadata ${CODES_KEY}: expected ${words.length * books} codes (${words.length} words, ${books} codebooks), got ${codes.length}; the file is damaged`,
    );
  }
  return { words, books, codes };
}

/** Place of the empty line behind the words: there is none among them. */
function endOfWords(bytes: Uint8Array): number | undefined {
  if (bytes[0] === NEWLINE) return 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1))
    if (bytes[at + 1] === NEWLINE) return at + 1;
  return undefined;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refuse(`openTagger: metadata ${CODES_KEY}: expected words in UTF-8, got other bytes`, cause);
  }
}

const refuse = (message: string, cause?: unknown): TaggerError =>
  new TaggerError("metadata", message, { name: CODES_KEY, ...(cause === undefined ? {} : { cause }) });
