import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { FormatError } from "../format-error.js";
import { raiseLimit, structureLimit } from "../limits.js";
import { memoryOf, memoryOfUnknown, type ValueMemory } from "./decoded-memory.js";

/**
 * Deepest nesting that is read, the limit that protobuf implementations share. A subgraph costs three levels
 * (graph, node, attribute), so an If inside an If is possible some thirty times over.
 */
export const maxDepth = 100;

/** Bounds of a scan; each has a default that real models stay far below. */
export interface WireLimits {
  /** Most bytes of memory that the decoded structures may take; raw data, which is not copied, does not count. */
  readonly maxStructureBytes?: number;
}

/** How the bytes of one field must look. */
interface FieldLayout {
  readonly name: string;
  readonly wireType: WireType;
  /** Repeated numbers may come one by one or packed in one run. */
  readonly packable: boolean;
  readonly message: DescMessage | undefined;
  /** What decoding one value costs, beside what its length does. */
  readonly memory: ValueMemory;
}

interface Scan {
  readonly bytes: Uint8Array;
  readonly operation: string;
  /** Names of the fields that are open, outermost first. */
  readonly path: string[];
  readonly maxStructureBytes: number;
  /** Most bytes of the whole message, where these are its first ones. */
  readonly limit: number | undefined;
  /** Memory that decoding what was passed takes. */
  structureBytes: number;
  position: number;
}

/** Thrown where the bytes of a prefix end, which says nothing about the message. */
const endOfPrefix = new Error("the rest is not there yet");

const layouts = new WeakMap<DescMessage, ReadonlyMap<number, FieldLayout>>();

/**
 * Checks that bytes are a well-formed message of a type, before anything is allocated for it: every tag, wire type and
 * length, at every depth.
 *
 * The protobuf library trusts more than a file deserves (it does not compare wire types, nor a nested message's end
 * with its parent's) and reports no offsets.
 *
 * @param schema type of the message
 * @param bytes the encoded message
 * @param operation name of the caller, which begins the error's message
 * @throws FormatError `truncated` (a length beyond the bytes present), `protobuf` (not protobuf, or another message
 *   type), `limit` (nested too deeply, more memory than allowed); `fields.offset` is the byte
 * @see protobuf.dev/programming-guides/encoding
 */
export function checkWire(
  schema: DescMessage,
  bytes: Uint8Array,
  operation: string,
  limits: WireLimits = {},
): void {
  scanMessage(scanOf(schema, bytes, operation, limits), schema, bytes.length, 1);
}

/**
 * Checks as much of a message as its first bytes tell: what {@link checkWire} would refuse there, and a declared
 * length beyond `maxBytes`. So a stream that unpacks to something else, or to too much, is stopped before it is held.
 *
 * @throws FormatError `protobuf`, `limit`, `truncated` (a length beyond that of the field around it)
 */
export function checkWirePrefix(
  schema: DescMessage,
  prefix: Uint8Array,
  operation: string,
  limits: WireLimits & { readonly maxBytes: number },
): void {
  try {
    scanMessage(scanOf(schema, prefix, operation, limits), schema, limits.maxBytes, 1);
  } catch (error) {
    if (error !== endOfPrefix) throw error;
  }
}

function scanOf(
  schema: DescMessage,
  bytes: Uint8Array,
  operation: string,
  { maxStructureBytes = structureLimit(bytes.length), maxBytes: limit }: WireLimits & { maxBytes?: number },
): Scan {
  return { bytes, operation, path: [schema.name], maxStructureBytes, limit, structureBytes: 0, position: 0 };
}

function scanMessage(scan: Scan, schema: DescMessage, end: number, depth: number): void {
  if (depth > maxDepth)
    fail(scan, "limit", scan.position, `nesting: expected at most ${maxDepth} levels, got more`);
  const layout = layoutOf(schema);
  while (scan.position < end) {
    const start = scan.position;
    const tag = readVarint(scan, end, "tag");
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (number === 0 || tag > 0xffff_ffff) {
      fail(scan, "protobuf", start, `field number: expected 1 to 536870911, got ${number}`);
    }
    const field = layout.get(number);
    if (field === undefined) {
      charge(scan, memoryOfUnknown);
      skip(scan, wireType, number, end, depth);
    } else scanField(scan, field, wireType, end, depth, start);
  }
}

function scanField(
  scan: Scan,
  field: FieldLayout,
  wireType: number,
  end: number,
  depth: number,
  start: number,
): void {
  const packed = field.packable && wireType === WireType.LengthDelimited;
  if (wireType !== field.wireType && !packed) {
    fail(
      scan,
      "protobuf",
      start,
      `${field.name}: wire type: expected ${wireTypeName(field.wireType)}, got ${wireTypeName(wireType)}`,
    );
  }
  scan.path.push(field.name);
  if (!packed && field.message === undefined) {
    const before = scan.position;
    skip(scan, wireType, 0, end, depth);
    charge(scan, field.memory.value + field.memory.byte * (scan.position - before));
  } else {
    const inner = readLength(scan, end);
    if (field.message === undefined) scanPacked(scan, field, inner);
    else {
      charge(scan, field.memory.value);
      scanMessage(scan, field.message, inner, depth + 1);
    }
  }
  scan.path.pop();
}

/** Counts memory that decoding will take; the path says of what. */
function charge(scan: Scan, memory: number): void {
  scan.structureBytes += memory;
  if (scan.structureBytes <= scan.maxStructureBytes) return;
  const most = Math.round(scan.maxStructureBytes / 1e6);
  fail(
    scan,
    "limit",
    scan.position,
    `decoded size: expected structures of at most ${most} MB, got more; weights as raw data do not count; ${raiseLimit}`,
  );
}

