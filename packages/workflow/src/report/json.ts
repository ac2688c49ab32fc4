/** JSON of results: big integers as numbers, typed arrays as lists, not-a-number as null. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, item: unknown) => {
      if (typeof item === "bigint") return Number(item);
      if (ArrayBuffer.isView(item)) return Array.from(item as Uint8Array);
      return item;
    },
    2,
  );
}

/** A result as whoever reads its JSON has it. */
export function plainData(value: unknown): unknown {
  return JSON.parse(toJson(value)) as unknown;
}
