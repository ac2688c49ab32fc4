import type { Collector } from "../collect.js";
import {
  type BitReader,
  byteAt,
  checkEnd,
  endOfFile,
  goToByte,
  makeBitReader,
  readBits,
  skipPadding,
} from "./bit-reader.js";
import { type BlockCodes, readBlockCodes } from "./block-codes.js";
import { nextBlock } from "./block-types.js";
import { literalContexts } from "./context.js";
import type { Dictionary } from "./dictionary.js";
import { readSymbol } from "./prefix-code.js";
import { longestWord, writeWord } from "./transforms.js";

/** What goes on from meta-block to meta-block. */
interface Decoding {
  readonly reader: BitReader;
  readonly dictionary: Dictionary;
  readonly output: Collector;
  /** The farthest distance into the output. */
  readonly window: number;
  /** The last four distances, the latest one at `latest`, those before it behind it, round and round. */
  readonly distances: Int32Array;
  latest: number;
  /** Bytes that are decoded. */
  length: number;
}

/**
 * Decodes brotli data (RFC 7932). The output is its own window, so memory is what the collector holds and the tables of
 * one meta-block (at most 2 MB).
 *
 * @param output refuses a meta-block that says that it is larger than allowed before anything of it is decoded, and
 *   holds no more than half as much again as was decoded
 * @throws Error what is wrong with the data, as the end of a sentence; what the collector throws
 */
export function decodeBrotli(bytes: Uint8Array, dictionary: Dictionary, output: Collector): Uint8Array {
  const reader = makeBitReader(bytes);
  try {
    const decoding: Decoding = {
      reader,
      dictionary,
      output,
      window: (1 << readWindowBits(reader)) - 16,
      distances: Int32Array.of(4, 11, 15, 16),
      latest: 0,
      length: 0,
    };
    for (let isLast = false; !isLast; ) {
      isLast = decodeMetaBlock(decoding);
      checkEnd(reader);
    }
    skipPadding(reader);
    if (byteAt(reader) < bytes.length) throw new Error("bytes after its end");
    return output.content(decoding.length);
  } catch (error) {
    // Behind the end zeros are read, and mean anything.
    checkEnd(reader);
    throw error;
  }
}

function readWindowBits(reader: BitReader): number {
  if (readBits(reader, 1) === 0) return 16;
  const high = readBits(reader, 3);
  if (high > 0) return 17 + high;
  const low = readBits(reader, 3);
  if (low === 1)
    throw new Error("a window of over 16 MB (large-window brotli), which RFC 7932 does not have");
  return low === 0 ? 17 : 8 + low;
}

/** @returns whether it was the last one */
function decodeMetaBlock(decoding: Decoding): boolean {
  const { reader, output } = decoding;
  const isLast = readBits(reader, 1) === 1;
  if (isLast && readBits(reader, 1) === 1) return true;
  const nibbles = readBits(reader, 2) + 4;
  if (nibbles === 7) {
    skipMetadata(reader);
    return isLast;
  }
  const size = readSize(reader, nibbles, 4) + 1;
  // A file that is cut short says so itself, whatever it would have come to.
  checkEnd(reader);
  output.expect(decoding.length + size);
  if (!isLast && readBits(reader, 1) === 1) copyPlain(decoding, size);
  else decodeCommands(decoding, readBlockCodes(reader), decoding.length + size);
  return isLast;
}

/** Reads a number of so many digits; the last one of those that are not always there must not be 0. */
function readSize(reader: BitReader, digits: number, bits: 4 | 8): number {
  let size = 0;
  let digit = 0;
  for (let at = 0; at < digits; at++) {
    digit = readBits(reader, bits);
    size |= digit << (bits * at);
  }
  if (digits > (bits === 4 ? 4 : 1) && digit === 0) throw new Error("a size with a leading zero");
  return size;
}

function skipMetadata(reader: BitReader): void {
  if (readBits(reader, 1) !== 0) throw new Error("a reserved bit that is set");
  const digits = readBits(reader, 2);
  const size = digits === 0 ? 0 : readSize(reader, digits, 8) + 1;
  skipPadding(reader);
  goToByte(reader, byteAt(reader) + size);
}

function copyPlain(decoding: Decoding, size: number): void {
  const { reader, output } = decoding;
  skipPadding(reader);
  const start = byteAt(reader);
  if (start + size > reader.bytes.length) throw endOfFile();
  output.reserve(decoding.length, size);
  output.held.set(reader.bytes.subarray(start, start + size), decoding.length);
  decoding.length += size;
  goToByte(reader, start + size);
}

const insertOffsets = Uint16Array.from([
  0, 1, 2, 3, 4, 5, 6, 8, 10, 14, 18, 26, 34, 50, 66, 98, 130, 194, 322, 578, 1090, 2114, 6210, 22594,
]);
const insertBits = Uint8Array.from([
  0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 12, 14, 24,
]);
const copyOffsets = Uint16Array.from([
  2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 18, 22, 30, 38, 54, 70, 102, 134, 198, 326, 582, 1094, 2118,
]);
const copyBits = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 24]);
/** First code of the length to insert and to copy, by the high bits of a command. */
const insertCells = Uint8Array.of(0, 0, 0, 0, 8, 8, 0, 16, 8, 16, 16);
const copyCells = Uint8Array.of(0, 8, 0, 8, 0, 8, 16, 0, 16, 8, 16);
/** Commands below this one take the last distance again. */
const firstWithDistance = 128;

