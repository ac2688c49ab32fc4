import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { seededRandom } from "@nasty/training";

/** Collects nodes and random weights; weights are normal with the given deviation. */
export function builder(seed = 1) {
  const random = seededRandom(seed);
  const nodes = [];
  const initializers = [];
  let count = 0;
  const unique = (name) => `${name}_${count++}`;
  return {
    nodes,
    initializers,
    weight(name, shape, deviation = 0.05) {
      const values = Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        () => random.normal() * deviation,
      );
      initializers.push(makeTensor(name, "float32", { values, shape }));
      return name;
    },
    filled(name, shape, value) {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value);
      initializers.push(makeTensor(name, "float32", { values, shape }));
      return name;
    },
    ints(values, shape = [values.length]) {
      const name = unique("ints");
      initializers.push(makeTensor(name, "int64", { values, shape }));
      return name;
    },
    scalar(value) {
      const name = unique("scalar");
      initializers.push(makeTensor(name, "float32", { values: [value], shape: [] }));
      return name;
    },
    op(opType, inputs, attributes = {}) {
      const output = unique(opType);
      nodes.push(makeNode(opType, inputs, [output], { name: output, attributes }));
      return output;
    },
  };
}

/** A post-norm transformer encoder with a classifier; exact GELU, additive mask. */
export function encoder({ layers, width, inner, heads, vocabulary, labels, dropout = 0 }) {
  const b = builder();
  const { op, weight, filled, ints, scalar } = b;
  const drop = (x) => (dropout === 0 ? x : op("Dropout", [x, scalar(dropout)]));
  const norm = (x, name) =>
    op("LayerNormalization", [x, filled(`${name}.weight`, [width], 1), filled(`${name}.bias`, [width], 0)], {
      axis: -1,
    });
  const linear = (x, name, [i, o]) =>
    op("Add", [
      op("MatMul", [x, weight(`${name}.weight`, [i, o], 1 / Math.sqrt(i))]),
      filled(`${name}.bias`, [o], 0),
    ]);
  const size = width / heads;
  const split = (x, perm) => op("Transpose", [op("Reshape", [x, ints([0, 0, heads, size])])], { perm });
  const positions = op("Gather", [weight("embeddings.position", [512, width]), "position_ids"]);
  let x = op("Add", [op("Gather", [weight("embeddings.word", [vocabulary, width]), "input_ids"]), positions]);
  x = drop(norm(x, "embeddings.norm"));
  const mask = op("Mul", [
    op("Sub", [scalar(1), op("Unsqueeze", [op("Cast", ["attention_mask"], { to: 1 }), ints([1, 2])])]),
    scalar(-10000),
  ]);
  for (let l = 0; l < layers; l++) {
    const n = `layer.${l}`;
    const q = split(linear(x, `${n}.query`, [width, width]), [0, 2, 1, 3]);
    const k = split(linear(x, `${n}.key`, [width, width]), [0, 2, 3, 1]);
    const v = split(linear(x, `${n}.value`, [width, width]), [0, 2, 1, 3]);
    const scores = op("Add", [op("Mul", [op("MatMul", [q, k]), scalar(1 / Math.sqrt(size))]), mask]);
    const context = op("MatMul", [drop(op("Softmax", [scores], { axis: -1 })), v]);
    const merged = op("Reshape", [op("Transpose", [context], { perm: [0, 2, 1, 3] }), ints([0, 0, width])]);
    x = norm(op("Add", [drop(linear(merged, `${n}.output`, [width, width])), x]), `${n}.norm1`);
    const h = op("Gelu", [linear(x, `${n}.inner`, [width, inner])]);
    x = norm(op("Add", [drop(linear(h, `${n}.outer`, [inner, width])), x]), `${n}.norm2`);
  }
  const logits = linear(x, "classifier", [width, labels]);
  b.nodes.push(makeNode("Identity", [logits], ["logits"]));
  const shape = ["batch", "sequence"];
  return makeModel(
    makeGraph("encoder", {
      nodes: b.nodes,
      inputs: [
        makeValueInfo("input_ids", "int64", shape),
        makeValueInfo("position_ids", "int64", shape),
        makeValueInfo("attention_mask", "int64", shape),
      ],
      outputs: [makeValueInfo("logits", "float32", [...shape, labels])],
      initializers: b.initializers,
    }),
  );
}

/** Two layers of bidirectional LSTM over looked-up words, with a classifier. */
export function bilstm({ width, hidden, layers, vocabulary, labels, dropout = 0 }) {
  const b = builder();
  const { op, weight, filled, ints, scalar } = b;
  let x = op("Transpose", [op("Gather", [weight("words", [vocabulary, width]), "ids"])], { perm: [1, 0, 2] });
  for (let l = 0; l < layers; l++) {
    const inputs = l === 0 ? width : 2 * hidden;
    if (dropout > 0) x = op("Dropout", [x, scalar(dropout)]);
    const y = op(
      "LSTM",
      [
        x,
        weight(`lstm.${l}.W`, [2, 4 * hidden, inputs]),
        weight(`lstm.${l}.R`, [2, 4 * hidden, hidden]),
        filled(`lstm.${l}.B`, [2, 8 * hidden], 0),
        "lengths",
      ],
      { hidden_size: hidden, direction: "bidirectional" },
    );
    x = op("Reshape", [op("Transpose", [y], { perm: [0, 2, 1, 3] }), ints([0, 0, 2 * hidden])]);
  }
  if (dropout > 0) x = op("Dropout", [x, scalar(dropout)]);
  const batchFirst = op("Transpose", [x], { perm: [1, 0, 2] });
  const logits = op("Add", [
    op("MatMul", [batchFirst, weight("output.weight", [2 * hidden, labels])]),
    filled("output.bias", [labels], 0),
  ]);
  b.nodes.push(makeNode("Identity", [logits], ["logits"]));
  return makeModel(
    makeGraph("bilstm", {
      nodes: b.nodes,
      inputs: [
        makeValueInfo("ids", "int64", ["batch", "length"]),
        makeValueInfo("lengths", "int32", ["batch"]),
      ],
      outputs: [makeValueInfo("logits", "float32", ["batch", "length", labels])],
      initializers: b.initializers,
    }),
  );
}
