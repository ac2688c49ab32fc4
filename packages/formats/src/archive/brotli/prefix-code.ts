import { type BitReader, fill, readBits } from "./bit-reader.js";

/** Bits that the first look into a table takes; longer codes need a second one. */
const rootBits = 8;
const rootSize = 1 << rootBits;
const longest = 15;
/** Entries that a table takes at most: 704 symbols (insert-and-copy, the largest alphabet), first look 8 of 15 bits. */
export const tableSize = 1080;
const largestAlphabet = 704;

/**
 * Reads one symbol of a prefix code.
 *
 * An entry of a table is a value × 16 + a number of bits: a symbol and the bits of its code, or, where that is over 8,
 * the place of a second table (from the start of the first) and the bits of both.
 *
 * @param table tables, one behind the other
 * @param base where the code's table begins
 */
export function readSymbol(reader: BitReader, table: Uint16Array, base: number): number {
  if (reader.count < longest) fill(reader);
  let entry = table[base + (reader.held & (rootSize - 1))] as number;
  let bits = entry & 15;
  if (bits > rootBits) {
    const rest = (reader.held >> rootBits) & ((1 << (bits - rootBits)) - 1);
    entry = table[base + (entry >> 4) + rest] as number;
    bits = entry & 15;
  }
  reader.held >>= bits;
  reader.count -= bits;
  return entry >> 4;
}

const lengths = new Uint8Array(largestAlphabet);
const countOf = new Uint16Array(longest + 1);
const sorted = new Uint16Array(largestAlphabet);
const secondBits = new Uint8Array(rootSize);
const secondAt = new Uint16Array(rootSize);

/**
 * Reads a prefix code (RFC 7932, section 3) into a table.
 *
 * @param alphabet how many symbols there are, at most 704
 * @param base where in `table` the code's table begins; it takes at most `tableSize` entries
 */
export function readPrefixCode(reader: BitReader, alphabet: number, table: Uint16Array, base: number): void {
  lengths.fill(0, 0, alphabet);
  const skipped = readBits(reader, 2);
  if (skipped === 1) readSimpleLengths(reader, alphabet);
  else readLengths(reader, alphabet, readCodeOfLengths(reader, skipped));
  buildTable(alphabet, table, base);
}

/** Lengths of codes of one to four symbols, by the selector that is read for four. */
const simpleLengths: readonly (readonly number[])[] = [[0], [1, 1], [1, 2, 2], [2, 2, 2, 2], [1, 2, 3, 3]];

/** A code of one symbol has no bits; `buildTable` knows it by the lack of lengths, and this is the symbol. */
let onlySymbol = 0;

function readSimpleLengths(reader: BitReader, alphabet: number): void {
  const count = readBits(reader, 2) + 1;
  const bits = 32 - Math.clz32(alphabet - 1);
  const symbols: number[] = [];
  for (let at = 0; at < count; at++) {
    const symbol = readBits(reader, bits);
    if (symbol >= alphabet || symbols.includes(symbol)) throw new Error("a wrong symbol in a simple code");
    symbols.push(symbol);
  }
  const shape = simpleLengths[count === 4 ? 3 + readBits(reader, 1) : count - 1] as readonly number[];
  onlySymbol = symbols[0] as number;
  for (const [at, symbol] of symbols.entries()) lengths[symbol] = shape[at] as number;
}

