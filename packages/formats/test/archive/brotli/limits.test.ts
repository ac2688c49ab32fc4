import { brotliCompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { decodeBrotli, unpackDictionary } from "../../../src/archive/brotli/index.js";
import { makeCollector } from "../../../src/archive/collect.js";
import { gunzip, unpacked } from "../../../src/archive/index.js";
import { unbrotli } from "../../../src/archive/node.js";
import { emptyLast, largestHead, largestZeros, packed, window16 } from "./writer.js";

afterEach(() => vi.unstubAllGlobals());

/** Counts the bytes of the arrays that are made from here on. */
function countAllocations(): { all: number; largest: number } {
  const made = { all: 0, largest: 0 };
  vi.stubGlobal(
    "Uint8Array",
    new Proxy(Uint8Array, {
      construct(target, given, newTarget) {
        const array = Reflect.construct(target, given, newTarget) as Uint8Array;
        if (typeof given[0] !== "number") return array;
        made.all += array.length;
        made.largest = Math.max(made.largest, array.length);
        return array;
      },
    }),
  );
  return made;
}

/** A file of 1.7 kB that unpacks to 2 GB of zeros. */
const zeros = packed(window16, ...Array.from({ length: 128 }, largestZeros).flat(), ...emptyLast);

describe("a hostile .br", () => {
  it("that says that it is larger than allowed is refused before anything is decoded", async () => {
    const few = packed(window16, ...largestZeros(), ...emptyLast);
    expect(few.length).toBeLessThan(16);
    const made = countAllocations();
    await expect(unpacked(few, { name: "m.br", maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: "limit",
      message: "unbrotli: output size: expected at most 1000000 bytes, got more",
      fields: { expected: 1_000_000 },
    });
    expect(made.largest).toBeLessThan(130_000);
    // As Node's decoder refuses it.
    await expect(unbrotli(few, { maxBytes: 1_000_000 })).rejects.toThrow(
      "unbrotli: output size: expected at most 1000000 bytes, got more",
    );
  });

  it("of many meta-blocks is refused at the limit, and never holds more", async () => {
    expect(zeros.length).toBeLessThan(1800);
    const made = countAllocations();
    await expect(unpacked(zeros, { name: "m.br" })).rejects.toThrow(
      /^unbrotli: output size: expected at most 64000000 bytes, got more; if you trust the file, set NASTY_MEMORY_LIMIT/,
    );
    expect(made.largest).toBeLessThanOrEqual(64e6);
    // The array before and the one that it grows to.
    expect(made.all).toBeLessThan(3 * 64e6);
    expect(made.all).toBeGreaterThan(16e6);
  });

  it("that is cut behind a size takes no memory for it", async () => {
    const made = countAllocations();
    await expect(unpacked(packed(window16, ...largestHead), { name: "m.br" })).rejects.toMatchObject({
      code: "compression",
      message: "unbrotli: 4 bytes: content: expected whole brotli data, got unexpected end of file",
    });
    expect(made.largest).toBeLessThan(130_000);
  });

  it("of much metadata holds none of it", async () => {
    const dictionary = await unpackDictionary();
    const head = packed([0, 1], [0, 1], [3, 2], [0, 1], [3, 2], [4_999_999, 24]);
    const file = new Uint8Array(head.length + 5_000_000 + 1);
    file.set(head);
    file[file.length - 1] = 3;
    const made = countAllocations();
    const output = makeCollector({ operation: "unbrotli", maxBytes: 10, sizeHint: 10 });
    expect(decodeBrotli(file, dictionary, output)).toHaveLength(0);
    expect(made.all).toBeLessThan(1000);
  });

  it("is looked at while it comes", async () => {
    const text = Buffer.alloc(3_000_000, "no model, but words. ");
    const params = { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 16 };
    const file = brotliCompressSync(text, { params });
    const looks: number[] = [];
    const inspect = (prefix: Uint8Array): void => {
      expect(text.subarray(0, prefix.length).equals(prefix)).toBe(true);
      looks.push(prefix.length);
      if (prefix.length > 1_000_000) throw new RangeError("seen enough");
    };
    const made = countAllocations();
    await expect(unpacked(file, { name: "m.br", inspect })).rejects.toThrow("seen enough");
    expect(looks.length).toBeGreaterThan(3);
    expect(looks[0]).toBeLessThan(300_000);
    expect(made.largest).toBeLessThan(2 * text.length);
  });
});

describe("a hostile .gz", () => {
  it("is refused at the limit where the platform makes all that comes of a piece before it hands out any", async () => {
    let made = 0;
    // As browsers do it: what one write gives is made whole.
    const eager = (): TransformStream<Uint8Array, Uint8Array> => {
      let taken = Buffer.alloc(0);
      let given = 0;
      return new TransformStream({
        transform(piece, controller) {
          taken = Buffer.concat([taken, piece]);
          const output = gunzipSync(taken, { finishFlush: constants.Z_SYNC_FLUSH });
          made += output.length - given;
          for (; given < output.length; given += 65_536)
            controller.enqueue(output.subarray(given, given + 65_536));
          given = output.length;
        },
      });
    };
    const bomb = gzipSync(Buffer.alloc(60_000_000));
    vi.stubGlobal("DecompressionStream", function (this: unknown) {
      return eager();
    });
    await expect(gunzip(bomb, { maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: "limit",
      message: "gunzip: output size: expected at most 1000000 bytes, got more",
    });
    expect(made).toBeGreaterThan(1_000_000);
    expect(made).toBeLessThan(1_000_000 + 9_000_000);
  });
});
