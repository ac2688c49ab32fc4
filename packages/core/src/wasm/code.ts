/** Bytes of instructions, nested as they were put together; {@link bytesOf} flattens them once. */
export type Code = number | readonly Code[];

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

export const valueTypeCode: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/** Unsigned LEB128. */
export const unsigned = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...unsigned(Math.floor(value / 128))];

/** Signed LEB128 of a 32-bit integer. */
export const signed = (value: number): number[] => {
  const rest = value >> 7;
  const isLast = (rest === 0 && (value & 64) === 0) || (rest === -1 && (value & 64) !== 0);
  return isLast ? [value & 127] : [(value & 127) | 128, ...signed(rest)];
};

export const bytesOf = (code: Code): number[] => {
  const bytes: number[] = [];
  const append = (part: Code): void => {
    if (typeof part === "number") bytes.push(part);
    else for (const inner of part) append(inner);
  };
  append(code);
  return bytes;
};

/** A vector of the binary format: its length, then its items. */
export const items = (list: readonly Code[]): Code => [unsigned(list.length), list];

/** Something whose length in bytes stands before it. */
export const sized = (code: Code): Code => {
  const bytes = bytesOf(code);
  return [unsigned(bytes.length), bytes];
};

export const text = (value: string): Code => items([...new TextEncoder().encode(value)]);
