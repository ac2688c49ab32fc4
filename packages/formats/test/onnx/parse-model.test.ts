import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  FormatError,
  getMetadata,
  makeTensor,
  parseModel,
  parseTensor,
  serializeModel,
  tensorFromProto,
  tensorsOf,
} from "../../src/onnx/index.js";
import { toBinary } from "@bufbuild/protobuf";
import { TensorProtoSchema } from "../../src/onnx/gen/onnx_pb.js";
import { sampleModel } from "./sample-model.js";
import { block, errorOf, join, modelOf, modelOfTensor, number, varint } from "./wire.js";

function failure(bytes: Uint8Array): FormatError {
  const error = errorOf(() => parseModel(bytes));
  expect(error).toBeInstanceOf(FormatError);
  return error as FormatError;
}

describe("parseModel", () => {
  it("makes no copy of weights: every rawData is a view of the input", () => {
    const file = serializeModel(sampleModel());
    // Neither the start of a buffer nor an aligned place.
    const buffer = new ArrayBuffer(file.length + 3);
    const bytes = new Uint8Array(buffer, 3);
    bytes.set(file);
    const tensors = [...tensorsOf(parseModel(bytes))].map(({ tensor }) => tensor);
    expect(tensors).toHaveLength(5);
    for (const { rawData } of tensors) expect(rawData.buffer).toBe(buffer);
    const before = tensorFromProto(parseModel(bytes).graph!.initializer[0]!).data[1];
    bytes.fill(0, tensors[2]!.rawData.byteOffset - 3, tensors[2]!.rawData.byteOffset - 3 + 8);
    expect(before).toBeCloseTo(Math.sin(1));
    expect(tensors[2]!.rawData.subarray(0, 8)).toEqual(new Uint8Array(8));
  });

  it("reads repeated numbers packed and one by one", () => {
    const packed = modelOfTensor(block(1, [2, 3]), number(2, 6), block(5, [1, 2, 3, 4, 5, 6]));
    const single = modelOfTensor(
      number(1, 2),
      number(1, 3),
      number(2, 6),
      ...[1, 2, 3, 4, 5, 6].map((value) => number(5, value)),
    );
    for (const bytes of [packed, single]) {
      const tensor = tensorFromProto(parseModel(bytes).graph!.initializer[0]!);
      expect(tensor).toEqual({ dtype: "int32", shape: [2, 3], data: Int32Array.of(1, 2, 3, 4, 5, 6) });
    }
  });

  it("keeps unknown fields of every kind where they were", () => {
    const unknown = join(
      number(90, 5),
      block(91, "kept"),
      varint(92 * 8 + 1),
      new Uint8Array(8).fill(7),
      varint(93 * 8 + 5),
      [1, 2, 3, 4],
      varint(94 * 8 + 3),
      number(1, 1),
      varint(94 * 8 + 4),
    );
    const file = join(
      number(1, 8),
      block(7, join(block(1, join(block(4, "Foo"), unknown)), unknown)),
      unknown,
    );
    expect(serializeModel(parseModel(file))).toEqual(file);
  });

  it("keeps metadata, and a field that is set to nothing apart from one that is not set", () => {
    const file = join(
      number(1, 8),
      number(5, 0),
      block(6, ""),
      block(7, ""),
      block(14, join(block(1, "k"), block(2, ""))),
    );
    const model = parseModel(file);
    expect(getMetadata(model, "k")).toBe("");
    expect(serializeModel(model)).toEqual(file);
  });

  it.each([
    ["an empty file", "", /^parseModel: 0 bytes: expected an ONNX model, got an empty file/],
    [
      "a readme",
      "# Model\n\nA tagger.\n",
      /byte 0: expected an ONNX model, got text that begins "# Model\\n\\nA tagger\."; give the \.onnx file itself/,
    ],
    ["CoNLL-U", "1\tThe\tthe\tDET\n", /got text that begins "1\\tThe/],
    ["HTML", "<!DOCTYPE html><html>", /got an HTML page; was an error page downloaded\?/],
    [
      "a pointer of Git LFS",
      "version https://git-lfs.github.com/spec/v1\n",
      /got a Git LFS pointer; fetch the file itself/,
    ],
    ["a zip archive", "PK\x03\x04\x00\x00", /got a zip archive, as PyTorch writes it/],
    ["JSON", '{"model_type": "bert"}', /got text that begins/],
  ])("says what %s is", (_, text, message) => {
    const error = failure(new TextEncoder().encode(text));
    expect(error.code).toBe("not-a-model");
    expect(error.message).toMatch(message);
    expect(error.kind).toBe("input");
  });

  it("says what gzip, safetensors and graphless protobuf are", () => {
    expect(failure(Uint8Array.of(0x1f, 0x8b, 8, 0, 0)).message).toMatch(/got gzip data; decompress it first/);
    const header = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const safetensors = join(
      [header.length, 0, 0, 0, 0, 0, 0, 0],
      new TextEncoder().encode(header),
      [0, 0, 0, 0],
    );
    expect(failure(safetensors).message).toMatch(/got a safetensors file/);
    expect(failure(number(1, 8)).message).toBe(
      "parseModel: graph: expected an ONNX model, got a message without a graph; is it another kind of protobuf?",
    );
  });

  it.each<[string, Uint8Array, string, number, string]>([
    [
      "a length beyond the file",
      join(number(1, 8), block(7, [], 4_000_000_000)),
      "truncated",
      3,
      "(ModelProto.graph): length: expected at most 0 bytes, got 4000000000",
    ],
    [
      "a length of 2^63",
      modelOfTensor(block(9, [], 1n << 63n)),
      "truncated",
      7,
      "(ModelProto.graph.initializer.raw_data): length: expected at most 0 bytes, got 9223372036854776000",
    ],
    [
      "a nested length beyond its parent",
      join(number(1, 8), block(7, join(block(2, "abc", 9))), new Uint8Array(20)),
      "truncated",
      5,
      "(ModelProto.graph.name): length: expected at most 3 bytes, got 9",
    ],
    [
      "a wire type that the field does not have",
      join(number(1, 8), number(7, 3)),
      "protobuf",
      2,
      "(ModelProto): graph: wire type: expected length-delimited, got varint",
    ],
    [
      "field number 0",
      join(number(1, 8), [0]),
      "protobuf",
      2,
      "(ModelProto): field number: expected 1 to 536870911, got 0",
    ],
    [
      "a number without end",
      join(number(1, 8), [0x28], new Uint8Array(12).fill(0xff)),
      "protobuf",
      3,
      "(ModelProto.model_version): number: expected at most 10 bytes, got more",
    ],
    [
      "a number that is cut off",
      join(number(1, 8), [0x28, 0x80]),
      "truncated",
      3,
      "(ModelProto.model_version): number: expected its last byte, got the end of the bytes",
    ],
    [
      "packed floats of three bytes",
      modelOfTensor(block(4, [1, 2, 3])),
      "protobuf",
      8,
      "(ModelProto.graph.initializer.float_data): packed length: expected a multiple of 4, got 3",
    ],
    [
      "a group without end",
      join(number(1, 8), varint(90 * 8 + 3), number(1, 1)),
      "truncated",
      4,
      "(ModelProto): group of field 90: expected its end, got the end of the bytes",
    ],
    [
      "an end without its group",
      join(number(1, 8), varint(90 * 8 + 4)),
      "protobuf",
      3,
      "(ModelProto): field 90: wire type: expected 0 to 3 or 5, got 4",
    ],
  ])("refuses %s, with the byte", (_, bytes, code, offset, what) => {
    const error = failure(bytes);
    expect(error.message).toBe(`parseModel: byte ${offset} ${what}`);
    expect(error.code).toBe(code);
    expect(error.fields.offset).toBe(offset);
  });

  it("refuses subgraphs inside subgraphs without end, and groups likewise", () => {
    let graph = new Uint8Array(0);
    for (let depth = 0; depth < 40; depth++)
      graph = block(1, block(5, block(6, graph))) as Uint8Array<ArrayBuffer>;
    expect(failure(modelOf(graph))).toMatchObject({
      code: "limit",
      message: expect.stringMatching(/nesting: expected at most 100 levels, got more$/),
    });
    const groups = new Uint8Array(100_000).fill(90 * 8 + 3);
    expect(
      failure(
        join(
          number(1, 8),
          block(7, ""),
          Uint8Array.from(groups, () => 0x0b),
        ),
      ).code,
    ).toBe("protobuf");
    const unknownGroups = join(...Array.from({ length: 200 }, () => varint(90 * 8 + 3)));
    expect(failure(join(number(1, 8), block(7, ""), unknownGroups)).message).toMatch(/nesting/);
  });

  it("reads thirty subgraphs inside one another", () => {
    let graph: Uint8Array = block(2, "innermost");
    for (let depth = 0; depth < 30; depth++) graph = block(1, block(5, block(6, graph)));
    const file = modelOf(graph);
    expect(serializeModel(parseModel(file))).toEqual(file);
  });

  /** `unit` so many times in the fields of `path`, outermost first: a file of a few megabytes. */
  const many = (unit: readonly number[], count: number, ...path: readonly number[]): Uint8Array => {
    let bytes = new Uint8Array(unit.length * count);
    for (let at = 0; at < bytes.length; at++) bytes[at] = unit[at % unit.length] as number;
    for (const field of path.toReversed()) {
      const head = join(varint(field * 8 + 2), varint(bytes.length));
      const whole = new Uint8Array(head.length + bytes.length);
      whole.set(head);
      whole.set(bytes, head.length);
      bytes = whole;
    }
    return bytes;
  };

  it.each<[string, Uint8Array, string]>([
    ["nodes", many([0x0a, 0], 20_000, 7), "graph.node"],
    ["inputs without a name", many([0x0a, 0], 600_000, 7, 1), "graph.node.input"],
    ["attributes", many([0x2a, 0], 20_000, 7, 1), "graph.node.attribute"],
    ["integers of an attribute", many([0], 600_000, 7, 1, 5, 8), "graph.node.attribute.ints"],
    ["floats of an attribute", many([0], 4_000_000, 7, 1, 5, 7), "graph.node.attribute.floats"],
    ["strings of an attribute", many([0x4a, 0], 100_000, 7, 1, 5), "graph.node.attribute.strings"],
    ["subgraphs of an attribute", many([0x5a, 0], 20_000, 7, 1, 5), "graph.node.attribute.graphs"],
    ["initializers", many([0x2a, 0], 20_000, 7), "graph.initializer"],
    ["sparse initializers", many([0x7a, 0], 40_000, 7), "graph.sparse_initializer"],
    ["dims", many([0], 600_000, 7, 5, 1), "graph.initializer.dims"],
    ["packed integers of a tensor", many([0], 600_000, 7, 5, 7), "graph.initializer.int64_data"],
    ["integers of a tensor one by one", many([0x38, 0], 600_000, 7, 5), "graph.initializer.int64_data"],
    ["strings of a tensor", many([0x32, 0], 100_000, 7, 5), "graph.initializer.string_data"],
    ["types of values", many([0x6a, 0], 40_000, 7), "graph.value_info"],
    ["metadata", many([0x72, 0], 40_000), "metadata_props"],
    ["operator sets", many([0x42, 0], 40_000), "opset_import"],
    ["functions", many([0xca, 1, 0], 40_000), "functions"],
    ["unknown fields", many([0xa0, 6, 0], 50_000, 7), "graph"],
    ["a text", many([0x20], 6_000_000, 7, 10), "graph.doc_string"],
  ])("counts what %s take before making any", (_, bytes, place) => {
    const error = errorOf(() => parseModel(bytes, { maxStructureBytes: 10e6 }));
    expect(error).toMatchObject({ code: "limit" });
    expect(error.message).toMatch(
      `(ModelProto.${place}): decoded size: expected structures of at most 10 MB`,
    );
    expect(error.message).toMatch("set NASTY_MEMORY_LIMIT to");
  });

  it("takes 128 MB and the size of the file unless told otherwise", () => {
    const nodes = many([0x0a, 0], 300_000, 7);
    expect(errorOf(() => parseModel(nodes))).toMatchObject({ code: "limit" });
    expect(parseModel(nodes, { maxStructureBytes: 1e9 }).graph?.node).toHaveLength(300_000);
  });

  it("does not count raw data", () => {
    const weights = modelOfTensor(number(1, 100_000), number(2, 2), block(9, new Uint8Array(100_000)));
    expect(parseModel(weights, { maxStructureBytes: 5000 }).graph?.initializer).toHaveLength(1);
    expect(errorOf(() => parseModel(weights, { maxStructureBytes: 500 }))).toMatchObject({ code: "limit" });
  });

  const float = number(2, 1);
  const named = block(8, "W");
  it.each<[string, Uint8Array, string, string]>([
    [
      "a negative dimension",
      modelOfTensor(number(1, -1), float, named),
      "shape",
      'tensor "W": dims[0]: expected 0 or more, got -1',
    ],
    [
      "dims whose product overflows",
      modelOfTensor(number(1, 1n << 32n), number(1, 1n << 32n), float, named, block(9, new Uint8Array(4))),
      "shape",
      'tensor "W": dims: expected at most 2^53 elements, got [4294967296, 4294967296]',
    ],
    [
      "dims that overflow beside a zero",
      modelOfTensor(number(1, 0), number(1, 1n << 62n), float, named),
      "shape",
      'tensor "W": dims: expected at most 2^53 elements, got [0, 4611686018427387904]',
    ],
    [
      "raw data shorter than the dims say",
      modelOfTensor(number(1, 3), float, named, block(9, new Uint8Array(8))),
      "size",
      'tensor "W": raw_data: expected 12 bytes for FLOAT [3], got 8',
    ],
    [
      "huge dims over little data",
      modelOfTensor(number(1, 1_000_000_000), float, named, block(9, new Uint8Array(8))),
      "size",
      'tensor "W": raw_data: expected 4000000000 bytes for FLOAT [1000000000], got 8',
    ],
    [
      "typed data of another length",
      modelOfTensor(number(1, 2), float, named, block(4, new Uint8Array(4))),
      "size",
      'tensor "W": float_data: expected 2 for FLOAT [2], got 1',
    ],
    [
      "no data at all",
      modelOfTensor(number(1, 2), float, named),
      "size",
      'tensor "W": values: expected 2 for FLOAT [2], got 0',
    ],
    [
      "data in two places",
      modelOfTensor(number(1, 1), float, named, block(4, new Uint8Array(4)), block(9, new Uint8Array(4))),
      "duplicate",
      'tensor "W": values: expected one place, got raw_data and float_data',
    ],
    [
      "an attribute's tensor of the wrong size",
      modelOf(
        block(
          1,
          join(
            block(3, "n"),
            block(5, join(block(1, "value"), block(5, join(number(1, 9), number(2, 22), block(9, [1]))))),
          ),
        ),
      ),
      "size",
      'node "n": attribute "value": raw_data: expected 5 bytes for INT4 [9], got 1',
    ],
  ])("refuses %s, with the tensor", (_, bytes, code, what) => {
    const error = failure(bytes);
    expect(error.message).toBe(`parseModel: ${what}`);
    expect(error.code).toBe(code);
  });

  it("answers every cut and every damaged byte with a model or a FormatError", () => {
    const file = serializeModel(sampleModel(4));
    for (let length = 0; length < file.length; length++) expectModelOrFormatError(file.subarray(0, length));
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), fc.nat(255), (at, first, second) => {
        const damaged = file.slice();
        damaged[at] = first;
        damaged[(at * 7) % file.length] = second;
        expectModelOrFormatError(damaged);
      }),
      { numRuns: 3000, seed: 1 },
    );
  });

  it("answers random bytes with a model or a FormatError", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), expectModelOrFormatError), {
      numRuns: 2000,
      seed: 2,
    });
  });
});

function expectModelOrFormatError(bytes: Uint8Array): void {
  try {
    const model = parseModel(bytes);
    serializeModel(model);
    for (const { tensor } of tensorsOf(model)) tensorFromProto(tensor);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
  }
}

describe("parseTensor", () => {
  it("reads a tensor file and checks it", () => {
    const bytes = toBinary(TensorProtoSchema, makeTensor("x", "int16", { values: [1, -2] }));
    expect(tensorFromProto(parseTensor(bytes)).data).toEqual(Int16Array.of(1, -2));
    expect(errorOf(() => parseTensor(bytes.subarray(0, 5))).message).toMatch(
      /^parseTensor: byte \d+ \(TensorProto\.name\)/,
    );
    expect(errorOf(() => parseTensor(join(number(1, 2), number(2, 3)))).message).toBe(
      'parseTensor: tensor "": values: expected 2 for INT8 [2], got 0',
    );
  });
});
