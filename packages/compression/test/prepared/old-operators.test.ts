import { maxAbsoluteError, tensor, type Tensor } from "@nasty/core";
import {
  type AttributeValue,
  makeNode,
  makeValueInfo,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { ModelGraph, raiseOpset } from "@nasty/graph";
import { describe, expect, it } from "vitest";
import { dynamic, int4, int8, prepareModel, pruner, weightOnly } from "../../src/index.js";
import { agreementDb, float, int64, matrix, model, ops, run } from "../tiny-models.js";

const x = (...shape: (number | string)[]) => [makeValueInfo("x", "float32", shape)];
const vector = (name: string, values: readonly number[]): TensorProto =>
  tensorToProto(tensor("float32", [values.length], Float32Array.from(values)), name);

interface Old {
  readonly opset: number;
  readonly shape: readonly number[];
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
  /** Later sets to raise to, where the runtime opens the old one too. */
  readonly to?: number;
}

const node = (
  op: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  outputs: readonly string[] = ["y"],
): NodeProto => makeNode(op, inputs, outputs, { name: `${op} ${outputs[0]}`, attributes });

const build = ({ opset, shape, nodes, initializers = [] }: Old): ModelProto =>
  model({ nodes, initializers, inputs: x(...shape), opset, irVersion: 3 });

/** Operators that the runtime still has in their old form: both forms are run. */
const runnable: [name: string, old: Old][] = [
  [
    "Softmax over the axes from the first on",
    { opset: 11, shape: [2, 3, 4], nodes: [node("Softmax", ["x"])] },
  ],
  ["Softmax from axis 2", { opset: 9, shape: [2, 3, 4, 2], nodes: [node("Softmax", ["x"], { axis: 2 })] }],
  [
    "LogSoftmax of the last axis",
    { opset: 11, shape: [2, 5], nodes: [node("LogSoftmax", ["x"], { axis: 1 })] },
  ],
  ["Reshape by attribute", { opset: 4, shape: [2, 6], nodes: [node("Reshape", ["x"], { shape: [3, 4] })] }],
  [
    "Slice by attributes",
    { opset: 9, shape: [4, 6], nodes: [node("Slice", ["x"], { starts: [1], ends: [-1], axes: [1] })] },
  ],
  ["Clip by attributes", { opset: 6, shape: [4, 6], nodes: [node("Clip", ["x"], { min: -0.5, max: 0.25 })] }],
  [
    "Pad by attributes",
    { opset: 10, shape: [2, 3], nodes: [node("Pad", ["x"], { pads: [0, 1, 2, 0], value: 1.5 })] },
  ],
  [
    "Squeeze and Unsqueeze by attributes",
    {
      opset: 5,
      shape: [2, 1, 3],
      nodes: [node("Squeeze", ["x"], { axes: [1] }, ["s"]), node("Unsqueeze", ["s"], { axes: [0, 3] })],
    },
  ],
  [
    "Split by attribute",
    {
      opset: 7,
      shape: [2, 6],
      nodes: [
        node("Split", ["x"], { axis: 1, split: [2, 4] }, ["a", "b"]),
        node("Concat", ["b", "a"], { axis: 1 }),
      ],
    },
  ],
  [
    "ReduceSum by attribute",
    { opset: 9, shape: [2, 3, 4], nodes: [node("ReduceSum", ["x"], { axes: [1] })] },
  ],
  [
    "ReduceMean by attribute",
    { opset: 13, shape: [2, 3, 4], nodes: [node("ReduceMean", ["x"], { axes: [2], keepdims: 0 })] },
  ],
  [
    "TopK by attribute",
    { opset: 9, shape: [2, 6], nodes: [node("TopK", ["x"], { k: 3, axis: 1 }, ["y", "places"])] },
  ],
  ["Dropout with a share", { opset: 7, shape: [2, 6], nodes: [node("Dropout", ["x"], { ratio: 0.25 })] }],
  [
    "Upsample to the nearest",
    {
      opset: 7,
      shape: [1, 2, 3, 3],
      nodes: [node("Upsample", ["x"], { scales: { kind: "floats", value: [1, 1, 2, 2] }, mode: "nearest" })],
    },
  ],
  [
    "Upsample in lines",
    {
      opset: 7,
      shape: [1, 2, 3, 3],
      nodes: [node("Upsample", ["x"], { scales: { kind: "floats", value: [1, 1, 2, 2] }, mode: "linear" })],
    },
  ],
  [
    "BatchNormalization",
    {
      opset: 8,
      shape: [2, 3, 4],
      nodes: [node("BatchNormalization", ["x", "s", "b", "m", "v"], { spatial: 1 })],
      initializers: [
        vector("s", [1, 2, 3]),
        vector("b", [3, 1, 2]),
        vector("m", [0, 1, 0]),
        vector("v", [1, 2, 1]),
      ],
    },
  ],
  [
    "Gemm",
    {
      opset: 8,
      shape: [2, 16],
      nodes: [node("Gemm", ["x", "W", "b"], { transB: 1 })],
      initializers: [matrix("W", [24, 16]), matrix("b", [24])],
    },
  ],
];

/** Forms that the runtime has dropped: what they must compute is said by the form of version 7. */
const dropped: [name: string, old: Old, modern: Old][] = [
  [
    "Concat without an axis",
    { opset: 3, shape: [2, 6], nodes: [node("Concat", ["x", "x"])] },
    { opset: 7, shape: [2, 6], nodes: [node("Concat", ["x", "x"], { axis: 1 })] },
  ],
  [
    "Add from an axis on",
    {
      opset: 6,
      shape: [2, 3, 4],
      nodes: [node("Add", ["x", "b"], { axis: 1, broadcast: 1 })],
      initializers: [vector("b", [1, 2, 3])],
    },
    {
      opset: 7,
      shape: [2, 3, 4],
      nodes: [node("Add", ["x", "b"])],
      initializers: [tensorToProto(tensor("float32", [3, 1], Float32Array.of(1, 2, 3)), "b")],
    },
  ],
  [
    "Mul with the last axes",
    {
      opset: 6,
      shape: [2, 3],
      nodes: [node("Mul", ["x", "b"], { broadcast: 1 })],
      initializers: [vector("b", [1, 2, 3])],
    },
    { opset: 7, shape: [2, 3], nodes: [node("Mul", ["x", "b"])], initializers: [vector("b", [1, 2, 3])] },
  ],
  [
    "PRelu with a slope a channel",
    {
      opset: 6,
      shape: [2, 3, 4],
      nodes: [node("PRelu", ["x", "b"])],
      initializers: [vector("b", [1, 2, 3])],
    },
    {
      opset: 7,
      shape: [2, 3, 4],
      nodes: [node("PRelu", ["x", "b"])],
      initializers: [tensorToProto(tensor("float32", [3, 1], Float32Array.of(1, 2, 3)), "b")],
    },
  ],
  [
    "Cast to a type by its name",
    {
      opset: 5,
      shape: [2, 3],
      nodes: [node("Cast", ["x"], { to: "INT32" }, ["i"]), node("Cast", ["i"], { to: "float" })],
    },
    {
      opset: 7,
      shape: [2, 3],
      nodes: [node("Cast", ["x"], { to: 6 }, ["i"]), node("Cast", ["i"], { to: 1 })],
    },
  ],
  [
    "Dropout of a model that is run, with values written over",
    {
      opset: 5,
      shape: [2, 3],
      nodes: [node("Dropout", ["x"], { is_test: 1, ratio: 0.5, consumed_inputs: [0] })],
    },
    { opset: 7, shape: [2, 3], nodes: [node("Identity", ["x"])] },
  ],
  [
    "Tile along an axis",
    {
      opset: 5,
      shape: [2, 3],
      nodes: [node("Tile", ["x", "n", "a"])],
      initializers: [tensorToProto(int64([2], []), "n"), tensorToProto(int64([1], []), "a")],
    },
    { opset: 7, shape: [2, 3], nodes: [node("Concat", ["x", "x"], { axis: 1 })] },
  ],
  [
    "Pad by its first name",
    { opset: 1, shape: [2, 3], nodes: [node("Pad", ["x"], { paddings: [0, 1, 0, 0] })] },
    { opset: 7, shape: [2, 3], nodes: [node("Pad", ["x"], { pads: [0, 1, 0, 0] })] },
  ],
];

const raised = (old: ModelProto, to: number): ModelProto => {
  const opened = ModelGraph.from(old);
  raiseOpset(opened, to);
  return opened.toModel();
};

const outputOf = async (m: ModelProto, shape: readonly number[]): Promise<Tensor> =>
  (await run(m, { x: float(shape) }))["y"] as Tensor;

describe("raiseOpset", () => {
  for (const [name, old] of runnable) {
    it(`keeps what it computes: ${name}`, async () => {
      const before = build(old);
      const expected = await outputOf(before, old.shape);
      for (const to of [13, 21]) {
        const got = await outputOf(raised(before, to), old.shape);
        expect(got.shape, `set ${to}`).toEqual(expected.shape);
        expect(maxAbsoluteError(expected.data as Float32Array, got.data as Float32Array)).toBeLessThan(1e-6);
      }
    });
  }

  for (const [name, old, modern] of dropped) {
    it(`gives the meaning of version 7: ${name}`, async () => {
      const expected = await outputOf(build(modern), modern.shape);
      const got = await outputOf(raised(build(old), 13), old.shape);
      expect(got.shape).toEqual(expected.shape);
      expect(maxAbsoluteError(expected.data as Float32Array, got.data as Float32Array)).toBe(0);
    });
  }

  it("refuses what no later version can say, by operator and node", () => {
    const scan = build({ opset: 8, shape: [2, 3], nodes: [node("Scan", ["", "x"])] });
    expect(() => raised(scan, 13)).toThrow(
      expect.objectContaining({
        code: "unsupported-opset",
        message: expect.stringMatching(
          /^raiseOpset: node "Scan y" \(Scan, graph main\): .*convert the model/,
        ),
      }),
    );
  });
});

describe("a model of operator set 2 to 5", () => {
  const old = (opset: number): ModelProto => ({
    ...model({
      nodes: [
        opset < 5
          ? makeNode("Reshape", ["x"], ["flat"], { name: "flat", attributes: { shape: [-1, 16] } })
          : makeNode("Reshape", ["x", "sizes"], ["flat"], { name: "flat" }),
        makeNode("MatMul", ["flat", "W"], ["p"], { name: "dense" }),
        makeNode("Softmax", ["p"], ["s"], { name: "shares", attributes: { axis: 1 } }),
        makeNode("MatMul", ["s", "V"], ["y"], { name: "out" }),
      ],
      initializers: [
        matrix("W", [16, 24]),
        matrix("V", [24, 16], 2),
        ...(opset < 5 ? [] : [tensorToProto(int64([-1, 16]), "sizes")]),
      ],
      inputs: [
        makeValueInfo("x", "float32", ["batch", 16]),
        makeValueInfo("W", "float32", [16, 24]),
        makeValueInfo("V", "float32", [24, 16]),
        ...(opset < 5 ? [] : [makeValueInfo("sizes", "int64", [2])]),
      ],
      opset,
      irVersion: 3,
    }),
  });
  const feeds = { x: float([5, 16]) };

  for (const opset of [2, 3, 4, 5]) {
    it(`of set ${opset} is quantized in every mode, and pruned`, async () => {
      const m = old(opset);
      expect((await run(m, feeds))["y"]?.shape).toEqual([5, 16]);
      expect(prepareModel(m).changes).toEqual([
        expect.stringContaining(`operator set ${opset} was raised to 13`),
      ]);
      expect(ops(await dynamic.quantize(m))).toContain("MatMulInteger");
      expect(await agreementDb(m, await dynamic.quantize(m), feeds)).toBeGreaterThan(30);
      const calibrated = await int8.quantize(m, { calibrationData: [{ feeds }] });
      expect(ops(calibrated)).toContain("QuantizeLinear");
      expect(await agreementDb(m, calibrated, feeds)).toBeGreaterThan(30);
      expect(await agreementDb(m, await int4.quantize(m), feeds)).toBeGreaterThan(12);
      expect(await agreementDb(m, await weightOnly.quantize(m), feeds)).toBeGreaterThan(30);
      const plan = await pruner.plan(m, { sparsity: 0.3 });
      expect((await run((await pruner.apply(m, plan)).model, feeds))["y"]?.shape).toEqual([5, 16]);
    });
  }
});
