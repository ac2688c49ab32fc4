import { brotliCompressSync, brotliDecompressSync, constants, crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBrotli, type Dictionary, unpackDictionary } from "../../../src/archive/brotli/index.js";
import { writeWord } from "../../../src/archive/brotli/transforms.js";
import { makeCollector } from "../../../src/archive/collect.js";
import { unpacked } from "../../../src/archive/index.js";
import {
  codes,
  emptyLast,
  type Field,
  fileOfWord,
  head,
  only,
  packed,
  plainTypes,
  window16,
} from "./writer.js";

const dictionary: Dictionary = await unpackDictionary();
const mostBytes = 20_000_000;

function decoded(bytes: Uint8Array): Buffer {
  return Buffer.from(
    decodeBrotli(bytes, dictionary, makeCollector({ operation: "unbrotli", maxBytes: mostBytes })),
  );
}

/** What Node's decoder makes of bytes, as far as it is all of them: it says nothing of what is behind the end. */
function reference(bytes: Uint8Array): Buffer | undefined {
  try {
    return brotliDecompressSync(bytes, { maxOutputLength: mostBytes });
  } catch {
    return undefined;
  }
}

function reasonAgainst(bytes: Uint8Array): string {
  try {
    return `none: ${decoded(bytes).length} bytes`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Text, noise, numbers, runs and repeats: each makes encoders choose something else. */
const pieces = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 255 }))
    .map(([length, byte]) => Buffer.alloc(length, byte)),
  fc
    .array(fc.constantFrom("Time", "flies", "like", "an", "arrow", "Government", "информация"), {
      maxLength: 80,
    })
    .map((words) => Buffer.from(words.join(" "))),
  fc
    .float32Array({ maxLength: 100, noNaN: true })
    .map((values) => Buffer.from(Uint8Array.from(values).buffer)),
);
const inputs = fc
  .tuple(fc.array(pieces, { maxLength: 8 }), fc.integer({ min: 1, max: 3 }))
  .map(([parts, times]) => Buffer.concat(Array.from({ length: times }, () => parts).flat()));

const settings = fc
  .record({
    quality: fc.integer({ min: 0, max: 11 }),
    window: fc.integer({ min: 10, max: 24 }),
    mode: fc.integer({ min: 0, max: 2 }),
    postfix: fc.integer({ min: 0, max: 3 }),
    direct: fc.integer({ min: 0, max: 15 }),
  })
  .map(({ quality, window, mode, postfix, direct }) => ({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: window,
      [constants.BROTLI_PARAM_MODE]: mode,
      [constants.BROTLI_PARAM_NPOSTFIX]: postfix,
      [constants.BROTLI_PARAM_NDIRECT]: direct << postfix,
    },
  }));