function scanPacked(scan: Scan, { wireType, memory }: FieldLayout, end: number): void {
  if (wireType === WireType.Varint) {
    while (scan.position < end) {
      readVarint(scan, end, "number");
      charge(scan, memory.value);
    }
    return;
  }
  const size = wireType === WireType.Bit64 ? 8 : 4;
  const length = end - scan.position;
  if (length % size !== 0) {
    fail(scan, "protobuf", scan.position, `packed length: expected a multiple of ${size}, got ${length}`);
  }
  charge(scan, (length / size) * memory.value);
  scan.position = end;
}

/** Steps over a value that nobody looks into: known scalars, and everything of unknown fields. */
function skip(scan: Scan, wireType: number, number: number, end: number, depth: number): void {
  switch (wireType) {
    case WireType.Varint:
      readVarint(scan, end, "number");
      return;
    case WireType.Bit64:
      advance(scan, 8, end);
      return;
    case WireType.Bit32:
      advance(scan, 4, end);
      return;
    case WireType.LengthDelimited:
      scan.position = readLength(scan, end);
      return;
    case WireType.StartGroup:
      skipGroup(scan, number, end, depth + 1);
      return;
    default:
      fail(
        scan,
        "protobuf",
        scan.position - 1,
        `field ${number}: wire type: expected 0 to 3 or 5, got ${wireType}`,
      );
  }
}

function skipGroup(scan: Scan, number: number, end: number, depth: number): void {
  const opened = scan.position;
  if (depth > maxDepth) fail(scan, "limit", opened, `nesting: expected at most ${maxDepth} levels, got more`);
  while (scan.position < end) {
    const start = scan.position;
    const tag = readVarint(scan, end, "tag");
    const inner = Math.floor(tag / 8);
    if (inner === 0 || tag > 0xffff_ffff) {
      fail(scan, "protobuf", start, `field number: expected 1 to 536870911, got ${inner}`);
    }
    if (tag % 8 === WireType.EndGroup) {
      if (inner === number) return;
      fail(scan, "protobuf", start, `end of group: expected field ${number}, got ${inner}`);
    }
    skip(scan, tag % 8, inner, end, depth);
  }
  fail(scan, "truncated", opened, `group of field ${number}: expected its end, got the end of the bytes`);
}

function advance(scan: Scan, size: number, end: number): void {
  if (size > end - scan.position) {
    fail(scan, "truncated", scan.position, `value: expected ${size} bytes, got ${end - scan.position}`);
  }
  scan.position += size;
}

/** Reads a length and returns where its bytes end. */
function readLength(scan: Scan, end: number): number {
  const start = scan.position;
  const length = readVarint(scan, end, "length");
  const left = end - scan.position;
  if (length > left) {
    // Of a prefix the end is the limit on the whole, unless a field around this one has said otherwise.
    if (end !== scan.limit) {
      fail(scan, "truncated", start, `length: expected at most ${left} bytes, got ${length}`);
    }
    const what = `unpacked size: expected at most ${scan.limit} bytes, got a length of ${length}`;
    fail(scan, "limit", start, `${what}; unpack the file first, or ${raiseLimit}`);
  }
  return scan.position + length;
}

/** Reads up to 64 bits as a double: exact where it matters (below 2^53), and only compared beyond. */
function readVarint(scan: Scan, end: number, what: string): number {
  const { bytes } = scan;
  const start = scan.position;
  const stop = Math.min(end, bytes.length);
  let value = 0;
  let scale = 1;
  for (let at = start; at < stop; at++) {
    const byte = bytes[at] as number;
    if (at - start === 10) break;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) {
      scan.position = at + 1;
      return value;
    }
  }
  if (stop - start > 10) return fail(scan, "protobuf", start, `${what}: expected at most 10 bytes, got more`);
  // Of a whole message no end lies beyond the bytes.
  if (stop < end) throw endOfPrefix;
  return fail(scan, "truncated", start, `${what}: expected its last byte, got the end of the bytes`);
}

function fail(scan: Scan, code: "truncated" | "protobuf" | "limit", offset: number, what: string): never {
  throw new FormatError(code, `${scan.operation}: byte ${offset} (${scan.path.join(".")}): ${what}`, {
    offset,
  });
}

function layoutOf(schema: DescMessage): ReadonlyMap<number, FieldLayout> {
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  const layout = new Map(schema.fields.map((field) => [field.number, fieldLayout(field)]));
  layouts.set(schema, layout);
  return layout;
}

function fieldLayout(field: DescField): FieldLayout {
  const wireType = wireTypeOf(field);
  return {
    name: field.name,
    wireType,
    packable: field.fieldKind === "list" && wireType !== WireType.LengthDelimited,
    message: field.message,
    memory: memoryOf(field),
  };
}

function wireTypeOf(field: DescField): WireType {
  if (field.message !== undefined) return WireType.LengthDelimited;
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    case ScalarType.FLOAT:
      return WireType.Bit32;
    case ScalarType.DOUBLE:
      return WireType.Bit64;
    default:
      // Integers, and enums, which have no scalar type: ONNX has no fixed-width or zigzag integers.
      return WireType.Varint;
  }
}

function wireTypeName(wireType: number): string {
  return (
    ["varint", "64-bit", "length-delimited", "group", "end of group", "32-bit"][wireType] ?? `${wireType}`
  );
}
