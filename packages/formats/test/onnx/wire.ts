/** Pieces of the protobuf wire format, for files that no writer would make. */

export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

export function join(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A field of wire type 0. */
export function number(field: number, value: number | bigint): Uint8Array {
  return join(varint(field * 8), varint(value));
}

/** A field of wire type 2; `declared` is the length that it claims. */
export function block(
  field: number,
  content: Uint8Array | readonly number[] | string,
  declared?: number | bigint,
): Uint8Array {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return join(varint(field * 8 + 2), varint(declared ?? bytes.length), bytes);
}

/** A model whose graph holds these encoded fields. */
export function modelOf(...graphFields: Uint8Array[]): Uint8Array {
  return join(number(1, 8), block(7, join(...graphFields)));
}

/** A model with one initializer of these encoded fields. */
export function modelOfTensor(...tensorFields: Uint8Array[]): Uint8Array {
  return modelOf(block(5, join(...tensorFields)));
}

/** The error that a function throws, or the test fails. */
export function errorOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error, got a result");
}
