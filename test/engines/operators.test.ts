import { describe, it } from "vitest";
import type { Tensor } from "../../packages/core/src/index.js";
import {
  makeGraph,
  makeModel,
  makeValueInfo,
  type NodeOptions,
} from "../../packages/formats/src/onnx/index.js";
import { modelOf, weight } from "../../packages/training/test/reference/check-gradients.js";
import { constant, floatTensor, modelOfNodes, node, randomWeight } from "./model-builder.js";
import { againstTargets, expectParity } from "./parity.js";

type Input = readonly [
  dtype: "float32" | "int64" | "bool",
  shape: readonly number[],
  values: readonly number[],
];
type Case = readonly [
  name: string,
  opType: string,
  inputs: readonly Input[],
  attributes?: NonNullable<NodeOptions["attributes"]>,
];

const ints = (...values: number[]): Input => ["int64", [values.length], values];
const long = (value: number): Input => ["int64", [], [value]];
const x: Input = ["float32", [2, 3], [0.4, -1.5, 2.5, 0, -0.5, 1.5]];
const y: Input = ["float32", [2, 3], [0.4, 1.5, 0, 0, -2, 1.5]];
const p: Input = ["bool", [4], [1, 1, 0, 0]];
const q: Input = ["bool", [4], [1, 0, 1, 0]];

/** Operators that no gradient goes through: values of what they give. */
const cases: readonly Case[] = [
  ...["Floor", "Ceil", "Round", "Sign", "IsNaN", "IsInf"].map((op): Case => [op, op, [x]]),
  ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].map((op): Case => [op, op, [x, y]]),
  ...["And", "Or", "Xor", "Equal"].map((op): Case => [`${op} of truth values`, op, [p, q]]),
  ["Equal of integers, broadcast", "Equal", [["int64", [2, 2], [1, 2, 3, 1]], long(1)]],
  ["Not", "Not", [p]],
  ["Shape", "Shape", [x]],
  ["Shape from the second dimension", "Shape", [x], { start: 1 }],
  ["Shape of the last dimension", "Shape", [x], { start: -1 }],
  ["Size", "Size", [x]],
  ["ConstantOfShape", "ConstantOfShape", [ints(2, 2)]],
  [
    "ConstantOfShape of ones",
    "ConstantOfShape",
    [ints(3)],
    { value: { dtype: "int64", shape: [1], data: BigInt64Array.of(1n) } },
  ],
  ["Range", "Range", [long(1), long(8), long(3)]],
  ["Range downwards", "Range", [long(5), long(-2), long(-2)]],
  ["OneHot", "OneHot", [ints(0, 2, -1), long(4), ["float32", [2], [-1, 3]]]],
  ["OneHot along the first axis", "OneHot", [ints(0, 2), long(3), ["float32", [2], [0, 1]]], { axis: 0 }],
  ["NonZero", "NonZero", [x]],
  ["ArgMax", "ArgMax", [x], { axis: 1 }],
  ["ArgMin without the axis", "ArgMin", [x], { axis: 0, keepdims: 0 }],
  ["CumSum", "CumSum", [["int64", [2, 3], [1, 0, 1, 1, 1, 0]], long(1)]],
  ["CumSum, exclusive from the end", "CumSum", [x, long(1)], { exclusive: 1, reverse: 1 }],
  ["Tile", "Tile", [x, ints(2, 1)]],
  ["ReduceProd of a shape", "ReduceProd", [ints(2, 3, 4)], { keepdims: 1 }],
  ["Div of integers towards zero", "Div", [ints(7, -7, 7, -7), ints(2, 2, -2, -2)]],
  ["Mod", "Mod", [ints(7, 8, 9), ints(4, 4, 4)]],
  ["Max of integers", "Max", [ints(7, -7), ints(2, 2)]],
  ["Min of integers", "Min", [ints(7, -7), ints(2, 2)]],
  ["Clip of integers", "Clip", [ints(7, -7, 1), long(-2), long(5)]],
  ["Where of integers", "Where", [p, ints(1, 2, 3, 4), long(9)]],
  ["Where of a broadcast condition", "Where", [["bool", [2, 1], [1, 0]], x, y]],
  ["Cast to truth values", "Cast", [x], { to: 9 }],
  ["Cast to integers", "Cast", [x], { to: 7 }],
  ["Cast of truth values", "Cast", [p], { to: 1 }],
  ["Cast to int8", "Cast", [x], { to: 3 }],
  ["Expand of integers", "Expand", [long(3), ints(2, 2)]],
  ["Slice of a shape", "Slice", [ints(5, 6, 7), ints(1), ints(1000), ints(0)]],
  ["Pad that cuts off", "Pad", [x, ints(0, -1, 1, 0)]],
  ["Squeeze of every one", "Squeeze", [["float32", [1, 2, 1], [1, 2]]]],
];

