import type { Tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
  type NodeOptions,
} from "@nasty/formats/onnx";
import { seededRandom } from "../../src/index.js";
import type { GradientCheck } from "./check-gradients.js";

function network(seed: number) {
  const random = seededRandom(seed);
  const nodes: ReturnType<typeof makeNode>[] = [];
  const initializers: ReturnType<typeof makeTensor>[] = [];
  const trainable: string[] = [];
  const op = (
    opType: string,
    inputs: readonly string[],
    attributes: NodeOptions["attributes"] = {},
  ): string => {
    const output = `t${nodes.length}`;
    nodes.push(makeNode(opType, inputs, [output], { name: `${opType}_${nodes.length}`, attributes }));
    return output;
  };
  const weight = (shape: readonly number[], scale = 0.6): string => {
    const name = `w${initializers.length}`;
    const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * scale);
    initializers.push(makeTensor(name, "float32", { values, shape }));
    trainable.push(name);
    return name;
  };
  const ints = (values: readonly number[]): string => {
    const name = `i${initializers.length}`;
    initializers.push(makeTensor(name, "int64", { values }));
    return name;
  };
  const scalar = (value: number): string => {
    const name = `s${initializers.length}`;
    initializers.push(makeTensor(name, "float32", { values: [value], shape: [] }));
    return name;
  };
  const model = (output: string, inputs: readonly ReturnType<typeof makeValueInfo>[]): ModelProto =>
    makeModel(
      makeGraph("network", {
        nodes: [...nodes, makeNode("Identity", [output], ["y"])],
        inputs,
        outputs: [makeValueInfo("y", "float32")],
        initializers,
      }),
    );
  return { op, weight, ints, scalar, model, trainable };
}

const ids = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: "int64",
  shape,
  data: BigInt64Array.from(values, BigInt),
});
const batchOfIds = [makeValueInfo("ids", "int64", ["batch", "length"])];

