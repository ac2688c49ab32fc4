import { create } from "@bufbuild/protobuf";
import type { DType, Tensor } from "@nasty/core";
import { dataConstructor, dtypes, storageLength } from "@nasty/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  dataTypeOf,
  dtypeOf,
  FormatError,
  makeTensor,
  tensorFromProto,
  tensorToProto,
} from "../../src/onnx/index.js";
import { TensorProtoSchema } from "../../src/onnx/gen/onnx_pb.js";
import { errorOf } from "./wire.js";

const raw = (dataType: number, dims: bigint[], bytes: number[] | Uint8Array) =>
  create(TensorProtoSchema, { name: "t", dataType, dims, rawData: Uint8Array.from(bytes) });

describe("tensorFromProto", () => {
  // Bytes from the definitions in onnx.proto: little endian, low nibble first.
  it.each<[string, number, number[], bigint[], Tensor["data"]]>([
    ["float32", 1, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [2n], Float32Array.of(1, -2)],
    ["uint8", 2, [0, 255], [2n], Uint8Array.of(0, 255)],
    ["int8", 3, [0x80, 0x7f], [2n], Int8Array.of(-128, 127)],
    ["uint16", 4, [1, 2], [1n], Uint16Array.of(513)],
    ["int16", 5, [0xff, 0xff], [1n], Int16Array.of(-1)],
    ["int32", 6, [0xfe, 0xff, 0xff, 0xff], [], Int32Array.of(-2)],
    ["int64", 7, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [1n], BigInt64Array.of(2n ** 63n - 1n)],
    ["bool", 9, [1, 0], [2n], Uint8Array.of(1, 0)],
    ["float16", 10, [0x00, 0x3c], [1n], Uint16Array.of(0x3c00)],
    ["float64", 11, [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], [1n], Float64Array.of(1)],
    ["uint32", 12, [0xff, 0xff, 0xff, 0xff], [1n], Uint32Array.of(2 ** 32 - 1)],
    ["uint64", 13, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [1n], BigUint64Array.of(2n ** 64n - 1n)],
    ["bfloat16", 16, [0x80, 0x3f], [1n], Uint16Array.of(0x3f80)],
    ["uint4", 21, [0x21, 0x03], [3n], Uint8Array.of(0x21, 0x03)],
    ["int4", 22, [0xf8], [1n, 2n], Uint8Array.of(0xf8)],
  ])("reads raw %s", (dtype, dataType, bytes, dims, data) => {
    const read = tensorFromProto(raw(dataType, dims, bytes));
    expect(read).toEqual({ dtype, shape: dims.map(Number), data });
    expect(dtypeOf(dataType)).toBe(dtype);
    expect(dataTypeOf(dtype as DType)).toBe(dataType);
  });

  it("copies bytes that lie between the multiples of the element size, once, and not before the data is read", () => {
    const bytes = new Uint8Array(9).subarray(1);
    bytes.set([0, 0, 0x80, 0x3f], 4);
    const proto = create(TensorProtoSchema, { name: "t", dataType: 1, dims: [2n], rawData: bytes });
    const read = tensorFromProto(proto);
    expect(read.shape).toEqual([2]);
    bytes.set([0, 0, 0, 0xc0]);
    expect(read.data).toEqual(Float32Array.of(-2, 1));
    bytes.fill(0);
    expect(read.data).toEqual(Float32Array.of(-2, 1));
    expect(read.data).toBe(read.data);
  });

  it.each<[string, object, Tensor["data"]]>([
    ["float_data", { dataType: 1, dims: [2n], floatData: [0.5, -1] }, Float32Array.of(0.5, -1)],
    ["double_data", { dataType: 11, dims: [1n], doubleData: [0.1] }, Float64Array.of(0.1)],
    ["int32_data as int32", { dataType: 6, dims: [1n], int32Data: [-5] }, Int32Array.of(-5)],
    ["int32_data as int8", { dataType: 3, dims: [2n], int32Data: [-128, 127] }, Int8Array.of(-128, 127)],
    ["int32_data as uint8", { dataType: 2, dims: [1n], int32Data: [200] }, Uint8Array.of(200)],
    ["int32_data as int16", { dataType: 5, dims: [1n], int32Data: [-300] }, Int16Array.of(-300)],
    ["int32_data as uint16", { dataType: 4, dims: [1n], int32Data: [65535] }, Uint16Array.of(65535)],
    ["int32_data as bool", { dataType: 9, dims: [2n], int32Data: [1, 0] }, Uint8Array.of(1, 0)],
    [
      "int32_data as float16 bits",
      { dataType: 10, dims: [2n], int32Data: [0x3c00, 0xc000] },
      Uint16Array.of(0x3c00, 0xc000),
    ],
    [
      "int32_data as bfloat16 bits",
      { dataType: 16, dims: [1n], int32Data: [0xbf80] },
      Uint16Array.of(0xbf80),
    ],
    [
      "int32_data as int4 pairs",
      { dataType: 22, dims: [3n], int32Data: [0xf8, 0x07] },
      Uint8Array.of(0xf8, 0x07),
    ],
    ["int32_data as uint4 pairs", { dataType: 21, dims: [2n], int32Data: [0x21] }, Uint8Array.of(0x21)],
    ["int64_data", { dataType: 7, dims: [1n], int64Data: [-(2n ** 63n)] }, BigInt64Array.of(-(2n ** 63n))],
    [
      "uint64_data as uint32",
      { dataType: 12, dims: [1n], uint64Data: [4294967295n] },
      Uint32Array.of(4294967295),
    ],
    [
      "uint64_data",
      { dataType: 13, dims: [1n], uint64Data: [2n ** 64n - 1n] },
      BigUint64Array.of(2n ** 64n - 1n),
    ],
  ])("reads %s", (_, fields, data) => {
    expect(tensorFromProto(create(TensorProtoSchema, fields)).data).toEqual(data);
  });

  it("is a view where the bytes are aligned and a copy where they are not", () => {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setFloat32(4, 3, true);
    const aligned = create(TensorProtoSchema, { dataType: 1, dims: [2n], rawData: bytes.subarray(4, 12) });
    const view = tensorFromProto(aligned).data as Float32Array;
    expect(view.buffer).toBe(bytes.buffer);
    expect(view[0]).toBe(3);
    new DataView(bytes.buffer).setFloat32(5, 7, true);
    // A Buffer, whose slice() would not copy.
    const rawData = Buffer.from(bytes.buffer).subarray(5, 13) as unknown as Uint8Array<ArrayBuffer>;
    const copy = tensorFromProto(create(TensorProtoSchema, { dataType: 1, dims: [2n], rawData }))
      .data as Float32Array;
    expect(copy[0]).toBe(7);
    expect(copy.buffer).not.toBe(bytes.buffer);
  });

  it("reads no elements, with and without raw data", () => {
    for (const rawData of [new Uint8Array(0), undefined]) {
      const fields = { dataType: 7, dims: [0n, 3n], ...(rawData === undefined ? {} : { rawData }) };
      expect(tensorFromProto(create(TensorProtoSchema, fields))).toEqual({
        dtype: "int64",
        shape: [0, 3],
        data: new BigInt64Array(0),
      });
    }
  });

  it("gives back what tensorToProto made, without a copy on either way", () => {
    fc.assert(
      fc.property(fc.constantFrom(...dtypes), fc.array(fc.nat(4), { maxLength: 3 }), (dtype, shape) => {
        const count = shape.reduce((product, size) => product * size, 1);
        const data = new (dataConstructor(dtype))(storageLength(dtype, count));
        new Uint8Array(data.buffer).forEach((_, i, bytes) => {
          bytes[i] = i * 37;
        });
        const proto = tensorToProto({ dtype, shape, data }, "t");
        expect(proto.rawData.buffer).toBe(data.buffer);
        const read = tensorFromProto(proto);
        expect([read.dtype, read.shape]).toEqual([dtype, shape]);
        if (count > 0) expect(read.data.buffer).toBe(data.buffer);
      }),
      { seed: 3 },
    );
  });

  it.each<[string, object, string, string]>([
    [
      "strings",
      { dataType: 8, dims: [1n], stringData: [Uint8Array.of(65)] },
      "unknown-dtype",
      "data type: expected a real number type of up to 64 bits, got STRING",
    ],
    [
      "8-bit floats",
      { dataType: 17, dims: [1n], rawData: Uint8Array.of(1) },
      "unknown-dtype",
      "got FLOAT8E4M3FN",
    ],
    ["unknown types", { dataType: 99 }, "unknown-dtype", "got data type 99"],
    [
      "segments",
      { dataType: 1, segment: { begin: 0n } },
      "unsupported",
      "segment: expected a whole tensor, got a part",
    ],
    [
      "unloaded external data",
      { dataType: 1, dims: [4n], dataLocation: 1, externalData: [{ key: "location", value: "w.bin" }] },
      "external-data",
      'values: expected in the message, got a reference to "w.bin"; read the model with readModelFile, which loads external data',
    ],
    [
      "too few bytes",
      { dataType: 7, dims: [2n], rawData: new Uint8Array(8) },
      "size",
      "raw_data: expected 16 bytes for INT64 [2], got 8",
    ],
  ])("refuses %s", (_, fields, code, what) => {
    const error = errorOf(() =>
      tensorFromProto(create(TensorProtoSchema, { name: "t", ...fields })),
    ) as FormatError;
    expect(error).toBeInstanceOf(FormatError);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^tensorFromProto: tensor "t": /);
    expect(error.message).toContain(what);
  });
});

describe("tensorToProto", () => {
  it("refuses data that does not fit the shape", () => {
    const bad = { dtype: "float32", shape: [2, 2], data: new Float32Array(3) } as const;
    expect(errorOf(() => tensorToProto(bad, "W")).message).toBe(
      'tensorToProto: tensor "W": data length: expected 4 for float32 [2, 2], got 3',
    );
  });
});

describe("makeTensor", () => {
  it("packs int4, keeps 64-bit integers and checks the shape", () => {
    expect([...makeTensor("q", "int4", { values: [-8, 7, 1] }).rawData]).toEqual([0x78, 0x01]);
    expect(tensorFromProto(makeTensor("i", "int64", { values: [2n ** 62n] })).data).toEqual(
      BigInt64Array.of(2n ** 62n),
    );
    expect(errorOf(() => makeTensor("m", "int8", { values: [1], shape: [2] })).message).toBe(
      'makeTensor: tensor "m": values: expected 2 for [2], got 1',
    );
  });
});
