// Protobuf messages as trees of their fields, which can be dropped, doubled, exchanged and filled with what no writer
// writes.
import { chance, oddStrings, pick } from "./oddities.mjs";

/** The number that descriptors of protobuf have for texts. */
const textType = 9;

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function reader(bytes) {
  let at = 0;
  return {
    more: () => at < bytes.length,
    varint() {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++];
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) return value;
      }
    },
    take(length) {
      at += length;
      return bytes.subarray(at - length, at);
    },
  };
}

/**
 * Fields of an encoded message of a type: `{number, type, bytes}` for scalars and texts, `{number, type, fields}` for
 * messages.
 */
export function fieldsOf(schema, bytes) {
  const source = reader(bytes);
  const fields = [];
  while (source.more()) {
    const tag = Number(source.varint());
    const [number, type] = [tag >>> 3, tag & 7];
    const known = schema.fields.find((field) => field.number === number);
    if (type === 0) fields.push({ number, type, bytes: varint(source.varint()) });
    else if (type === 1 || type === 5) fields.push({ number, type, bytes: source.take(type === 1 ? 8 : 4) });
    else {
      const content = source.take(Number(source.varint()));
      if (known?.message !== undefined)
        fields.push({ number, type, schema: known.message, fields: fieldsOf(known.message, content) });
      else fields.push({ number, type, bytes: content, isText: known?.scalar === textType });
    }
  }
  return fields;
}

export function encoded(fields) {
  return Buffer.concat(
    fields.map(({ number, type, bytes, fields: inner, declared }) => {
      const content = inner === undefined ? bytes : encoded(inner);
      const tag = varint(number * 8 + type);
      return type === 2
        ? Buffer.concat([tag, varint(declared ?? content.length), content])
        : Buffer.concat([tag, content]);
    }),
  );
}

/** All lists of fields, at every depth. */
function listsOf(fields, lists = []) {
  if (fields.length > 0) lists.push(fields);
  for (const field of fields) if (field.fields !== undefined) listsOf(field.fields, lists);
  return lists;
}

const oddIntegers = [
  0n,
  1n,
  2n,
  3n,
  6n,
  7n,
  8n,
  16n,
  22n,
  127n,
  128n,
  255n,
  1n << 31n,
  (1n << 31n) - 1n,
  1n << 32n,
  1n << 53n,
  (1n << 63n) - 1n,
  -1n,
  -2n,
  -(1n << 63n),
];

function oddBytes(random, field, texts) {
  if (field.type === 0) return varint(pick(random, oddIntegers));
  if (field.type !== 2)
    return Buffer.from(
      pick(random, ["000000000000f87f", "000000000000f07f", "ffffffffffffffff", "0000000000000000"]).slice(
        0,
        field.type === 1 ? 16 : 8,
      ),
      "hex",
    );
  if (field.isText) return chance(random, 0.6) ? pick(random, texts) : Buffer.from(pick(random, oddStrings));
  const { bytes } = field;
  return pick(random, [
    () => Buffer.alloc(0),
    () => bytes.subarray(0, random.below(bytes.length + 1)),
    () => Buffer.concat([bytes, bytes]),
    () => Buffer.from(bytes.map(() => 0xff)),
    () => Buffer.from(Uint8Array.from({ length: random.below(64) }, () => random.below(256))),
  ])();
}

/** An encoded message of a type with a few fields dropped, doubled, moved, exchanged or made odd. */
export function mutatedMessage(random, schema, bytes) {
  const root = fieldsOf(schema, bytes);
  const texts = [];
  for (const list of listsOf(root)) for (const field of list) if (field.isText) texts.push(field.bytes);
  for (let left = 1 + random.below(4); left > 0; left--) {
    const lists = listsOf(root);
    if (lists.length === 0) break;
    const list = pick(random, lists);
    const at = random.below(list.length);
    const field = list[at];
    switch (random.below(10)) {
      case 0:
        list.splice(at, 1);
        break;
      case 1:
        list.splice(at, 0, structuredCopy(field));
        break;
      case 2:
        list.push(structuredCopy(pick(random, pick(random, lists))));
        break;
      case 3:
        list[at] = {
          ...field,
          number: pick(random, [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 14, 20, 25, 99, 536_870_911]),
        };
        break;
      case 4:
        if (field.type === 2) list[at] = { ...field, declared: pick(random, [0, 1, 1000, 2 ** 31, 2 ** 40]) };
        else list[at] = { ...field, type: pick(random, [0, 1, 2, 3, 4, 5, 6, 7]) };
        break;
      default:
        if (field.fields !== undefined) {
          const same = lists.flat().filter((other) => other.schema === field.schema);
          list[at] = structuredCopy(pick(random, same));
        } else list[at] = { ...field, bytes: oddBytes(random, field, texts) };
    }
  }
  const whole = encoded(root);
  return chance(random, 0.03) ? whole.subarray(0, random.below(whole.length + 1)) : whole;
}

function structuredCopy(field) {
  return field.fields === undefined ? { ...field } : { ...field, fields: field.fields.map(structuredCopy) };
}
