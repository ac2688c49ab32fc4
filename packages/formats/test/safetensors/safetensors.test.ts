import { type Tensor, tensor } from "@nasty/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSafetensors, safetensorsMetadata, serializeSafetensors } from "../../src/safetensors/index.js";

/** A file with this header, as text or as a table, and so many bytes of data. */
function file(header: unknown, dataBytes: number, declared?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, declared ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}
const f32 = (begin: number, end: number, shape = [(end - begin) / 4]): unknown => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

const tensors = new Map<string, Tensor>([
  ["mask", tensor("bool", [3], Uint8Array.of(1, 0, 1))],
  ["weight", tensor("float32", [2, 2], Float32Array.of(1, -2, 3, 0.5))],
  ["ids", tensor("int64", [1], BigInt64Array.of(-5n))],
  ["half", tensor("float16", [2], Uint16Array.of(0x3c00, 0xc000))],
  ["scalar", tensor("float64", [], Float64Array.of(Math.PI))],
  ["none", tensor("int8", [0, 4], new Int8Array(0))],
]);

describe("parseSafetensors", () => {
  it("reads what serializeSafetensors wrote, as views", () => {
    const bytes = serializeSafetensors(tensors, { format: "pt" });
    const again = parseSafetensors(bytes, { requireAligned: true });
    expect(new Map([...again].sort())).toEqual(new Map([...tensors].sort()));
    for (const { data } of again.values()) expect(data.buffer).toBe(bytes.buffer);
    expect([...safetensorsMetadata(bytes)]).toEqual([["format", "pt"]]);
  });

  it("reads a file anywhere in a buffer, copying what is not aligned there", () => {
    const bytes = serializeSafetensors(tensors);
    for (let shift = 1; shift < 8; shift++) {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const again = parseSafetensors(moved.subarray(shift));
      expect(again.get("weight")).toEqual(tensors.get("weight"));
      expect(again.get("weight")?.data.buffer === moved.buffer).toBe(shift === 4);
      expect(again.get("mask")?.data.buffer).toBe(moved.buffer);
    }
  });

  it("reads a file without tensors", () => {
    expect(parseSafetensors(file({}, 0)).size).toBe(0);
    expect(parseSafetensors(file('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}   ', 0)).size).toBe(
      1,
    );
  });

  it.each<[string, string, Uint8Array, string]>([
    ["a short file", "truncated", new Uint8Array(7), "byte 0: header length: expected 8 bytes, got 7 bytes"],
    [
      "a header beyond the file",
      "truncated",
      file({}, 0, 3n),
      "byte 0: header length: expected at most 2 bytes, got 3",
    ],
    [
      "an enormous header",
      "limit",
      file({}, 0, 2n ** 64n - 1n),
      "byte 0: header length: expected at most 2 bytes, got 18446744073709551615",
    ],
    ["no header", "magic", file("", 4), "byte 8: header: expected {, got an empty header"],
    ["another format", "magic", file("<svg>", 0), "byte 8: header: expected {, got byte 0x3c"],
    [
      "a key twice",
      "duplicate",
      file('{"a":{"shape":[0]},"\\u0061":1}', 0),
      'header: key: expected each once, got "a" twice',
    ],
    [
      "an unknown type",
      "unknown-dtype",
      file({ a: { dtype: "F8_E4M3", shape: [1], data_offsets: [0, 1] } }, 1),
      "F8_E4M3",
    ],
    [
      "a type that is an object, with a key that texts are made by",
      "unknown-dtype",
      file({ a: { dtype: { toString: 1 }, shape: [1], data_offsets: [0, 1] } }, 1),
      'got {"toString":1}',
    ],
    [
      "no shape",
      "shape",
      file({ a: { dtype: "U8", data_offsets: [0, 1] } }, 1),
      "shape: expected a list of sizes, got nothing",
    ],
    [
      "a negative size",
      "shape",
      file({ a: { dtype: "U8", shape: [-1], data_offsets: [0, 1] } }, 1),
      "got [-1]",
    ],
    ["a fraction", "shape", file({ a: { dtype: "U8", shape: [1.5], data_offsets: [0, 1] } }, 1), "got [1.5]"],
    [
      "an overflowing shape",
      "shape",
      file({ a: { dtype: "U8", shape: [2 ** 32, 2 ** 32], data_offsets: [0, 0] } }, 0),
      'tensor "a": shape: expected less than 2^53 bytes, got [4294967296, 4294967296]',
    ],
    [
      "no offsets",
      "header",
      file({ a: { dtype: "U8", shape: [1] } }, 1),
      "data_offsets: expected [begin, end], got nothing",
    ],
    [
      "an entry of another kind",
      "header",
      file({ a: 3 }, 0),
      "entry: expected dtype, shape and data_offsets, got 3",
    ],
    [
      "a size that does not fit",
      "size",
      file({ a: f32(0, 8, [3]) }, 8),
      'tensor "a": data_offsets: expected 12 bytes for F32 [3], got 8',
    ],
    ["reversed offsets", "size", file({ a: f32(8, 4, [1]) }, 8), "expected 4 bytes for F32 [1], got -4"],
    [
      "an overlap",
      "overlap",
      file({ a: f32(0, 8), b: f32(4, 12) }, 12),
      'tensor "b": begin: expected 8, got 4',
    ],
    ["a gap", "gap", file({ a: f32(0, 4), b: f32(8, 12) }, 12), 'tensor "b": begin: expected 4, got 8'],
    [
      "data cut short",
      "truncated",
      file({ a: f32(0, 8) }, 7),
      'tensor "a": end: expected at most 7, the bytes present, got 8',
    ],
    [
      "bytes at the end",
      "size",
      file({ a: f32(0, 8) }, 9),
      "bytes behind the last tensor: expected 0, got 1",
    ],
    [
      "metadata that is no text",
      "header",
      file({ __metadata__: { a: 1 } }, 0),
      "__metadata__: a: value: expected a string, got 1",
    ],
    [
      "metadata that is no table",
      "header",
      file({ __metadata__: [] }, 0),
      "__metadata__: value: expected an object, got []",
    ],
  ])("refuses %s", (_, code, bytes, part) => {
    expect(() => parseSafetensors(bytes)).toThrow(
      expect.objectContaining({ kind: "input", code, message: expect.stringContaining(part) as string }),
    );
  });

  it("refuses a header that is no JSON", () => {
    expect(() => parseSafetensors(file("{]", 0))).toThrow(
      /^parseSafetensors: byte 8: header: expected JSON, got /,
    );
  });

  it("names a tensor that is not aligned, when asked to", () => {
    const entries = { a: { dtype: "U8", shape: [1], data_offsets: [0, 1] }, b: f32(1, 5, [1]) };
    const bytes = file(entries, 5);
    expect(parseSafetensors(bytes).get("b")?.data).toHaveLength(1);
    expect(() => parseSafetensors(bytes, { requireAligned: true })).toThrow(
      expect.objectContaining({
        code: "alignment",
        fields: expect.objectContaining({ name: "b" }) as object,
      }),
    );
  });

  it("never throws anything else on changed bytes", () => {
    const bytes = serializeSafetensors(tensors, { a: "b" });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
        const changed = bytes.slice(0, length);
        if (at < length) changed[at] = value;
        try {
          parseSafetensors(changed);
        } catch (error) {
          expect(error).toMatchObject({ kind: "input", name: "FormatError" });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("serializeSafetensors", () => {
  it("does not depend on the order of the map", () => {
    const reversed = new Map([...tensors].reverse());
    expect(serializeSafetensors(reversed, { b: "1", a: "2" })).toEqual(
      serializeSafetensors(tensors, { a: "2", b: "1" }),
    );
  });

  it("writes the layout of the format", () => {
    const bytes = serializeSafetensors(new Map([["b", tensor("float32", [2], Float32Array.of(1, 2))]]));
    const header = '{"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  ';
    expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(header.length));
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + header.length))).toBe(header);
    expect([...bytes.subarray(8 + header.length)]).toEqual([0, 0, 128, 63, 0, 0, 0, 64]);
  });

  it("refuses types and names that the format has not", () => {
    expect(() => serializeSafetensors(new Map([["a", tensor("int4", [2], new Uint8Array(1))]]))).toThrow(
      /^serializeSafetensors: tensor "a": dtype: expected float64, .*, got int4$/,
    );
    const reserved = new Map([["__metadata__", tensor("int8", [1], new Int8Array(1))]]);
    expect(() => serializeSafetensors(reserved)).toThrow(/expected any but the reserved one/);
  });
});