/** Small networks with random weights, by name; the tests of other engines go through the same. */
export const smallNetworks: readonly (readonly [string, () => GradientCheck])[] = [
  [
    "a transformer block with shared word vectors and decomposed normalisation",
    () => {
      const { op, weight, ints, scalar, model, trainable } = network(1);
      const [width, heads] = [8, 2];
      const table = weight([10, width]);
      const norm = (x: string): string => {
        const centred = op("Sub", [x, op("ReduceMean", [x, ints([-1])], { keepdims: 1 })]);
        const variance = op("ReduceMean", [op("Pow", [centred, scalar(2)]), ints([-1])], { keepdims: 1 });
        const normal = op("Div", [centred, op("Sqrt", [op("Add", [variance, scalar(1e-5)])])]);
        return op("Add", [op("Mul", [normal, weight([width])]), weight([width])]);
      };
      const linear = (x: string, [i, o]: readonly [number, number]): string =>
        op("Add", [op("MatMul", [x, weight([i, o])]), weight([o])]);
      const split = (x: string, perm: readonly number[]): string =>
        op("Transpose", [op("Reshape", [x, ints([0, 0, heads, width / heads])])], { perm });
      const x = norm(op("Gather", [table, "ids"]));
      const [q, k, v] = [
        split(linear(x, [width, width]), [0, 2, 1, 3]),
        split(linear(x, [width, width]), [0, 2, 3, 1]),
        split(linear(x, [width, width]), [0, 2, 1, 3]),
      ];
      const scores = op("Softmax", [op("Div", [op("MatMul", [q, k]), scalar(2)])], { axis: -1 });
      const merged = op("Reshape", [
        op("Transpose", [op("MatMul", [scores, v])], { perm: [0, 2, 1, 3] }),
        ints([0, 0, width]),
      ]);
      const a = op(
        "LayerNormalization",
        [op("Add", [linear(merged, [width, width]), x]), weight([width]), weight([width])],
        { axis: -1 },
      );
      const h = linear(a, [width, 12]);
      const gelu = op("Mul", [
        op("Mul", [h, op("Add", [op("Erf", [op("Div", [h, scalar(Math.SQRT2)])]), scalar(1)])]),
        scalar(0.5),
      ]);
      const out = op("Add", [linear(gelu, [12, width]), a]);
      // The word vectors again, as the output layer: a table with gradients as rows and as a whole.
      const y = op("MatMul", [out, op("Transpose", [table], { perm: [1, 0] })]);
      return {
        model: model(y, batchOfIds),
        feeds: { ids: ids([2, 3], [1, 7, 1, 4, 0, 9]) },
        outputs: ["y"],
        trainable,
      };
    },
  ],
  [
    "a character convolution with maximum over time",
    () => {
      const { op, weight, ints, model, trainable } = network(2);
      const x = op("Transpose", [op("Gather", [weight([12, 4]), "ids"])], { perm: [0, 2, 1] });
      const pooled = [2, 3].map((taps) =>
        op(
          "ReduceMax",
          [
            op("Relu", [op("Conv", [x, weight([5, 4, taps]), weight([5])], { pads: [taps - 1, taps - 1] })]),
            ints([2]),
          ],
          { keepdims: 0 },
        ),
      );
      const y = op("MatMul", [op("Concat", pooled, { axis: 1 }), weight([10, 3])]);
      return {
        model: model(y, batchOfIds),
        feeds: { ids: ids([3, 5], [1, 2, 3, 4, 5, 5, 6, 7, 8, 11, 9, 9, 1, 0, 0]) },
        outputs: ["y"],
        trainable,
      };
    },
  ],
  [
    "two layers of bidirectional LSTM over sequences of several lengths",
    () => {
      const { op, weight, ints, model, trainable } = network(3);
      let x = op("Transpose", [op("Gather", [weight([10, 3]), "ids"])], { perm: [1, 0, 2] });
      for (const width of [3, 4]) {
        const y = op("LSTM", [x, weight([2, 8, width]), weight([2, 8, 2]), weight([2, 16]), "lengths"], {
          hidden_size: 2,
          direction: "bidirectional",
        });
        x = op("Reshape", [op("Transpose", [y], { perm: [0, 2, 1, 3] }), ints([0, 0, 4])]);
      }
      const y = op("MatMul", [x, weight([4, 3])]);
      const inputs = [...batchOfIds, makeValueInfo("lengths", "int32", ["batch"])];
      const feeds: Record<string, Tensor> = {
        ids: ids([3, 4], [1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 0]),
        lengths: { dtype: "int32", shape: [3], data: Int32Array.of(4, 2, 3) },
      };
      return {
        model: model(y, inputs),
        feeds,
        outputs: ["y"],
        trainable,
      };
    },
  ],
  [
    "last states of an LSTM over sequences of several lengths, with initial states",
    () => {
      const random = seededRandom(8);
      const make = (name: string, shape: readonly number[]) =>
        makeTensor(name, "float32", {
          shape,
          values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * 0.7),
        });
      const names = { X: [4, 3, 2], W: [2, 8, 2], R: [2, 8, 2], B: [2, 16], h: [2, 3, 2], c: [2, 3, 2] };
      const node = makeNode("LSTM", ["X", "W", "R", "B", "lengths", "h", "c"], ["Y", "H", "C"], {
        name: "lstm",
        attributes: { hidden_size: 2, direction: "bidirectional" },
      });
      const graph = makeGraph("states", {
        nodes: [node],
        inputs: [makeValueInfo("lengths", "int32", [3])],
        outputs: ["Y", "H", "C"].map((name) => makeValueInfo(name, "float32")),
        initializers: Object.entries(names).map(([name, shape]) => make(name, shape)),
      });
      return {
        model: makeModel(graph),
        feeds: { lengths: { dtype: "int32", shape: [3], data: Int32Array.of(4, 1, 3) } },
        outputs: ["Y", "H", "C"],
        trainable: Object.keys(names),
      };
    },
  ],
];
