/** An object with this key alone stands for what JSON has not. */
const mark = "$";

/** Bytes begin at multiples of it, so that numbers of every width can be read where they lie. */
const alignment = 8;

type Encoded = null | boolean | number | string | readonly Encoded[] | { readonly [key: string]: Encoded };

/**
 * Plain values in bytes: JSON, with what it has not put aside: byte arrays, big integers, numbers that are not finite,
 * and messages whose defaults stand on a prototype of their own (those of ONNX files). Names that begin with `$` are no
 * part of a message.
 *
 * @returns the same bytes for the same value: length of the JSON (uint32, little-endian), the JSON, the byte arrays
 * @throws TypeError for functions, symbols and objects of classes
 */
export function packValue(value: unknown): Uint8Array<ArrayBuffer> {
  const arrays: Uint8Array[] = [];
  const prototypes: object[] = [];
  let bytes = 0;

  const special = (kind: string, ...parts: Encoded[]): Encoded => ({ [mark]: [kind, ...parts] });

  const message = (prototype: object, own: Encoded): Encoded => {
    const known = prototypes.indexOf(prototype);
    return special("message", known >= 0 ? known : prototypes.push(prototype) - 1, own);
  };

  const object = (given: object): Encoded => {
    const prototype: object | null = Object.getPrototypeOf(given);
    const isPlain = prototype === null || prototype === Object.prototype;
    if (!isPlain && Object.hasOwn(prototype, "constructor")) throw notPlain(given);
    const entries = Object.entries(given)
      .filter(([key, one]) => one !== undefined && (isPlain || !key.startsWith(mark)))
      .map(([key, one]): [string, Encoded] => [key, encoded(one)]);
    if (!isPlain) return message(prototype, Object.fromEntries(entries));
    return Object.hasOwn(given, mark) ? special("object", entries) : Object.fromEntries(entries);
  };

  const encoded = (one: unknown): Encoded => {
    if (one === null || typeof one === "boolean" || typeof one === "string") return one;
    if (typeof one === "number") {
      return Number.isFinite(one) && !Object.is(one, -0)
        ? one
        : special("number", Object.is(one, -0) ? "-0" : `${one}`);
    }
    if (typeof one === "bigint") return special("bigint", `${one}`);
    if (Array.isArray(one)) return one.map(encoded);
    if (one instanceof Uint8Array) {
      const at = bytes;
      arrays.push(one);
      bytes += aligned(one.length);
      return special("bytes", at, one.length);
    }
    if (typeof one === "object") return object(one);
    throw notPlain(one);
  };

  const content = encoded(value);
  // What stands on prototypes is plain itself: no message's defaults are messages.
  const defaults = prototypes.map((prototype) => encoded({ ...prototype }));
  const json = new TextEncoder().encode(JSON.stringify({ content, defaults }));
  const start = aligned(4 + json.length);
  const packed = new Uint8Array(start + bytes);
  new DataView(packed.buffer).setUint32(0, json.length, true);
  packed.set(json, 4);
  let at = start;
  for (const array of arrays) {
    packed.set(array, at);
    at += aligned(array.length);
  }
  return packed;
}

/** The value that {@link packValue} packed; byte arrays are views of the bytes. */
export function unpackValue(packed: Uint8Array): unknown {
  const length = new DataView(packed.buffer, packed.byteOffset).getUint32(0, true);
  const start = aligned(4 + length);
  const json = new TextDecoder().decode(packed.subarray(4, 4 + length));
  const { content, defaults } = JSON.parse(json) as { content: Encoded; defaults: readonly Encoded[] };

  const special = ([kind, first, second]: readonly Encoded[]): unknown => {
    switch (kind) {
      case "number":
        return Number(first);
      case "bigint":
        return BigInt(first as string);
      case "bytes":
        return packed.subarray(start + (first as number), start + (first as number) + (second as number));
      case "object":
        return objectOf(first as unknown as readonly [string, Encoded][]);
      default:
        return Object.assign(
          Object.create(prototypes[first as number] as object),
          decoded(second as Encoded),
        );
    }
  };
  const objectOf = (entries: readonly (readonly [string, Encoded])[]): object =>
    Object.fromEntries(entries.map(([key, one]) => [key, decoded(one)]));
  const decoded = (one: Encoded): unknown => {
    if (Array.isArray(one)) return one.map(decoded);
    if (typeof one !== "object" || one === null) return one;
    const inner = Object.hasOwn(one, mark) ? (one as Record<string, Encoded>)[mark] : undefined;
    return inner === undefined ? objectOf(Object.entries(one)) : special(inner as readonly Encoded[]);
  };
  const prototypes: readonly object[] = defaults.map((one) => decoded(one) as object);
  return decoded(content);
}

const aligned = (length: number): number => Math.ceil(length / alignment) * alignment;

const notPlain = (value: unknown): TypeError =>
  new TypeError(`packValue: expected plain values, got ${Object.prototype.toString.call(value)}`);
