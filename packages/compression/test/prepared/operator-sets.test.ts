import { tensor, type Tensor } from "@nasty/core";
import {
  type AttributeValue,
  makeNode,
  makeValueInfo,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { auditModel } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { apply, plan } from "../../src/index.js";
import { agreementDb, float, int64, matrix, model, noise } from "../tiny-models.js";

/** The operator sets that models are taken in as they are, up to the newest that the runtime knows. */
const opsets = Array.from({ length: 19 }, (_, i) => 7 + i);

/** Nodes and constants of a graph in the form that its operator set has for them. */
function writer(opset: number) {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let value = "x";
  const constant = (of: Tensor): string => {
    const name = `constant_${initializers.length}`;
    initializers.push(tensorToProto(of, name));
    return name;
  };
  const weight = (...shape: number[]): string => {
    const name = `weight_${initializers.length}`;
    const inputs = shape.length === 2 ? (shape[0] ?? 1) : shape.slice(1).reduce((a, b) => a * b, 1);
    initializers.push(matrix(name, shape, initializers.length + 1, 1 / Math.sqrt(inputs)));
    return name;
  };
  const add = (op: string, more: readonly string[] = [], attributes: Record<string, AttributeValue> = {}) => {
    const output = `${op.toLowerCase()}_${nodes.length}`;
    nodes.push(makeNode(op, [value, ...more], [output], { name: output, attributes }));
    value = output;
  };
  /** Integers that are an attribute before a version, and an input from it on. */
  const listed = (op: string, name: string, values: readonly number[], since: number, rest = {}) => {
    if (opset < since) add(op, [], { [name]: values, ...rest });
    else add(op, [constant(int64(values))], rest);
  };
  return { nodes, initializers, weight, constant, add, listed, last: () => value };
}

const scalar = (value: number) => tensor("float32", [], Float32Array.of(value));

/** Convolution, normalization, bounds, axes that come and go, two kinds of products. */
function picture(opset: number): ModelProto {
  const { nodes, initializers, weight, constant, add, listed, last } = writer(opset);
  const vector = (seed: number, shift: number) =>
    constant(
      tensor(
        "float32",
        [16],
        noise(16, seed, 0.1).map((v) => v + shift),
      ),
    );
  add("Conv", [weight(16, 8, 3, 3), weight(16)], { pads: [1, 1, 1, 1] });
  add("BatchNormalization", [vector(1, 1), vector(2, 0), vector(3, 0), vector(4, 1)]);
  if (opset < 11) add("Clip", [], { min: -1.5, max: { kind: "float", value: 1 } });
  else add("Clip", [constant(scalar(-1.5)), constant(scalar(1))]);
  if (opset < 10) add("Slice", [], { axes: [2], starts: [0], ends: [6] });
  else add("Slice", [constant(int64([0])), constant(int64([6])), constant(int64([2]))]);
  if (opset < 11) add("Pad", [], { pads: [0, 0, 1, 0, 0, 0, 0, 0], value: { kind: "float", value: 0.5 } });
  else add("Pad", [constant(int64([0, 0, 1, 0, 0, 0, 0, 0])), constant(scalar(0.5))]);
  add("Conv", [weight(16, 16, 1, 1)]);
  add("Conv", [weight(16, 16, 3, 3)]);
  listed("ReduceMean", "axes", [3], 18, { keepdims: 1 });
  listed("Squeeze", "axes", [3], 13);
  add("Softmax", [], { axis: 2 });
  listed("Unsqueeze", "axes", [1], 13);
  add("Reshape", [constant(int64([0, -1]))]);
  add("Gemm", [weight(24, 80), weight(24)], { transB: 1 });
  add("Dropout");
  add("MatMul", [weight(24, 20)]);
  add("Softmax", [], { axis: 1 });
  nodes.push(makeNode("Identity", [last()], ["y"]));
  const inputs = [makeValueInfo("x", "float32", [2, 8, 9, 7])];
  return model({ nodes, initializers, inputs, opset, irVersion: 8 });
}

/** Embeddings, a recurrent layer, two products of one input. */
function sequence(opset: number): ModelProto {
  const { nodes, initializers, weight, constant } = writer(opset);
  const axes = opset < 13 ? { inputs: [], attributes: { axes: [1] } } : { inputs: [constant(int64([1]))] };
  nodes.push(
    makeNode("Gather", [weight(50, 16), "x"], ["embedded"]),
    makeNode("LSTM", ["embedded", weight(1, 64, 16), weight(1, 64, 16)], ["steps"], {
      attributes: { hidden_size: 16 },
    }),
    makeNode("Squeeze", ["steps", ...axes.inputs], ["h"], { attributes: axes.attributes ?? {} }),
    makeNode("MatMul", ["h", weight(16, 16)], ["query"]),
    makeNode("MatMul", ["h", weight(16, 16)], ["key"]),
    makeNode("Mul", ["query", "key"], ["m"]),
    makeNode("MatMul", ["m", weight(16, 12)], ["y"]),
  );
  const inputs = [makeValueInfo("x", "int64", ["length", 1])];
  return model({ nodes, initializers, inputs, opset, irVersion: 8 });
}

const pictures = [1, 2].map((seed) => ({ feeds: { x: float([2, 8, 9, 7], seed) } }));
const words = [{ feeds: { x: int64([3, 7, 49, 0, 12, 5], [6, 1]) } }];

/** Products that become integers, and how near the results are. */
interface Expected {
  readonly mode: "dynamic" | "static" | "int4" | "weight-only";
  readonly options?: { readonly blockSize: number };
  readonly decibels: number;
  readonly picture: number;
  readonly sequence: number;
}

const modes: readonly Expected[] = [
  { mode: "dynamic", decibels: 25, picture: 2, sequence: 4 },
  { mode: "static", decibels: 20, picture: 4, sequence: 3 },
  { mode: "int4", options: { blockSize: 16 }, decibels: 10, picture: 2, sequence: 4 },
  { mode: "weight-only", options: { blockSize: 16 }, decibels: 30, picture: 2, sequence: 3 },
];

describe.each(opsets)("operator set %i", (opset) => {
  it.each(modes)("runs in mode $mode with little drift", async ({ mode, options, decibels, ...kernels }) => {
    for (const [name, make, calibrationData] of [
      ["picture", picture, pictures],
      ["sequence", sequence, words],
    ] as const) {
      const m = make(opset);
      const data = mode === "static" ? { calibrationData } : {};
      const { model: quantized } = await apply(m, await plan(m, { mode, ...data, ...options }));
      expect(await agreementDb(m, quantized, calibrationData[0]?.feeds ?? {})).toBeGreaterThan(decibels);
      expect((await auditModel(quantized)).quantizedKernels).toBe(kernels[name]);
      // Convolutions need QLinearConv, which came with 10; all else stays in the set that it was written in.
      const needed = mode === "static" && name === "picture" ? Math.max(opset, 10) : opset;
      expect(quantized.opsetImport.find(({ domain }) => domain === "")?.version).toBe(BigInt(needed));
    }
  });
});

describe("operators that changed in sets 8 to 10, beside a convolution", () => {
  it.each([7, 8, 9])("mean what they meant, from set %i on", async (opset) => {
    const { nodes, initializers, weight, constant, add, last } = writer(opset);
    add("Conv", [weight(16, 8, 3, 3)]);
    const scales = [1, 1, 2, 3];
    if (opset < 9) add("Upsample", [], { scales: { kind: "floats", value: scales }, mode: "linear" });
    else add("Upsample", [constant(tensor("float32", [4], Float32Array.from(scales)))], { mode: "linear" });
    add("MaxPool", [], { kernel_shape: [2, 2], strides: [2, 2] });
    add("Dropout", [], { ratio: { kind: "float", value: 0.25 } });
    add("TopK", [], { k: 3, axis: 3 });
    nodes.at(-1)?.output.push("places");
    add("Slice", [], { axes: [2, 3], starts: [1, 0], ends: [1000, -1] });
    nodes.push(makeNode("Identity", [last()], ["y"]));
    const inputs = [makeValueInfo("x", "float32", [2, 8, 9, 7])];
    const m = model({ nodes, initializers, inputs, opset, irVersion: 3 });
    const { model: quantized } = await apply(m, await plan(m, { mode: "static", calibrationData: pictures }));
    expect((await auditModel(quantized)).quantizedKernels).toBe(1);
    expect(await agreementDb(m, quantized, pictures[0]?.feeds ?? {})).toBeGreaterThan(30);
  });
});

describe("a model that cannot be raised to the set of QLinearConv", () => {
  it("keeps its convolutions in float, says why, and is quantized all the same", async () => {
    const { nodes, initializers, weight, constant, add, last } = writer(8);
    const statistics = [1, 2, 3, 4].map((value) =>
      constant(tensor("float32", [16 * 7 * 5], new Float32Array(16 * 7 * 5).fill(value))),
    );
    add("Conv", [weight(16, 8, 3, 3)]);
    add("BatchNormalization", statistics, { spatial: 0 });
    add("MatMul", [weight(5, 16)]);
    nodes.push(makeNode("Identity", [last()], ["y"]));
    const inputs = [makeValueInfo("x", "float32", [2, 8, 9, 7])];
    const m = model({ nodes, initializers, inputs, opset: 8, irVersion: 3 });
    const range = { min: -1, max: 1, seenMin: -1, seenMax: 1, count: 1, masked: 0 };
    const calibrationTable = {
      schemaVersion: 1,
      method: "minmax",
      parameters: {},
      samples: 1,
      tensors: { batchnormalization_1: range },
    } as const;
    const made = await plan(m, { mode: "static", calibrationTable });
    expect(made.tensors.map(({ op }) => op)).toEqual(["MatMul"]);
    expect(made.keptInFloat).toEqual([
      {
        name: "conv_0",
        op: "Conv",
        reason: expect.stringMatching(
          /needs opset 10, to which opset 8 cannot be raised: .*BatchNormalization/,
        ),
      },
    ]);
    expect((await apply(m, made)).model.opsetImport[0]?.version).toBe(8n);
  });
});