const orderOfLengths = [1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/** The fixed code of the lengths of the code of lengths: value and bits by the next four bits. */
const fixedValues = [0, 4, 3, 2, 0, 4, 3, 1, 0, 4, 3, 2, 0, 4, 3, 5];
const fixedBits = [2, 2, 2, 3, 2, 2, 2, 4, 2, 2, 2, 3, 2, 2, 2, 4];
const lengthSymbols = 18;
const codeOfLengths = new Uint16Array(rootSize);

/** Reads the code in which lengths are written. */
function readCodeOfLengths(reader: BitReader, skipped: number): Uint16Array {
  lengths.fill(0, 0, lengthSymbols);
  let space = 32;
  let used = 0;
  for (let at = skipped; at < lengthSymbols && space > 0; at++) {
    if (reader.count < 4) fill(reader);
    const next = reader.held & 15;
    readBits(reader, fixedBits[next] as number);
    const length = fixedValues[next] as number;
    if (length === 0) continue;
    onlySymbol = orderOfLengths[at] as number;
    lengths[onlySymbol] = length;
    space -= 32 >> length;
    used++;
  }
  if (space !== 0 && used !== 1) throw new Error("a code of lengths that is not complete");
  if (used === 1) lengths[onlySymbol] = 0;
  buildTable(lengthSymbols, codeOfLengths, 0);
  return codeOfLengths;
}

const repeatLength = 16;
const repeatZero = 17;

function readLengths(reader: BitReader, alphabet: number, code: Uint16Array): void {
  lengths.fill(0, 0, Math.max(alphabet, lengthSymbols));
  let space = 1 << longest;
  let previous = 8;
  let repeats = 0;
  let repeated = 0;
  for (let symbol = 0; symbol < alphabet && space > 0; ) {
    const read = readSymbol(reader, code, 0);
    if (read < repeatLength) {
      repeats = 0;
      lengths[symbol++] = read;
      if (read === 0) continue;
      previous = read;
      space -= (1 << longest) >> read;
      continue;
    }
    // A repeat that follows its like multiplies it.
    const bits = read === repeatZero ? 3 : 2;
    const length = read === repeatZero ? 0 : previous;
    if (length !== repeated) repeats = 0;
    repeated = length;
    const before = repeats;
    repeats = (repeats > 0 ? (repeats - 2) << bits : 0) + 3 + readBits(reader, bits);
    const end = symbol + repeats - before;
    if (end > alphabet) throw new Error("more lengths than symbols");
    lengths.fill(length, symbol, end);
    if (length > 0) space -= (end - symbol) << (longest - length);
    symbol = end;
  }
  if (space !== 0) throw new Error("a prefix code that is not complete");
}

/** Turns the lengths into a table, codes in the order of RFC 7932, section 3.2. */
function buildTable(alphabet: number, table: Uint16Array, base: number): void {
  countOf.fill(0);
  for (let symbol = 0; symbol < alphabet; symbol++) (countOf[lengths[symbol] as number] as number)++;
  const coded = alphabet - (countOf[0] as number);
  if (coded === 0) {
    table.fill(onlySymbol << 4, base, base + rootSize);
    return;
  }
  sortByLength(alphabet);
  let size = rootSize;
  eachCode((code, _, length) => {
    // In the order of codes the last one of a second table is the longest.
    if (length > rootBits) secondBits[code & (rootSize - 1)] = length - rootBits;
  });
  let last = -1;
  eachCode((code, symbol, length) => {
    const root = code & (rootSize - 1);
    if (length <= rootBits) {
      for (let at = code; at < rootSize; at += 1 << length) table[base + at] = (symbol << 4) | length;
      return;
    }
    const bits = secondBits[root] as number;
    if (root !== last) {
      last = root;
      secondAt[root] = size;
      table[base + root] = (size << 4) | (rootBits + bits);
      size += 1 << bits;
    }
    const start = base + (secondAt[root] as number);
    for (let at = code >> rootBits; at < 1 << bits; at += 1 << (length - rootBits)) {
      table[start + at] = (symbol << 4) | length;
    }
  });
}

function sortByLength(alphabet: number): void {
  const next = new Uint16Array(longest + 2);
  for (let length = 1; length <= longest; length++) {
    next[length + 1] = (next[length] as number) + (countOf[length] as number);
  }
  for (let symbol = 0; symbol < alphabet; symbol++) {
    const length = lengths[symbol] as number;
    if (length > 0) sorted[(next[length] as number)++] = symbol;
  }
}

/** Calls for each code in its order, with its bits in the order in which they are read. */
function eachCode(use: (code: number, symbol: number, length: number) => void): void {
  let code = 0;
  let at = 0;
  for (let length = 1; length <= longest; length++) {
    for (let left = countOf[length] as number; left > 0; left--) {
      use(code, sorted[at++] as number, length);
      // Adds one to a number whose highest bit is its lowest.
      let bit = 1 << (length - 1);
      while ((code & bit) !== 0) bit >>= 1;
      code = bit === 0 ? 0 : (code & (bit - 1)) | bit;
    }
  }
}