describe("values of operators without gradients", () => {
  for (const [name, opType, inputs, attributes = {}] of cases) {
    it(name, async () => {
      const names = inputs.map((_, i) => `x${i}`);
      const graph = makeGraph("test", {
        nodes: [node(opType, names, ["y"], { attributes }), node("Identity", ["W"], ["w"])],
        inputs: inputs.map(([dtype, shape], i) => makeValueInfo(names[i] as string, dtype, shape)),
        outputs: [makeValueInfo("y", "float32"), makeValueInfo("w", "float32")],
        initializers: [randomWeight("W", [2], 1)],
      });
      const batch: Record<string, Tensor> = { target: floatTensor([2], 2) };
      for (const [i, [dtype, shape, values]] of inputs.entries()) {
        const data =
          dtype === "float32"
            ? Float32Array.from(values)
            : dtype === "bool"
              ? Uint8Array.from(values)
              : BigInt64Array.from(values, BigInt);
        batch[names[i] as string] = { dtype, shape, data } as Tensor;
      }
      await expectParity({
        model: makeModel(graph, { opsets: { "": 21 } }),
        batch,
        options: {
          loss: { kind: "mse", prediction: "w", target: "target" },
          trainable: ["W"],
          outputs: ["y"],
        },
      });
    });
  }
});

describe("gradients of what occurs once in a while", () => {
  const lstm = {
    opType: "LSTM",
    operands: [weight([1, 2, 3]), weight([1, 8, 3]), weight([1, 8, 2])],
    attributes: { hidden_size: 2 },
  };
  for (const [name, under] of [
    ["an LSTM over one step", lstm],
    ["Split into one part", { opType: "Split", operands: [weight([2, 3])], attributes: { num_outputs: 1 } }],
    [
      "a convolution with stride and dilation",
      {
        opType: "Conv",
        operands: [weight([2, 2, 11]), weight([3, 2, 3]), weight([3])],
        attributes: { strides: [2], dilations: [2], pads: [1, 2] },
      },
    ],
    [
      "a maximum that several elements attain",
      { opType: "ReduceMax", operands: [weight([2, 3], [1, 2, 2, 0, 0, 0])], attributes: { keepdims: 1 } },
    ],
    [
      "a maximum that operands share",
      { opType: "Max", operands: [weight([3], [1, 2, 0]), weight([3], [1, 1, 0]), weight([3], [0, 2, 0])] },
    ],
    ["Abs and Relu at zero", { opType: "Abs", operands: [weight([3], [0, -1, 2])] }],
    ["Relu at zero", { opType: "Relu", operands: [weight([3], [0, -1, 2])] }],
    [
      "a LeakyRelu with a slope",
      { opType: "LeakyRelu", operands: [weight([4])], attributes: { alpha: 0.3 } },
    ],
  ] as const) {
    it(name, async () => {
      const { model, feeds } = modelOf(under);
      const trainable = under.operands.map((_, i) => `x${i}`);
      await expectParity({ model, ...againstTargets(model, { feeds, outputs: ["y0"], trainable }) });
    });
  }
});

describe("dropout", () => {
  const model = modelOfNodes({
    nodes: [
      node("Mul", ["x", "W"], ["h"]),
      node("Dropout", ["h", "ratio"], ["d"], { name: "first" }),
      node("Dropout", ["d"], ["y"], { name: "second" }),
    ],
    inputs: { x: ["b", "t", 6] },
    outputs: ["y"],
    initializers: [randomWeight("W", [6], 1), constant("ratio", "float32", { values: [0.3], shape: [] })],
  });
  for (const [name, dropout] of [
    ["of the nodes' own ratios", []],
    [
      "shared along an axis",
      [
        { node: "first", sharedAxes: [1] },
        { node: "second", ratio: 0.1, sharedAxes: [-1] },
      ],
    ],
    ["of one node only", [{ node: "second", ratio: 0 }]],
  ] as const) {
    it(`drops the same elements: ${name}`, () =>
      expectParity({
        model,
        batch: { x: floatTensor([4, 5, 6], 2), target: floatTensor([4, 5, 6], 3) },
        options: {
          loss: { kind: "mse", prediction: "y", target: "target" },
          trainable: ["W"],
          outputs: ["y"],
          dropout,
          seed: 12,
        },
      }));
  }
});
