/** A number and how many bits it takes, lowest first. */
export type Field = readonly [value: number, bits: number];

/** Packs fields as RFC 7932 does: from the least significant bit of each byte. */
export function packed(...fields: readonly Field[]): Uint8Array {
  const bits: number[] = [];
  for (const [value, count] of fields) {
    for (let at = 0; at < count; at++) bits.push((value >> at) & 1);
  }
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [at, bit] of bits.entries()) (bytes[at >> 3] as number) |= bit << (at & 7);
  return bytes;
}

/** The head of a file with a window of 64 kB. */
export const window16: Field = [0, 1];

/** The head of a meta-block of 1 to 65,536 bytes. */
export function head(size: number, isLast: boolean): Field[] {
  return [
    ...(isLast
      ? ([
          [1, 1],
          [0, 1],
        ] as Field[])
      : ([[0, 1]] as Field[])),
    [0, 2],
    [size - 1, 16],
  ];
}

/** The head of a meta-block of 16 MB, the most that one may have. */
export const largestHead: readonly Field[] = [
  [0, 1],
  [2, 2],
  [0xffffff, 24],
];

/** The end of a file: a last meta-block that is empty. */
export const emptyLast: readonly Field[] = [[3, 2]];

/** What a compressed meta-block says before its codes: one type of block each, distances without postfix, one code. */
export const plainTypes: readonly Field[] = [
  [0, 3],
  [0, 6],
  [0, 2],
  [0, 2],
];

/** A prefix code of one symbol. */
export function only(symbol: number, alphabetBits: number): Field[] {
  return [
    [1, 2],
    [0, 2],
    [symbol, alphabetBits],
  ];
}

export interface Codes {
  readonly literal?: number;
  readonly command: number;
  readonly distance?: number;
}

/** Codes of a meta-block whose literals, commands and distances are all the same. */
export function codes({ literal = 0, command, distance = 0 }: Codes): Field[] {
  return [...plainTypes, ...only(literal, 8), ...only(command, 10), ...only(distance, 6)];
}

/** A meta-block of 16 MB of zeros, in 13 bytes: one command that inserts them all, each of no bits. */
export function largestZeros(): Field[] {
  // Insert code 23 (from 22,594 on, 24 bits), copy code 0.
  const command = 448 + (7 << 3);
  return [...largestHead, [0, 1], ...codes({ command }), [(1 << 24) - 22_594, 24]];
}

/** First lengths and bits beside of the codes of lengths to copy, from code 2 on. */
const copyCodes = [
  [4, 0],
  [5, 0],
  [6, 0],
  [7, 0],
  [8, 0],
  [9, 0],
  [10, 1],
  [12, 1],
  [14, 2],
  [18, 2],
  [22, 3],
] as const;

/** A file that is one word of the dictionary: nothing inserted, and a distance behind the beginning. */
export function fileOfWord(length: number, id: number, size: number): Uint8Array {
  const found = copyCodes.findLastIndex(([first]) => first <= length);
  const [first, bits] = copyCodes[found] ?? [2, 0];
  const code = found < 0 ? length - 2 : found + 2;
  const command = code < 8 ? 128 + code : 192 + code - 8;
  // A distance d has n bits beside its code: d + 3 is (2 + high) × 2^n and those.
  const shifted = id + 1 + 3;
  const n = 30 - Math.clz32(shifted);
  const distance = 16 + 2 * (n - 1) + ((shifted >> n) & 1);
  return packed(
    window16,
    ...head(size, true),
    ...codes({ command, distance }),
    [length - first, bits],
    [shifted & ((1 << n) - 1), n],
  );
}
