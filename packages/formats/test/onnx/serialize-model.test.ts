import { create, equals, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AttributeProto,
  copyMessage,
  FormatError,
  type GraphProto,
  modelChunks,
  type ModelProto,
  ModelProtoSchema,
  parseModel,
  serializeModel,
  type TensorProto,
} from "../../src/onnx/index.js";
import { AttributeProtoSchema, GraphProtoSchema, TensorProtoSchema } from "../../src/onnx/gen/onnx_pb.js";
import { sampleModel } from "./sample-model.js";
import { errorOf } from "./wire.js";

/** Tensors on both sides of the size from which bytes are passed on. */
const tensors = fc
  .record({ name: fc.string(), size: fc.constantFrom(0, 1, 4095, 4096, 9000) })
  .map(({ name, size }) =>
    create(TensorProtoSchema, {
      name,
      dims: [BigInt(size)],
      dataType: 2,
      rawData: new Uint8Array(size).fill(size % 251),
    }),
  );
const unknown = fc.constantFrom(undefined, [{ no: 77, wireType: 2 as const, data: Uint8Array.of(2, 1, 2) }]);

function graphs(depth: number): fc.Arbitrary<GraphProto> {
  const attributes: fc.Arbitrary<AttributeProto> = fc
    .record({
      t: fc.option(tensors, { nil: undefined }),
      g: depth === 0 ? fc.constant(undefined) : fc.option(graphs(depth - 1), { nil: undefined }),
      tensors: fc.array(tensors, { maxLength: 2 }),
      ints: fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), { maxLength: 3 }),
      f: fc.float({ noNaN: true }),
    })
    .map((fields) => create(AttributeProtoSchema, fields as object));
  return fc
    .record({
      initializer: fc.array(tensors, { maxLength: 3 }),
      node: fc.array(
        fc.record({
          opType: fc.string(),
          input: fc.array(fc.string()),
          attribute: fc.array(attributes, { maxLength: 2 }),
        }),
        { maxLength: 3 },
      ),
      docString: fc.string(),
      unknown,
    })
    .map(({ unknown: extra, ...fields }) => {
      const graph = create(GraphProtoSchema, fields as object);
      if (extra !== undefined) graph.$unknown = [...extra];
      return graph;
    });
}

const models: fc.Arbitrary<ModelProto> = fc
  .record({ graph: graphs(2), functions: fc.array(fc.record({ name: fc.string() }), { maxLength: 2 }) })
  .map((fields) => create(ModelProtoSchema, { irVersion: 8n, ...(fields as object) }));

describe("serializeModel", () => {
  it("writes what the protobuf library writes", () => {
    fc.assert(
      fc.property(models, (model) => {
        expect(Buffer.compare(serializeModel(model), toBinary(ModelProtoSchema, model))).toBe(0);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it("is undone by parseModel", () => {
    const model = sampleModel();
    const read = parseModel(serializeModel(model));
    expect(equals(ModelProtoSchema, read, model)).toBe(true);
    expect(serializeModel(read)).toEqual(serializeModel(model));
  });

  it("writes messages copied with changes", () => {
    const model = sampleModel();
    const graph = model.graph!;
    const renamed = copyMessage(graph.node[0]!, { name: undefined, docString: "first" });
    const changed = copyMessage(model, {
      graph: copyMessage(graph, { node: [renamed, ...graph.node.slice(1)] }),
    });
    const read = parseModel(serializeModel(changed)).graph!.node[0]!;
    expect([read.name, read.docString, read.opType]).toEqual(["", "first", "MatMul"]);
    expect(graph.node[0]!.name).toBe("project");
    expect(renamed.domain).toBe("");
  });
});

describe("modelChunks", () => {
  it("passes large weights on as they are, also in subgraphs, and joins to the file", () => {
    const model = sampleModel();
    const chunks = [...modelChunks(model)];
    const initializer = model.graph!.initializer[0]!.rawData;
    const branch = model.graph!.node[2]!.attribute[0]!.g!.node[0]!.attribute[0]!.t!.rawData;
    expect(chunks).toContain(initializer);
    expect(chunks).toContain(branch);
    expect(chunks.length).toBeLessThan(12);
    expect(Buffer.compare(Buffer.concat(chunks), serializeModel(model))).toBe(0);
  });

  it("refuses 2 GiB in one file, without holding them", () => {
    const gigabyte = new Uint8Array(2 ** 30);
    const initializer: TensorProto[] = [1, 2].map((name) =>
      create(TensorProtoSchema, {
        name: String(name),
        dims: [BigInt(2 ** 30)],
        dataType: 2,
        rawData: gigabyte,
      }),
    );
    const model = create(ModelProtoSchema, { graph: { initializer } });
    const error = errorOf(() => modelChunks(model)) as FormatError;
    expect(error.code).toBe("limit");
    expect(error.message).toMatch(
      /^modelChunks: model: size: expected at most 2147483647 bytes in one file, got 21474\d+; write the weights as external data/,
    );
  });
});