function decodeCommands(decoding: Decoding, codes: BlockCodes, end: number): void {
  const { reader } = decoding;
  const { commands } = codes;
  while (decoding.length < end) {
    if (commands.left === 0) nextBlock(reader, commands);
    commands.left--;
    const command = readSymbol(reader, codes.commandTable, commands.type * codes.tableStep);
    const cell = command >> 6;
    const insert = (insertCells[cell] as number) + ((command >> 3) & 7);
    const copy = (copyCells[cell] as number) + (command & 7);
    const inserted = (insertOffsets[insert] as number) + readBits(reader, insertBits[insert] as number);
    const copied = (copyOffsets[copy] as number) + readBits(reader, copyBits[copy] as number);
    if (inserted > 0) insertLiterals(decoding, codes, inserted, end);
    if (decoding.length === end) return;
    copyBack(decoding, codes, { copied, isSameDistance: command < firstWithDistance, end });
  }
}

function insertLiterals(decoding: Decoding, codes: BlockCodes, count: number, end: number): void {
  const { reader, output, length: start } = decoding;
  const { literals, literalMap, literalModes, literalTable, tableStep } = codes;
  if (start + count > end) throw tooMuch();
  if (start + count > output.room) output.reserve(start, count);
  const { held } = output;
  let last = start > 0 ? (held[start - 1] as number) : 0;
  let beforeLast = start > 1 ? (held[start - 2] as number) : 0;
  let at = start;
  while (at < start + count) {
    if (literals.left === 0) nextBlock(reader, literals);
    const until = Math.min(start + count, at + literals.left);
    literals.left -= until - at;
    const map = 64 * literals.type;
    const mode = 512 * (literalModes[literals.type] as number);
    for (; at < until; at++) {
      const context =
        (literalContexts[mode + last] as number) | (literalContexts[mode + 256 + beforeLast] as number);
      beforeLast = last;
      last = readSymbol(reader, literalTable, (literalMap[map + context] as number) * tableStep);
      held[at] = last;
    }
  }
  decoding.length = at;
}

interface Copy {
  readonly copied: number;
  readonly isSameDistance: boolean;
  readonly end: number;
}

function copyBack(decoding: Decoding, codes: BlockCodes, { copied, isSameDistance, end }: Copy): void {
  const { reader, output, distances, length: at } = decoding;
  const code = isSameDistance ? 0 : readDistanceCode(reader, codes, copied);
  const distance = distanceOf(decoding, codes, code);
  const farthest = Math.min(at, decoding.window);
  if (distance > farthest) {
    if (at + longestWord > output.room) output.reserve(at, Math.min(longestWord, end - at));
    const word = { length: copied, id: distance - farthest - 1 };
    decoding.length += writeWord(decoding.dictionary, word, output.held, at);
    if (decoding.length > end) throw tooMuch();
    return;
  }
  if (code !== 0) {
    decoding.latest = (decoding.latest + 3) & 3;
    distances[decoding.latest] = distance;
  }
  if (at + copied > end) throw tooMuch();
  if (at + copied > output.room) output.reserve(at, copied);
  copyWithin(output.held, at, distance, copied);
  decoding.length = at + copied;
}

/** Copies that reach into themselves repeat what they have copied. */
function copyWithin(held: Uint8Array, at: number, distance: number, count: number): void {
  if (distance >= count && count > 32) {
    held.copyWithin(at, at - distance, at - distance + count);
    return;
  }
  if (distance === 1) {
    held.fill(held[at - 1] as number, at, at + count);
    return;
  }
  for (let to = at; to < at + count; to++) held[to] = held[to - distance] as number;
}

function readDistanceCode(reader: BitReader, codes: BlockCodes, copied: number): number {
  const { distances, distanceMap, distanceTable, tableStep } = codes;
  if (distances.left === 0) nextBlock(reader, distances);
  distances.left--;
  const context = Math.min(copied - 2, 3);
  const table = distanceMap[4 * distances.type + context] as number;
  return readSymbol(reader, distanceTable, table * tableStep);
}

/** Codes 4 to 15 are near to the last distance, or to the one before. */
const nearby = Int8Array.of(-1, 1, -2, 2, -3, 3);
const firstDirect = 16;

function distanceOf({ reader, distances, latest }: Decoding, codes: BlockCodes, code: number): number {
  if (code < 4) return distances[(latest + code) & 3] as number;
  if (code < firstDirect) {
    const base = distances[(latest + (code < 10 ? 0 : 1)) & 3] as number;
    const distance = base + (nearby[(code - 4) % 6] as number);
    if (distance <= 0) throw new Error("a distance that is not positive");
    return distance;
  }
  const { directDistances, postfixBits } = codes;
  const rest = code - firstDirect - directDistances;
  if (rest < 0) return code - firstDirect + 1;
  const bits = 1 + (rest >> (postfixBits + 1));
  const offset = ((2 + ((rest >> postfixBits) & 1)) << bits) - 4;
  const postfix = rest & ((1 << postfixBits) - 1);
  return ((offset + readBits(reader, bits)) << postfixBits) + postfix + directDistances + 1;
}

const tooMuch = (): Error => new Error("a meta-block that is longer than it says");
