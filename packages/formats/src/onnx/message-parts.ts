import {
  create,
  type DescField,
  type DescMessage,
  isFieldSet,
  type Message,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type TensorProto, TensorProtoSchema } from "./gen/onnx_pb.js";

/** Byte strings from this size on are passed on as they are; smaller ones are copied, which is cheaper than a part. */
export const largeBytes = 4096;

/** An encoded message: its bytes are those of the parts, one after the other. */
export interface EncodedMessage {
  readonly size: number;
  readonly parts: readonly Uint8Array[];
}

/** Tensors to write in place of others, as external data needs it: the caller's model stays as it is. */
export type Replacements = ReadonlyMap<TensorProto, TensorProto>;

/** Any message, with its fields by their local names. */
type Fields = Message & Record<string, unknown>;

const inOrder = new WeakMap<DescMessage, readonly DescField[]>();
const reaching = new Map<DescMessage, boolean>();

/**
 * Encodes a message as protobuf does (fields by number, unknown fields last) without copying its large byte strings.
 *
 * The protobuf library's writer moves every nested message once per level. Here only messages on the way to a large
 * byte string are taken apart: their other fields, gathered into a message of the same type, go through the library.
 *
 * @param schema the message's type
 * @param message the message; not changed
 * @param replacements tensors to write instead of others
 * @returns the bytes in parts; large parts are the caller's own arrays
 */
export function encodeMessage(
  schema: DescMessage,
  message: Message,
  replacements: Replacements,
): EncodedMessage {
  const parts: Uint8Array[] = [];
  let size = 0;
  const append = (part: Uint8Array): void => {
    if (part.length === 0) return;
    parts.push(part);
    size += part.length;
  };
  let gathered = create(schema) as Fields;
  const flush = (): void => {
    append(toBinary(schema, gathered));
    gathered = create(schema) as Fields;
  };
  const appendMessage = (field: DescField, child: Message): void => {
    flush();
    const encoded = encodeMessage(field.message as DescMessage, child, replacements);
    append(lengthPrefix(field.number, encoded.size));
    for (const part of encoded.parts) append(part);
  };
  for (const field of fieldsOf(schema)) {
    const value = valueOf(message as Fields, field);
    if (value === undefined) continue;
    const name = gatheredName(field);
    if (isLargeBytes(field, value)) {
      flush();
      append(lengthPrefix(field.number, value.length));
      append(value);
    } else if (!reachesBytes(field.message)) {
      gathered[name] = value;
    } else if (Array.isArray(value)) {
      for (const item of value as Message[]) {
        const child = replaced(item, replacements);
        if (holdsLarge(field.message as DescMessage, child, replacements)) appendMessage(field, child);
        else (gathered[name] as Message[]).push(child);
      }
    } else {
      const child = replaced(value as Message, replacements);
      if (holdsLarge(field.message as DescMessage, child, replacements)) appendMessage(field, child);
      else gathered[name] = child;
    }
  }
  if (message.$unknown !== undefined) gathered.$unknown = message.$unknown;
  flush();
  return { size, parts };
}

/** Whether a message holds, at any depth, a byte string that is passed on as it is, or a tensor that is replaced. */
function holdsLarge(schema: DescMessage, message: Message, replacements: Replacements): boolean {
  for (const field of fieldsOf(schema)) {
    const nested = reachesBytes(field.message);
    if (!nested && field.scalar !== ScalarType.BYTES) continue;
    const value = valueOf(message as Fields, field);
    if (value === undefined) continue;
    if (isLargeBytes(field, value)) return true;
    if (!nested) continue;
    for (const child of (Array.isArray(value) ? value : [value]) as Message[]) {
      if (replaced(child, replacements) !== child) return true;
      if (holdsLarge(field.message as DescMessage, child, replacements)) return true;
    }
  }
  return false;
}

function isLargeBytes(field: DescField, value: unknown): value is Uint8Array {
  return field.fieldKind === "scalar" && value instanceof Uint8Array && value.length >= largeBytes;
}

function replaced(message: Message, replacements: Replacements): Message {
  if (replacements.size === 0 || message.$typeName !== TensorProtoSchema.typeName) return message;
  return replacements.get(message as TensorProto) ?? message;
}

/** The value to write, or undefined for a field that is not set. */
function valueOf(message: Fields, field: DescField): unknown {
  if (field.oneof !== undefined) return message[field.oneof.localName];
  if (field.fieldKind === "list") {
    const list = message[field.localName] as readonly unknown[];
    return list.length === 0 ? undefined : list;
  }
  return isFieldSet(message, field) ? message[field.localName] : undefined;
}

function gatheredName(field: DescField): string {
  return field.oneof?.localName ?? field.localName;
}

/** Whether messages of a type can hold singular byte strings at any depth: tensors, and all that holds tensors. */
function reachesBytes(schema: DescMessage | undefined, open: ReadonlySet<DescMessage> = new Set()): boolean {
  if (schema === undefined || open.has(schema)) return false;
  const known = reaching.get(schema);
  if (known !== undefined) return known;
  const inside = new Set([...open, schema]);
  const result = schema.fields.some(
    (field) =>
      (field.fieldKind === "scalar" && field.scalar === ScalarType.BYTES) ||
      reachesBytes(field.message, inside),
  );
  // Inside a recursion the answer may lack what an open type would add; only the outermost one is final.
  if (result || open.size === 0) reaching.set(schema, result);
  return result;
}

function fieldsOf(schema: DescMessage): readonly DescField[] {
  const known = inOrder.get(schema);
  if (known !== undefined) return known;
  const fields = schema.fields.toSorted((a, b) => a.number - b.number);
  inOrder.set(schema, fields);
  return fields;
}

function lengthPrefix(number: number, length: number): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish();
}
