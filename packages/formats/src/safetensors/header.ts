import { byteLength, type DType } from "@nasty/core";
import { FormatError, type FormatErrorCode } from "../format-error.js";
import { parseJson } from "../json/parse-json.js";
import { duplicateKey } from "../text/duplicate-key.js";

/** One tensor of the table of contents; offsets count from the end of the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The table of contents of a file, checked. */
export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Where the data begins, in bytes from the start of the file. */
  readonly dataStart: number;
}

/** The names of element types in the file. */
export const dtypeNames: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["F64", "float64"],
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["I8", "int8"],
  ["U8", "uint8"],
  ["I16", "int16"],
  ["U16", "uint16"],
  ["I32", "int32"],
  ["U32", "uint32"],
  ["I64", "int64"],
  ["U64", "uint64"],
  ["BOOL", "bool"],
]);

/** The limit of the reference implementation: parsing an endless header is the cheapest attack there is. */
const maxHeaderBytes = 100_000_000;
const lengthBytes = 8;

/** Builds the error of one place of the file. */
export function safetensorsError(
  code: FormatErrorCode,
  where: string,
  what: string,
  { expected, got, name }: { expected: string; got: string; name?: string },
): FormatError {
  const fields = { expected, got, ...(name === undefined ? {} : { name }) };
  return new FormatError(
    code,
    `parseSafetensors: ${where}: ${what}: expected ${expected}, got ${got}`,
    fields,
  );
}

/** Reads and checks the header; nothing of its declared size is allocated before it is known to be there. */
export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length < lengthBytes) {
    const got = `${bytes.length} bytes`;
    throw safetensorsError("truncated", "byte 0", "header length", { expected: "8 bytes", got });
  }
  const declared = new DataView(bytes.buffer, bytes.byteOffset, lengthBytes).getBigUint64(0, true);
  const present = bytes.length - lengthBytes;
  if (declared > BigInt(Math.min(present, maxHeaderBytes))) {
    const code = declared > BigInt(maxHeaderBytes) ? "limit" : "truncated";
    const expected = `at most ${Math.min(present, maxHeaderBytes)} bytes`;
    throw safetensorsError(code, "byte 0", "header length", { expected, got: String(declared) });
  }
  const dataStart = lengthBytes + Number(declared);
  const table = parseTable(bytes.subarray(lengthBytes, dataStart));
  const entries: Entry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(table)) {
    if (name === "__metadata__") metadata = readMetadata(value);
    else entries.push(readEntry(name, value));
  }
  checkCoverage(entries, bytes.length - dataStart);
  return { entries, metadata, dataStart };
}

function parseTable(header: Uint8Array): Record<string, unknown> {
  if (header[0] !== 0x7b) {
    const got =
      header.length === 0
        ? "an empty header"
        : `byte 0x${(header[0] as number).toString(16).padStart(2, "0")}`;
    throw safetensorsError("magic", "byte 8", "header", { expected: "{", got });
  }
  let text: string;
  let table: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(header);
    table = parseJson(text);
  } catch (cause) {
    if (cause instanceof FormatError) {
      const reason = cause.message.replace(/^\w+: (?:content: )?/, "");
      throw new FormatError(cause.code, `parseSafetensors: byte 8: header: ${reason}`, { offset: 8, cause });
    }
    throw new FormatError(
      "json",
      `parseSafetensors: byte 8: header: expected JSON, got ${(cause as Error).message}`,
      {
        offset: 8,
        cause,
      },
    );
  }
  // JSON.parse keeps the last of two equal keys: a file could show one tensor to one reader and another to the next.
  const twice = duplicateKey(text);
  if (twice !== undefined) {
    throw safetensorsError("duplicate", "header", "key", {
      expected: "each once",
      got: `${JSON.stringify(twice)} twice`,
      name: twice,
    });
  }
  return table as Record<string, unknown>;
}

function readMetadata(value: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw safetensorsError("header", "__metadata__", "value", {
      expected: "an object",
      got: JSON.stringify(value),
    });
  }
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== "string") {
      const got = JSON.stringify(entry);
      throw safetensorsError("header", `__metadata__: ${key}`, "value", {
        expected: "a string",
        got,
        name: key,
      });
    }
    found.set(key, entry);
  }
  return found;
}

function readEntry(name: string, value: unknown): Entry {
  const where = `tensor ${JSON.stringify(name)}`;
  const refuse = (code: FormatErrorCode, what: string, expected: string, got: string): FormatError =>
    safetensorsError(code, where, what, { expected, got, name });
  if (typeof value !== "object" || value === null) {
    throw refuse("header", "entry", "dtype, shape and data_offsets", JSON.stringify(value));
  }
  const { dtype: written, shape, data_offsets: offsets } = value as Record<string, unknown>;
  const dtype = typeof written === "string" ? dtypeNames.get(written) : undefined;
  if (dtype === undefined) {
    throw refuse(
      "unknown-dtype",
      "dtype",
      [...dtypeNames.keys()].join(", "),
      JSON.stringify(written) ?? "nothing",
    );
  }
  if (!isSizes(shape)) throw refuse("shape", "shape", "a list of sizes", JSON.stringify(shape) ?? "nothing");
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw refuse("header", "data_offsets", "[begin, end]", JSON.stringify(offsets) ?? "nothing");
  }
  const [begin, end] = offsets as [number, number];
  // Computed in floating point first: a hostile shape overflows every integer.
  const estimate = shape.reduce((product, size) => product * size, 8);
  if (!(estimate <= Number.MAX_SAFE_INTEGER)) {
    throw refuse("shape", "shape", "less than 2^53 bytes", `[${shape.join(", ")}]`);
  }
  const needed = byteLength(dtype, shape);
  if (end - begin !== needed) {
    throw refuse(
      "size",
      "data_offsets",
      `${needed} bytes for ${written as string} [${shape.join(", ")}]`,
      `${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Every byte of the data belongs to exactly one tensor: nothing can be hidden between them, and none is read twice. */
function checkCoverage(entries: readonly Entry[], dataBytes: number): void {
  const inOrder = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of inOrder) {
    const where = `tensor ${JSON.stringify(name)}`;
    if (begin !== covered) {
      const code = begin < covered ? "overlap" : "gap";
      throw safetensorsError(code, where, "begin", { expected: String(covered), got: String(begin), name });
    }
    if (end > dataBytes) {
      const expected = `at most ${dataBytes}, the bytes present`;
      throw safetensorsError("truncated", where, "end", { expected, got: String(end), name });
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw safetensorsError("size", "end of the data", "bytes behind the last tensor", {
      expected: "0",
      got: String(dataBytes - covered),
    });
  }
}
