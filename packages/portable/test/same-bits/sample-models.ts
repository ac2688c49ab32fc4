import { type DType, quantizeMatMulNBits, type Tensor, tensor } from "@nasty/core";
import {
  type AttributeValue,
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  type ModelProto,
  type NodeProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { seededRandom } from "@nasty/core";

/** A model and what it is fed. */
export interface Sample {
  readonly name: string;
  readonly model: ModelProto;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Writes a graph from the top; every value has numbers that depend on a seed alone. */
const writer = (seed: number) => {
  const random = seededRandom(seed);
  const nodes: NodeProto[] = [];
  const weights: Tensor[] = [];
  let count = 0;
  const weight = (one: Tensor): string => {
    weights.push(one);
    return `w${weights.length - 1}`;
  };
  return {
    floats: (shape: readonly number[], spread = 1): Tensor<"float32"> =>
      tensor(
        "float32",
        shape,
        Float32Array.from(
          { length: shape.reduce((a, b) => a * b, 1) },
          () => (random.uniform() * 2 - 1) * spread,
        ),
      ),
    bytes: (shape: readonly number[]): Tensor<"int8"> =>
      tensor(
        "int8",
        shape,
        Int8Array.from(
          { length: shape.reduce((a, b) => a * b, 1) },
          () => Math.floor(random.uniform() * 128) - 64,
        ),
      ),
    weight,
    add(
      op: string,
      inputs: readonly string[],
      attributes: Record<string, AttributeValue> = {},
      outputs = 1,
      domain = "",
    ): string {
      const names = Array.from({ length: outputs }, (_, k) => `v${count}_${k}`);
      count += 1;
      nodes.push(makeNode(op, inputs, names, { name: names[0] as string, domain, attributes }));
      return names[0] as string;
    },
    model(inputs: Readonly<Record<string, DType>>, outputs: readonly string[]): ModelProto {
      return makeModel(
        makeGraph("sample", {
          nodes,
          inputs: Object.entries(inputs).map(([name, dtype]) => makeValueInfo(name, dtype)),
          outputs: outputs.map((name) => makeValueInfo(name, "float32")),
          initializers: weights.map((one, index) => tensorToProto(one, `w${index}`)),
        }),
        { opsets: { "": 21, "com.microsoft": 1 } },
      );
    },
  };
};

const longs = (values: readonly number[]): Tensor<"int64"> =>
  tensor("int64", [values.length], BigInt64Array.from(values, BigInt));

/** Every function that is approximated, over the range that matters, and rows of it. */
const functions = (): Sample => {
  const w = writer(1);
  const outputs = ["Exp", "Tanh", "Sigmoid", "Erf", "Gelu"].map((op) => w.add(op, ["x"]));
  outputs.push(w.add("Gelu", ["x"], { approximate: "tanh" }), w.add("Softmax", ["x"], { axis: -1 }));
  const size = [w.weight(w.floats([997])), w.weight(w.floats([997]))];
  outputs.push(w.add("LayerNormalization", ["x", ...size], { axis: -1 }));
  outputs.push(
    w.add("ReduceMean", ["x", w.weight(longs([1]))]),
    w.add("Div", [outputs[0] as string, outputs[1] as string]),
  );
  // Zero by zero: no bits of a NaN may differ.
  outputs.push(w.add("Div", [w.add("Sub", ["x", "x"]), w.add("Sub", ["x", "x"])]));
  return {
    name: "functions",
    model: w.model({ x: "float32" }, outputs),
    feeds: { x: w.floats([41, 997], 20) },
  };
};

/** A product as quantized models write it: quantized as it comes, multiplied, scaled, with a bias. */
const dynamicProduct = (w: ReturnType<typeof writer>, x: string, depth: number, columns: number): string => {
  const quantized = w.add("DynamicQuantizeLinear", [x], {}, 3);
  const [scale, zero] = [quantized.replace(/_0$/, "_1"), quantized.replace(/_0$/, "_2")];
  const sums = w.add("MatMulInteger", [quantized, w.weight(w.bytes([depth, columns])), zero]);
  const scales = w.add("Mul", [scale, w.weight(w.floats([columns], 0.01))]);
  const product = w.add("Mul", [w.add("Cast", [sums], { to: 1 }), scales]);
  return w.add("Add", [product, w.weight(w.floats([columns]))]);
};

/** Products, windows, and two-way recurrent layers of both kinds of weights, one upon the other. */
const network = (): Sample => {
  const w = writer(2);
  const [steps, batch, width, units] = [13, 3, 37, 21];
  const directions = { direction: "bidirectional", hidden_size: units };
  const scales = () => w.weight(w.floats([2, 4 * units], 0.005));
  const zeros = w.weight(tensor("int8", [2, 4 * units], new Int8Array(8 * units)));
  const bias = w.weight(w.floats([2, 8 * units]));
  const quantized = [
    "x",
    w.weight(w.bytes([2, width, 4 * units])),
    w.weight(w.bytes([2, units, 4 * units])),
    bias,
    "lengths",
    "",
    "",
    "",
  ];
  const first = w.add(
    "DynamicQuantizeLSTM",
    [...quantized, scales(), zeros, scales(), zeros],
    directions,
    1,
    "com.microsoft",
  );
  const beside = w.add("Reshape", [
    w.add("Transpose", [first], { perm: [0, 2, 1, 3] }),
    w.weight(longs([0, 0, -1])),
  ]);
  const second = w.add(
    "LSTM",
    [
      beside,
      w.weight(w.floats([2, 4 * units, 2 * units], 0.3)),
      w.weight(w.floats([2, 4 * units, units], 0.3)),
      bias,
      "lengths",
    ],
    directions,
  );
  const joined = w.add("Reshape", [
    w.add("Transpose", [second], { perm: [0, 2, 1, 3] }),
    w.weight(longs([0, 0, -1])),
  ]);
  const product = dynamicProduct(w, joined, 2 * units, 17);
  const turned = w.add("Transpose", [joined], { perm: [1, 2, 0] });
  const windows = w.add("Conv", [turned, w.weight(w.floats([9, 2 * units, 3])), w.weight(w.floats([9]))], {
    pads: [1, 1],
  });
  const scores = w.add("Softmax", [
    w.add("MatMul", [joined, w.add("Transpose", [joined], { perm: [0, 2, 1] })]),
  ]);
  const four = quantizeMatMulNBits(w.floats([2 * units, 19]), { bits: 4, blockSize: 16, symmetric: true });
  const blocks = [4, 0].map((level) =>
    w.add(
      "MatMulNBits",
      [joined, w.weight(four.B), w.weight(four.scales)],
      { K: 2 * units, N: 19, bits: 4, block_size: 16, accuracy_level: level },
      1,
      "com.microsoft",
    ),
  );
  return {
    name: "network",
    model: w.model({ x: "float32", lengths: "int32" }, [product, windows, scores, ...blocks]),
    feeds: {
      x: w.floats([steps, batch, width], 2),
      lengths: tensor("int32", [batch], Int32Array.of(13, 9, 4)),
    },
  };
};

export const samples = (): readonly Sample[] => [functions(), network()];