describe("what node:zlib packs", () => {
  it("comes back, at every quality, window, mode and way to code distances", () => {
    fc.assert(
      fc.property(inputs, settings, (input, options) => {
        expect(decoded(brotliCompressSync(input, options)).equals(input)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it.each(Array.from({ length: 12 }, (_, quality) => quality))(
    "comes back from several meta-blocks at quality %i",
    (quality) => {
      const text = Buffer.from("Fruit flies like a banana, and ünïcode 日本語 too; ".repeat(200));
      const noise = Buffer.from(
        Uint8Array.from({ length: 30_000 }, (_, at) => (at * at * 2_654_435_761) >>> 13),
      );
      const numbers = Buffer.from(Float32Array.from({ length: 20_000 }, (_, at) => Math.sin(at)).buffer);
      const input = Buffer.concat([text, noise, numbers, text, noise]);
      for (const window of [10, 16, 24]) {
        const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: window };
        expect(decoded(brotliCompressSync(input, { params })).equals(input)).toBe(true);
      }
    },
  );

  it("is refused wherever it is cut, and where anything is behind its end", () => {
    fc.assert(
      fc.property(inputs, settings, fc.uint8Array({ minLength: 1, maxLength: 9 }), (input, options, more) => {
        const whole = brotliCompressSync(input, options);
        const cuts = Array.from({ length: Math.min(whole.length, 60) }, (_, at) =>
          whole.length <= 60 ? at : Math.floor((at * whole.length) / 60),
        );
        for (const cut of cuts) expect(reasonAgainst(whole.subarray(0, cut))).toBe("unexpected end of file");
        expect(reasonAgainst(Buffer.concat([whole, more]))).toBe("bytes after its end");
      }),
      { numRuns: 60 },
    );
  });

  it("is refused or read as node:zlib refuses or reads it, where bits have changed", () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 4 });
    const counts = { read: 0, refused: 0 };
    fc.assert(
      fc.property(inputs, settings, flips, (input, options, flipped) => {
        const bytes = brotliCompressSync(input, options);
        for (const [at, bit] of flipped) {
          const place = at % Math.min(bytes.length, 100);
          bytes[place] = (bytes[place] as number) ^ (1 << bit);
        }
        const expected = reference(bytes);
        const reason = reasonAgainst(bytes);
        if (reason === "bytes after its end") return;
        expect(reason.startsWith("none: ")).toBe(expected !== undefined);
        counts[expected === undefined ? "refused" : "read"]++;
        if (expected !== undefined) expect(decoded(bytes).equals(expected)).toBe(true);
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(20);
  });
});

/** Bits up to the next byte are zeros in every file here. */
function files(...parts: readonly (readonly Field[] | string)[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  let fields: Field[] = [];
  for (const part of parts) {
    if (typeof part === "string") {
      chunks.push(packed(...fields), Buffer.from(part));
      fields = [];
    } else fields.push(...part);
  }
  return Buffer.concat([...chunks, packed(...fields)]);
}

const plain = (text: string): Field[] => [...head(text.length, false), [1, 1]];
const metadata = (size: number): Field[] => {
  const digits = size === 0 ? 0 : size <= 256 ? 1 : 2;
  return [
    [0, 1],
    [3, 2],
    [0, 1],
    [digits, 2],
    [Math.max(size - 1, 0), 8 * digits],
  ];
};

describe("parts of RFC 7932", () => {
  it.each<[string, Uint8Array, string]>([
    ["an empty file", files([window16], emptyLast), ""],
    ["bytes that are stored", files([window16], plain("stored"), "stored", emptyLast), "stored"],
    [
      "metadata of no, one and many bytes, which is skipped",
      files(
        [window16],
        metadata(0),
        "",
        metadata(1),
        "x",
        plain("kept"),
        "kept",
        metadata(300),
        "y".repeat(300),
        emptyLast,
      ),
      "kept",
    ],
    [
      "one literal, repeated without a bit",
      // Insert 5, copy 2 at the last distance.
      files([window16], head(5, true), codes({ literal: 97, command: 5 << 3 })),
      "aaaaa",
    ],
    [
      "a copy that reaches into itself",
      // Insert 5 literals of four symbols, of two bits each; copy 9 at distance 4.
      files(
        [window16],
        head(14, true),
        plainTypes,
        [
          [1, 2],
          [3, 2],
          [97, 8],
          [98, 8],
          [99, 8],
          [100, 8],
          [0, 1],
        ] as Field[],
        only((5 << 3) + 7, 10),
        only(0, 6),
        [
          [0, 2],
          [2, 2],
          [1, 2],
          [3, 2],
          [0, 2],
        ] as Field[],
      ),
      "abcdabcdabcdab",
    ],
  ])("%s", (_, bytes, expected) => {
    expect(reference(bytes)?.toString()).toBe(expected);
    expect(decoded(bytes).toString()).toBe(expected);
  });

  it("windows of 1 kB to 16 MB; one of more is refused", () => {
    const heads: Field[] = [[0, 1]];
    for (let high = 1; high < 8; high++) heads.push([1 + 2 * high, 4]);
    for (const low of [0, 2, 3, 4, 5, 6, 7]) heads.push([1 + 16 * low, 7]);
    for (const window of heads) {
      const bytes = files([window], plain("x"), "x", emptyLast);
      expect([decoded(bytes).toString(), reference(bytes)?.toString()]).toEqual(["x", "x"]);
    }
    expect(reasonAgainst(Uint8Array.of(0x11, 0x1e, 0x03))).toBe(
      "a window of over 16 MB (large-window brotli), which RFC 7932 does not have",
    );
    const large = {
      params: { [constants.BROTLI_PARAM_LARGE_WINDOW]: 1, [constants.BROTLI_PARAM_LGWIN]: 25 },
    };
    expect(reasonAgainst(brotliCompressSync(Buffer.alloc(100), large))).toMatch(/^a window of over 16 MB/);
  });

  it.each<[string, Uint8Array]>([
    ["unexpected end of file", new Uint8Array(0)],
    ["padding that is not zero", files([window16], [[0b111, 3]])],
    ["a reserved bit that is set", files([window16, [0, 1], [3, 2], [1, 1]])],
    ["a size with a leading zero", files([window16, [0, 1], [1, 2], [5, 20]])],
    ["a size with a leading zero", files([window16, [0, 1], [3, 2], [0, 1], [2, 2], [5, 16]])],
    [
      "a wrong symbol in a simple code",
      files([window16], head(1, true), plainTypes, only(0, 8), only(704, 10)),
    ],
    [
      "a wrong symbol in a simple code",
      files([window16], head(1, true), plainTypes, [
        [1, 2],
        [1, 2],
        [7, 8],
        [7, 8],
      ] as Field[]),
    ],
    [
      "a code of lengths that is not complete",
      files([window16], head(1, true), plainTypes, [
        [0, 2],
        [0, 24],
        [0, 24],
        [0, 24],
      ] as Field[]),
    ],
    [
      "a meta-block that is longer than it says",
      files([window16], head(4, true), codes({ command: 5 << 3 })),
    ],
    [
      "a meta-block that is longer than it says",
      files([window16], head(4, true), codes({ command: (1 << 3) + 4 })),
    ],
    [
      "a distance that is not positive",
      files([window16], head(9, true), codes({ command: 136, distance: 8 }), [[0, 24]]),
    ],
    ["a distance behind the words of the dictionary", fileOfWord(4, 121 << 10, 4)],
    ["a word of the dictionary of 3 bytes", fileOfWord(3, 0, 3)],
    ["a word of the dictionary of 25 bytes", fileOfWord(25, 0, 25)],
    ["a meta-block that is longer than it says", fileOfWord(24, 0, 23)],
  ])("refuse %s", (reason, bytes) => {
    expect(reasonAgainst(bytes)).toBe(reason);
    expect(reference(bytes)).toBeUndefined();
  });
});

describe("the dictionary", () => {
  it("is that of RFC 7932", () => {
    expect(dictionary).toHaveLength(122_784);
    expect(crc32(dictionary)).toBe(0x5136cb04);
  });

  it("gives every word in every change as node:zlib has it", () => {
    const exponents: readonly number[] = [
      10, 10, 11, 11, 10, 10, 10, 10, 10, 9, 9, 8, 7, 7, 8, 7, 7, 6, 6, 5, 5,
    ];
    const room = new Uint8Array(64);
    for (const [at, exponent] of exponents.entries()) {
      for (let transform = 0; transform < 121; transform++) {
        // Each change has other words, so that those of other scripts have their turn.
        for (let index = transform % 61; index < 1 << exponent; index += 61) {
          const word = { length: at + 4, id: (transform << exponent) + index };
          const size = writeWord(dictionary, word, room, 0);
          if (size === 0) continue;
          const bytes = fileOfWord(word.length, word.id, size);
          const expected = reference(bytes);
          if (expected === undefined || !decoded(bytes).equals(expected)) {
            expect([word, decoded(bytes).toString()]).toEqual([word, expected?.toString()]);
          }
        }
      }
    }
  });

  it("counts in a file that is read by its name", async () => {
    expect(Buffer.from(await unpacked(fileOfWord(4, 0, 4), { name: "a.br" })).toString()).toBe("time");
  });
});
