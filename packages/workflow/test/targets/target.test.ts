import { type BlockOptions, int4, weightOnly } from "@nasty/compression";
import { tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors.js";
import { lacksOf, lackText } from "../../src/targets/engine-faults.js";
import { formsOf } from "../../src/targets/forms.js";
import { modelFor } from "../../src/targets/target.js";

const [rows, width] = [7, 96];

/** A table that is looked up, and multiplied with if it is tied. */
function lookup({ isTied = false, opset = 17, irVersion = 8 } = {}): ModelProto {
  const values = Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i * 12.9898));
  const product = [
    makeNode("Transpose", ["table"], ["columns"], { name: "turn", attributes: { perm: [1, 0] } }),
    makeNode("MatMul", ["words", "columns"], ["y"], { name: "product" }),
  ];
  const graph = makeGraph("lookup", {
    nodes: [
      makeNode("Gather", ["table", "ids"], [isTied ? "words" : "y"], { name: "lookup" }),
      ...(isTied ? product : []),
    ],
    inputs: [makeValueInfo("ids", "int64", ["length"])],
    outputs: [makeValueInfo("y", "float32")],
    initializers: [makeTensor("table", "float32", { values, shape: [rows, width] })],
  });
  return makeModel(graph, { opsets: { "": opset }, irVersion });
}

const ids = { ids: tensor("int64", [4], BigInt64Array.of(6n, 0n, 3n, 5n)) };

async function outputOf(model: ModelProto): Promise<readonly number[]> {
  const session = await openSession(model);
  const { y } = await session.run(ids);
  await session.close();
  return Array.from(y?.data as Float32Array);
}

const quantized = (options: BlockOptions, isTied = false): Promise<ModelProto> =>
  int4.quantize(lookup({ isTied }), { blockSize: 32, ...options });

describe("modelFor", () => {
  it.each([
    ["symmetric", {}, false],
    ["asymmetric, an odd number of blocks in a row", { symmetric: false }, false],
    ["tied to a product", {}, true],
    ["asymmetric and tied", { symmetric: false }, true],
  ] as const)("writes tables of 4 bits as uint4, the same numbers: %s", async (_, options, isTied) => {
    const model = await quantized(options, isTied);
    const written = modelFor("transformers.js@3", model, "model.onnx");
    const nodes = ModelGraph.from(written).main.nodes.filter(
      ({ opType }) => opType === "GatherBlockQuantized",
    );
    expect(nodes).toHaveLength(1);
    expect(nodes[0]?.attribute.map(({ name }) => name).sort()).toEqual([
      "block_size",
      "gather_axis",
      "quantize_axis",
    ]);
    expect(written.graph?.node.some(({ opType }) => opType === "Reshape")).toBe(false);
    expect(await outputOf(written)).toEqual(await outputOf(model));
    // Neither the bytes that were read before nor their shapes are left behind.
    const table = written.graph?.initializer.filter(({ name }) => name.startsWith("table"));
    expect(table?.some(({ name }) => name.endsWith("_rows"))).toBe(false);
  });

  it("leaves a model as it is where nothing is lacking", async () => {
    const float = lookup();
    expect(modelFor("transformers.js@3", float, "model.onnx")).toBe(float);
    const model = await quantized({});
    expect(modelFor("transformers.js@4", model, "model.onnx")).toBe(model);
  });

  it("lowers a newer IR version", () => {
    const written = modelFor("transformers.js@3", lookup({ irVersion: 12 }), "model.onnx");
    expect(Number(written.irVersion)).toBe(10);
  });

  it("refuses what it cannot write otherwise, by node and form", async () => {
    const model = await weightOnly.quantize(lookup({ isTied: true }), { blockSize: 32 });
    const refused = (): unknown => modelFor("transformers.js@3", model, "weights.onnx");
    expect(refused).toThrow(InputError);
    expect(refused).toThrow(
      "export: weights.onnx: node lookup: GatherBlockQuantized over bytes: ONNX Runtime 1.20.1 (native) reads tables of 4 bits only",
    );
    expect(() => modelFor("transformers.js@3", lookup({ opset: 22 }), "new.onnx")).toThrow(
      "export: new.onnx: model: opset 22: ONNX Runtime 1.20.1 (native) reads operator sets up to 21; ONNX Runtime 1.21 has it",
    );
  });
});

describe("lacksOf", () => {
  const versions = (model: ModelProto, name: "native" | "wasm", list: readonly string[]) =>
    list.map((version) => lacksOf(formsOf(model), { name, version }).map(({ found }) => found.form));

  it("compares versions by their numbers, of builds between releases too", async () => {
    const model = await quantized({});
    const old = ["GatherBlockQuantized over bytes"];
    expect(versions(model, "wasm", ["1.9.0", "1.22.0-dev.20250409-89f8206ba4", "1.23.0", "2.0.0"])).toEqual([
      old,
      old,
      [],
      [],
    ]);
  });

  it("tells the engines apart", async () => {
    const model = await weightOnly.quantize(lookup({ isTied: true }), { blockSize: 32, accuracyLevel: 4 });
    const table = "GatherBlockQuantized over bytes";
    expect(versions(model, "native", ["1.21.0", "1.22.0"])).toEqual([
      [table, "MatMulNBits with 8 bits"],
      [table],
    ]);
    expect(versions(model, "wasm", ["1.22.0"])).toEqual([[table, "MatMulNBits with 8 bits"]]);
    const floats = await weightOnly.quantize(lookup({ isTied: true }), { blockSize: 32, accuracyLevel: 1 });
    expect(versions(floats, "native", ["1.22.0", "1.23.0"])).toEqual([
      [table, "MatMulNBits with 8 bits and float activations"],
      [],
    ]);
  });

  it("says what an engine lacks, and which version has it", async () => {
    const engine = { name: "native", version: "1.21.0" } as const;
    const [lack] = lacksOf(formsOf(await quantized({})), engine);
    expect(lack && lackText(lack, engine)).toMatch(
      /^node lookup: GatherBlockQuantized over bytes: ONNX Runtime 1\.21\.0 \(native\) reads .*; ONNX Runtime 1\.23 has it$/,
    );
  });
});
