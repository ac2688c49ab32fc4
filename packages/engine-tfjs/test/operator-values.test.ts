import { dataConstructor, type DType, type Tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type NodeOptions,
} from "@nasty/formats/onnx";
import { expect, it } from "vitest";
import { tensorflowEngine } from "../src/index.js";

type Input = readonly [
  dtype: "float32" | "int64" | "bool",
  shape: readonly number[],
  values: readonly number[],
];

const ints = (...values: number[]): Input => ["int64", [values.length], values];
const long = (value: number): Input => ["int64", [], [value]];
const floats = (...values: number[]): Input => ["float32", [values.length], values];
const table: Input = ["float32", [2, 3], [1, 2, 3, 4, 5, 6]];

/**
 * Where TensorFlow's operator of the same name means something else, or lacks a case: values by the ONNX specification.
 */
const cases: readonly (readonly [
  name: string,
  opType: string,
  inputs: readonly Input[],
  expected: readonly number[],
  attributes?: NonNullable<NodeOptions["attributes"]>,
])[] = [
  ["Round takes halves to the even neighbour", "Round", [floats(0.5, 1.5, -2.5, 2.6)], [0, 2, -2, 3]],
  ["Div of integers cuts towards zero", "Div", [ints(7, -7, 7, -7), ints(2, 2, -2, -2)], [3, -3, -3, 3]],
  ["Mod of integers has the sign of the divisor", "Mod", [ints(7, -7), ints(4, 4)], [3, 1]],
  [
    "CumSum from the end, without the element itself",
    "CumSum",
    [table, long(1)],
    [5, 3, 0, 11, 6, 0],
    { exclusive: 1, reverse: 1 },
  ],
  ["Shape of the last dimension", "Shape", [table], [3], { start: -1 }],
  ["Range downwards", "Range", [long(5), long(-2), long(-2)], [5, 3, 1, -1]],
  [
    "OneHot of an index from the end",
    "OneHot",
    [ints(0, -1), long(3), floats(-1, 3)],
    [3, -1, -1, -1, -1, 3],
  ],
  ["Pad with a negative number cuts off", "Pad", [table, ints(0, -1, 1, 0)], [2, 3, 5, 6, 0, 0]],
  ["Clip of integers", "Clip", [ints(7, -7, 1), long(-2), long(5)], [5, -2, 1]],
  ["Slice past the end", "Slice", [ints(5, 6, 7), ints(1), ints(1000), ints(0)], [6, 7]],
  [
    "Where with a broadcast condition",
    "Where",
    [["bool", [2, 1], [1, 0]], table, floats(0, 0, 0)],
    [1, 2, 3, 0, 0, 0],
  ],
  ["ArgMin without the axis", "ArgMin", [table], [0, 0, 0], { axis: 0, keepdims: 0 }],
  ["Squeeze of every dimension of one", "Squeeze", [["float32", [1, 2, 1], [1, 2]]], [1, 2]],
  ["Cast to int64 cuts off the fraction", "Cast", [floats(1.7, -1.7)], [1, -1], { to: 7 }],
  [
    "Xor",
    "Xor",
    [
      ["bool", [4], [1, 1, 0, 0]],
      ["bool", [4], [1, 0, 1, 0]],
    ],
    [0, 1, 1, 0],
  ],
];

const tensorOf = ([dtype, shape, values]: Input): Tensor => {
  const data = new (dataConstructor(dtype as DType))(values.length) as unknown as (number | bigint)[];
  for (const [i, value] of values.entries()) data[i] = dtype === "int64" ? BigInt(value) : value;
  return { dtype, shape, data } as unknown as Tensor;
};

for (const [name, opType, inputs, expected, attributes = {}] of cases) {
  it(name, async () => {
    const names = inputs.map((_, i) => `x${i}`);
    const graph = makeGraph("values", {
      nodes: [makeNode(opType, names, ["y"], { attributes }), makeNode("Identity", ["W"], ["w"])],
      inputs: inputs.map(([dtype, shape], i) => makeValueInfo(names[i] as string, dtype, shape)),
      outputs: [makeValueInfo("y", "float32"), makeValueInfo("w", "float32")],
      initializers: [makeTensor("W", "float32", { shape: [1], values: [1] })],
    });
    const trainer = await tensorflowEngine({ backend: "cpu" }).load(
      makeModel(graph, { opsets: { "": 21 } }),
      {
        loss: { kind: "mse", prediction: "w", target: "target" },
        trainable: ["W"],
        outputs: ["y"],
        optimizer: { kind: "sgd", learningRate: 1 },
      },
    );
    try {
      const fed = Object.fromEntries(inputs.map((input, i) => [`x${i}`, tensorOf(input)]));
      const { outputs } = await trainer.step({ ...fed, target: tensorOf(floats(1)) });
      expect(Array.from(outputs["y"]?.data ?? [], Number)).toEqual(expected.map((value) => value + 0));
    } finally {
      await trainer.close();
    }
  });
}
