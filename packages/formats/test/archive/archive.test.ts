import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compressionOfName,
  gunzip,
  gzip,
  isGzip,
  uncompressedName,
  unpacked,
} from "../../src/archive/index.js";
import { brotli, compressed, decompressed, unbrotli } from "../../src/archive/node.js";

const text = new TextEncoder().encode("one two three ".repeat(1000));
const mixed = Uint8Array.from({ length: 200_000 }, (_, at) => (at * at) >> 3);

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}

describe("gzip and gunzip of the platform", () => {
  it("undo each other and agree with zlib", async () => {
    for (const bytes of [new Uint8Array(0), text, mixed]) {
      const packed = await gzip(bytes);
      expect(isGzip(packed)).toBe(true);
      expect(Buffer.from(await gunzip(packed)).equals(bytes)).toBe(true);
      expect(gunzipSync(packed).equals(bytes)).toBe(true);
      expect(Buffer.from(await gunzip(gzipSync(bytes))).equals(bytes)).toBe(true);
    }
  });

  it("names neither time nor system in the header", async () => {
    const packed = await gzip(text);
    expect([...packed.subarray(4, 8), packed[9]]).toEqual([0, 0, 0, 0, 255]);
  });

  it("read several members as one", async () => {
    const two = Buffer.concat([gzipSync("ab"), gzipSync("cd")]);
    expect(new TextDecoder().decode(await gunzip(two))).toBe("abcd");
  });

  it("stop at the limit", async () => {
    const packed = gzipSync(new Uint8Array(10_000_000));
    await expect(gunzip(packed, { maxBytes: 1000 })).rejects.toMatchObject({
      code: "limit",
      message: "gunzip: output size: expected at most 1000 bytes, got more",
    });
    expect(await gunzip(gzipSync(text), { maxBytes: text.length })).toHaveLength(text.length);
  });

  it("do not believe the size that a file declares", async () => {
    const packed = gzipSync(text);
    packed.writeUInt32LE(0xffffffff, packed.length - 4);
    await expect(gunzip(packed)).rejects.toMatchObject({ code: "compression" });
  });

  it.each([
    ["a cut file", gzipSync(mixed).subarray(0, 500)],
    ["a header alone", gzipSync(mixed).subarray(0, 10)],
    ["a wrong checksum", Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8)])],
  ])("refuse %s", async (_, packed) => {
    await expect(gunzip(packed)).rejects.toMatchObject({
      kind: "input",
      code: "compression",
      message: expect.stringMatching(
        /^gunzip: \d+ bytes: content: expected a whole gzip file, got .+/,
      ) as string,
    });
  });

  it("refuse what is no gzip", async () => {
    await expect(gunzip(text)).rejects.toThrow("gunzip: byte 0: magic: expected 1f 8b 08, got 6f 6e 65");
    await expect(gunzip(new Uint8Array(0))).rejects.toThrow("expected 1f 8b 08, got no bytes");
  });
});

describe("streams of node", () => {
  it.each(["gzip", "brotli"] as const)("%s: the bytes do not depend on the cuts", async (method) => {
    const whole = await joined(compressed([mixed], method, { level: 5 }));
    await fc.assert(
      fc.asyncProperty(fc.nat(mixed.length), async (cut) => {
        const parts = [mixed.subarray(0, cut), mixed.subarray(cut)];
        expect((await joined(compressed(parts, method, { level: 5 }))).equals(whole)).toBe(true);
        const again = [whole.subarray(0, cut % whole.length), whole.subarray(cut % whole.length)];
        expect((await joined(decompressed(again, method))).equals(mixed)).toBe(true);
      }),
      { numRuns: 10 },
    );
    expect(whole.length).toBeLessThan(mixed.length / 10);
  });

  it.each([
    ["gzip", "gunzip", gzipSync(mixed)],
    ["brotli", "unbrotli", brotliCompressSync(mixed)],
  ] as const)("%s: damage and excess are named", async (method, operation, packed) => {
    await expect(joined(decompressed([packed.subarray(0, 200)], method))).rejects.toMatchObject({
      code: "compression",
      message: expect.stringContaining(
        `content: expected whole ${method} data, got unexpected end of file`,
      ) as string,
    });
    await expect(joined(decompressed([packed], method, { maxBytes: 99 }))).rejects.toMatchObject({
      code: "limit",
      message: `${operation}: output size: expected at most 99 bytes, got more`,
    });
  });

  it("brotli and unbrotli undo each other", async () => {
    expect(Buffer.from(await unbrotli(await brotli(mixed))).equals(mixed)).toBe(true);
    await expect(unbrotli(text)).rejects.toMatchObject({ code: "compression" });
  });

  it("hand on an error of their source unchanged", async () => {
    const source = function* (): Generator<Uint8Array> {
      yield text;
      throw new RangeError("from the source");
    };
    await expect(joined(compressed(source(), "gzip"))).rejects.toThrow(new RangeError("from the source"));
  });
});

describe("names", () => {
  it("tell the compression", () => {
    expect(["a.onnx.gz", "A.GZ", "a.br", "a.onnx", "gz"].map(compressionOfName)).toEqual([
      "gzip",
      "gzip",
      "brotli",
      undefined,
      undefined,
    ]);
    expect(["a.onnx.gz", "a.onnx"].map(uncompressedName)).toEqual(["a.onnx", "a.onnx"]);
  });
});

describe("unpacked", () => {
  const text = new TextEncoder().encode("Time flies like an arrow. ".repeat(5000));

  it("takes gzip by its bytes, brotli by the name, and leaves the rest", async () => {
    const packed = brotliCompressSync(text);
    expect(await unpacked(await gzip(text))).toEqual(text);
    expect(await unpacked(packed, { name: "t.txt.br" })).toEqual(text);
    expect(await unpacked(packed)).toBe(packed);
  });

  it("refuses what is damaged, cut short or larger than allowed", async () => {
    const packed = brotliCompressSync(text);
    await expect(unpacked(packed.subarray(0, 20), { name: "t.br" })).rejects.toMatchObject({
      code: "compression",
    });
    await expect(unpacked(packed.subarray(0, -1), { name: "t.br" })).rejects.toMatchObject({
      code: "compression",
    });
    await expect(unpacked(packed, { name: "t.br", maxBytes: text.length - 1 })).rejects.toMatchObject({
      code: "limit",
    });
    expect(await unpacked(packed, { name: "t.br", maxBytes: text.length })).toEqual(text);
  });
});
