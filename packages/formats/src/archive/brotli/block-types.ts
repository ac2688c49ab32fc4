import { type BitReader, readBits } from "./bit-reader.js";
import { readPrefixCode, readSymbol, tableSize } from "./prefix-code.js";

/** Literals, commands or distances of a meta-block: they change their type of block on their own (RFC 7932, 6). */
export interface Category {
  /** How many types of block there are. */
  readonly types: number;
  readonly typeCode: Uint16Array;
  readonly countCode: Uint16Array;
  /** Symbols left in the block. */
  left: number;
  type: number;
  previous: number;
}

const countOffsets = [
  1, 5, 9, 13, 17, 25, 33, 41, 49, 65, 81, 97, 113, 145, 177, 209, 241, 305, 369, 497, 753, 1265, 2289, 4337,
  8433, 16625,
];
const countBits = [2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 7, 8, 9, 10, 11, 12, 13, 24];
const noCode = new Uint16Array(0);
const wholeMetaBlock = 1 << 24;

/** Reads a number of 1 to 256 (types of block, prefix codes). */
export function readSmallNumber(reader: BitReader): number {
  if (readBits(reader, 1) === 0) return 1;
  const bits = readBits(reader, 3);
  return (1 << bits) + readBits(reader, bits) + 1;
}

export function readCategory(reader: BitReader): Category {
  const types = readSmallNumber(reader);
  const start = { types, type: 0, previous: 1 };
  if (types === 1) return { ...start, typeCode: noCode, countCode: noCode, left: wholeMetaBlock };
  const typeCode = new Uint16Array(tableSize);
  const countCode = new Uint16Array(tableSize);
  readPrefixCode(reader, types + 2, typeCode, 0);
  readPrefixCode(reader, countOffsets.length, countCode, 0);
  return { ...start, typeCode, countCode, left: readCount(reader, countCode) };
}

/** Goes to the next block of a category. */
export function nextBlock(reader: BitReader, category: Category): void {
  const { types, type, previous } = category;
  // Only one that is as long as the longest meta-block can end here, and that has nothing behind it.
  if (types === 1) throw new Error("more symbols than a block may have");
  const symbol = readSymbol(reader, category.typeCode, 0);
  category.previous = type;
  category.type = symbol === 0 ? previous : symbol === 1 ? (type + 1) % types : symbol - 2;
  category.left = readCount(reader, category.countCode);
}

function readCount(reader: BitReader, code: Uint16Array): number {
  const symbol = readSymbol(reader, code, 0);
  return (countOffsets[symbol] as number) + readBits(reader, countBits[symbol] as number);
}
