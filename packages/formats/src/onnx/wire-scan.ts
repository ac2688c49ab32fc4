import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { FormatError } from "../format-error.js";

/**
 * Deepest nesting that is read, the limit that protobuf implementations share. A subgraph costs three levels
 * (graph, node, attribute), so an If inside an If is possible some thirty times over.
 */
export const maxDepth = 100;

/**
 * Most messages that are read: an empty one takes two bytes in the file but some hundreds in memory, so that without
 * a limit a small file exhausts memory. The largest real graphs have some hundred thousand.
 */
export const maxMessages = 4_000_000;

/** How the bytes of one field must look. */
interface FieldLayout {
  readonly name: string;
  readonly wireType: WireType;
  /** Repeated numbers may come one by one or packed in one run. */
  readonly packable: boolean;
  readonly message: DescMessage | undefined;
}

interface Scan {
  readonly bytes: Uint8Array;
  readonly operation: string;
  /** Names of the fields that are open, outermost first. */
  readonly path: string[];
  messages: number;
  position: number;
}

const layouts = new WeakMap<DescMessage, ReadonlyMap<number, FieldLayout>>();

/**
 * Checks that bytes are a well-formed message of a type, before anything is allocated for it: every tag, wire type and
 * length, at every depth.
 *
 * The protobuf library trusts more than a file deserves (it does not compare wire types, nor a nested message's end with
 * its parent's) and reports no offsets.
 *
 * @param schema type of the message
 * @param bytes the encoded message
 * @param operation name of the caller, which begins the error's message
 * @throws FormatError `truncated` (a length beyond the bytes present), `protobuf` (not protobuf, or another message
 *   type), `limit` (nested too deeply, too many messages); `fields.offset` is the byte
 * @see protobuf.dev/programming-guides/encoding
 */
export function checkWire(schema: DescMessage, bytes: Uint8Array, operation: string): void {
  scanMessage({ bytes, operation, path: [schema.name], messages: 0, position: 0 }, schema, bytes.length, 1);
}

function scanMessage(scan: Scan, schema: DescMessage, end: number, depth: number): void {
  if (depth > maxDepth)
    fail(scan, "limit", scan.position, `nesting: expected at most ${maxDepth} levels, got more`);
  scan.messages += 1;
  if (scan.messages > maxMessages) {
    fail(scan, "limit", scan.position, `messages: expected at most ${maxMessages}, got more`);
  }
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
    if (field === undefined) skip(scan, wireType, number, end, depth);
    else scanField(scan, field, wireType, end, depth, start);
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
  if (!packed && field.message === undefined) {
    skip(scan, wireType, 0, end, depth);
    return;
  }
  scan.path.push(field.name);
  const inner = readLength(scan, end);
  if (field.message !== undefined) scanMessage(scan, field.message, inner, depth + 1);
  else scanPacked(scan, field.wireType, inner);
  scan.path.pop();
}

function scanPacked(scan: Scan, wireType: WireType, end: number): void {
  if (wireType === WireType.Varint) {
    while (scan.position < end) readVarint(scan, end, "number");
    return;
  }
  const size = wireType === WireType.Bit64 ? 8 : 4;
  const length = end - scan.position;
  if (length % size !== 0) {
    fail(scan, "protobuf", scan.position, `packed length: expected a multiple of ${size}, got ${length}`);
  }
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
  if (length > left) fail(scan, "truncated", start, `length: expected at most ${left} bytes, got ${length}`);
  return scan.position + length;
}

/** Reads up to 64 bits as a double: exact where it matters (below 2^53), and only compared beyond. */
function readVarint(scan: Scan, end: number, what: string): number {
  const { bytes } = scan;
  const start = scan.position;
  let value = 0;
  let scale = 1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (at - start === 10) break;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) {
      scan.position = at + 1;
      return value;
    }
  }
  if (end - start > 10) return fail(scan, "protobuf", start, `${what}: expected at most 10 bytes, got more`);
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
