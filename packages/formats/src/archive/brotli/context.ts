import { type BitReader, readBits } from "./bit-reader.js";
import { readSmallNumber } from "./block-types.js";
import { readPrefixCode, readSymbol, tableSize } from "./prefix-code.js";

/** Which prefix code holds in which context of which type of block. */
export interface ContextMap {
  /** How many prefix codes there are. */
  readonly codes: number;
  readonly map: Uint8Array;
}

/** Reads a context map (RFC 7932, section 7.3). */
export function readContextMap(reader: BitReader, size: number): ContextMap {
  const codes = readSmallNumber(reader);
  const map = new Uint8Array(size);
  if (codes === 1) return { codes, map };
  const mostRunBits = readBits(reader, 1) === 0 ? 0 : readBits(reader, 4) + 1;
  const table = new Uint16Array(tableSize);
  readPrefixCode(reader, codes + mostRunBits, table, 0);
  for (let at = 0; at < size; ) {
    const symbol = readSymbol(reader, table, 0);
    if (symbol > mostRunBits) map[at++] = symbol - mostRunBits;
    else at += symbol === 0 ? 1 : (1 << symbol) + readBits(reader, symbol);
    if (at > size) throw new Error("a run behind the end of a context map");
  }
  if (readBits(reader, 1) === 1) undoMoveToFront(map);
  return { codes, map };
}

function undoMoveToFront(map: Uint8Array): void {
  const order = Uint8Array.from({ length: 256 }, (_, at) => at);
  for (const [at, place] of map.entries()) {
    const value = order[place] as number;
    map[at] = value;
    order.copyWithin(1, 0, place);
    order[0] = value;
  }
}

/** What the last byte says about the next: class of its character × 4 (RFC 7932, section 7.1, Lut0). */
function lastInText(byte: number): number {
  if (byte >= 0xc0) return 2 + (byte & 1);
  if (byte >= 0x80) return byte & 1;
  const character = String.fromCharCode(byte);
  const classes = [/[\t\n\r]/, / /, /[^ ]/, /["']/, /%/, /[(<[{]/, /[)>\]}]/, /[,:;]/, /\./, /=/, /\d/];
  const letters = [/[AEIOU]/, /[A-Z]/, /[aeiou]/, /[a-z]/];
  if (byte < 0x20 || byte === 0x7f) return /[\t\n\r]/.test(character) ? 4 : 0;
  const letter = letters.findIndex((one) => one.test(character));
  if (letter >= 0) return 4 * (12 + letter);
  const found = classes.findLastIndex((one) => one.test(character));
  return 4 * (found + 1);
}

/** What the byte before the last says (Lut1). */
function beforeLastInText(byte: number): number {
  if (byte >= 0xe0) return 2;
  if (byte <= 0x20 || byte >= 0x7f) return 0;
  const character = String.fromCharCode(byte);
  if (/[a-z]/.test(character)) return 3;
  return /[A-Z\d]/.test(character) ? 2 : 1;
}

/** The size of a byte as a signed number, in eight steps (Lut2). */
function signedStep(byte: number): number {
  return [1, 16, 64, 128, 192, 240, 255].filter((start) => byte >= start).length;
}

const tables: readonly [last: (byte: number) => number, beforeLast: (byte: number) => number][] = [
  [(byte) => byte & 63, () => 0],
  [(byte) => byte >> 2, () => 0],
  [lastInText, beforeLastInText],
  [(byte) => 8 * signedStep(byte), signedStep],
];

/**
 * Contexts of literals (RFC 7932, section 7.1): the one after bytes p2, p1 is `[512 mode + p1] | [512 mode + 256 +
 * p2]`; modes are the low six bits, the high six bits, text, signed numbers.
 */
export const literalContexts: Uint8Array = Uint8Array.from({ length: 4 * 512 }, (_, at) => {
  const [last, beforeLast] = tables[at >> 9] as (typeof tables)[number];
  const byte = at & 255;
  return (at & 256) === 0 ? last(byte) : beforeLast(byte);
});
