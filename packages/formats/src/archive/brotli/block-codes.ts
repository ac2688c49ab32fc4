import { type BitReader, readBits } from "./bit-reader.js";
import { type Category, readCategory } from "./block-types.js";
import { readContextMap } from "./context.js";
import { readPrefixCode, tableSize } from "./prefix-code.js";

/** The codes of a compressed meta-block (RFC 7932, section 9.2). */
export interface BlockCodes {
  readonly literals: Category;
  readonly commands: Category;
  readonly distances: Category;
  /** Which context counts, by type of block. */
  readonly literalModes: Uint8Array;
  /** Which table holds, by type of block and context. */
  readonly literalMap: Uint8Array;
  readonly distanceMap: Uint8Array;
  /** Tables, each `tableStep` behind the one before. */
  readonly literalTable: Uint16Array;
  readonly commandTable: Uint16Array;
  readonly distanceTable: Uint16Array;
  readonly tableStep: number;
  /** Low bits of distances that are coded with their high ones (NPOSTFIX). */
  readonly postfixBits: number;
  /** Distances that have a code each (NDIRECT). */
  readonly directDistances: number;
}

const literalSymbols = 256;
const commandSymbols = 704;

export function readBlockCodes(reader: BitReader): BlockCodes {
  const literals = readCategory(reader);
  const commands = readCategory(reader);
  const distances = readCategory(reader);
  const postfixBits = readBits(reader, 2);
  const directDistances = readBits(reader, 4) << postfixBits;
  const literalModes = Uint8Array.from({ length: literals.types }, () => readBits(reader, 2));
  const literalMap = readContextMap(reader, 64 * literals.types);
  const distanceMap = readContextMap(reader, 4 * distances.types);
  const distanceSymbols = 16 + directDistances + (48 << postfixBits);
  return {
    literals,
    commands,
    distances,
    literalModes,
    literalMap: literalMap.map,
    distanceMap: distanceMap.map,
    literalTable: readTables(reader, literalMap.codes, literalSymbols),
    commandTable: readTables(reader, commands.types, commandSymbols),
    distanceTable: readTables(reader, distanceMap.codes, distanceSymbols),
    tableStep: tableSize,
    postfixBits,
    directDistances,
  };
}

function readTables(reader: BitReader, count: number, symbols: number): Uint16Array {
  const tables = new Uint16Array(count * tableSize);
  for (let at = 0; at < count; at++) readPrefixCode(reader, symbols, tables, at * tableSize);
  return tables;
}
