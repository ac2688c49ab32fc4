// One tiny model a form that the quantizers write, each with inputs.
import { dynamic, int4, int8, weightOnly } from "../../packages/compression/dist/index.js";
import { withTablesOfInt4 } from "../../packages/workflow/dist/targets/rows-of-int4.js";
import { seededRandom, tensor } from "../../packages/core/dist/index.js";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
} from "../../packages/formats/dist/onnx/index.js";

const width = 64;
const rows = 40;
const random = seededRandom(7);
const numbers = (...shape) => {
  const count = shape.reduce((a, b) => a * b, 1);
  return makeTensor("", "float32", {
    values: Float32Array.from({ length: count }, () => random.normal()),
    shape,
  });
};
const named = (name, made) => Object.assign(made, { name });

function model({ nodes, inputs, outputs, initializers, opset = 17, irVersion = 8 }) {
  const graph = makeGraph("form", { nodes, inputs, outputs, initializers });
  return makeModel(graph, { opsets: { "": opset }, irVersion });
}

const ids = {
  feeds: [
    { input: "ids", dtype: "int64", shape: [2, 6], values: [3, 9, 27, 0, 39, 12, 1, 2, 3, 30, 20, 10] },
  ],
  inputs: [makeValueInfo("ids", "int64", ["batch", "length"])],
};
const vectors = {
  feeds: [
    {
      input: "x",
      dtype: "float32",
      shape: [2, 6, width],
      values: Array.from({ length: 2 * 6 * width }, () => Math.fround(random.normal())),
    },
  ],
  inputs: [makeValueInfo("x", "float32", ["batch", "length", width])],
};

const product = (opset = 17, irVersion = 8) => ({
  ...vectors,
  model: model({
    opset,
    irVersion,
    inputs: vectors.inputs,
    outputs: [makeValueInfo("y", "float32")],
    nodes: [
      makeNode("MatMul", ["x", "weight"], ["p"], { name: "product" }),
      makeNode("Add", ["p", "bias"], ["y"], { name: "add" }),
    ],
    initializers: [named("weight", numbers(width, 48)), named("bias", numbers(48))],
  }),
});

const lookup = {
  ...ids,
  model: model({
    inputs: ids.inputs,
    outputs: [makeValueInfo("y", "float32")],
    nodes: [makeNode("Gather", ["table", "ids"], ["y"], { name: "lookup" })],
    initializers: [named("table", numbers(rows, width))],
  }),
};

const tied = {
  ...ids,
  model: model({
    inputs: ids.inputs,
    outputs: [makeValueInfo("y", "float32")],
    nodes: [
      makeNode("Gather", ["table", "ids"], ["words"], { name: "lookup" }),
      makeNode("Transpose", ["table"], ["columns"], { name: "transpose", attributes: { perm: [1, 0] } }),
      makeNode("MatMul", ["words", "columns"], ["y"], { name: "product" }),
    ],
    initializers: [named("table", numbers(rows, width))],
  }),
};

const recurrence = {
  feeds: [{ ...vectors.feeds[0], shape: [6, 2, width] }],
  model: model({
    inputs: [makeValueInfo("x", "float32", ["length", "batch", width])],
    outputs: [makeValueInfo("y", "float32")],
    nodes: [
      makeNode("LSTM", ["x", "W", "R", "B"], ["y"], {
        name: "lstm",
        attributes: { hidden_size: 16, direction: "bidirectional" },
      }),
    ],
    initializers: [
      named("W", numbers(2, 64, width)),
      named("R", numbers(2, 64, 16)),
      named("B", numbers(2, 128)),
    ],
  }),
};

const convolution = {
  feeds: [{ ...vectors.feeds[0], shape: [2, width, 6], values: vectors.feeds[0].values }],
  model: model({
    inputs: [makeValueInfo("x", "float32", ["batch", width, "length"])],
    outputs: [makeValueInfo("y", "float32")],
    nodes: [
      makeNode("Conv", ["x", "W", "B"], ["y"], {
        name: "conv",
        attributes: { kernel_shape: [3], pads: [1, 1] },
      }),
    ],
    initializers: [named("W", numbers(32, width, 3)), named("B", numbers(32))],
  }),
};

const batchesOf = ({ feeds }) => [
  {
    feeds: Object.fromEntries(
      feeds.map(({ input, dtype, shape, values }) => [
        input,
        tensor(dtype, shape, Float32Array.from(values)),
      ]),
    ),
  },
];
const asInt4 = (options) => async (base) =>
  withTablesOfInt4(await int4.quantize(base.model, { ...options, blockSize: 32 }));
const statically = (base) => int8.quantize(base.model, { calibrationData: batchesOf(base) });

/** Every form by the name that the table has for it. */
export async function forms() {
  const one = async (form, base, quantize) => ({
    form,
    feeds: base.feeds,
    model: await quantize(base),
    float: base.model,
  });
  const by = (door, options) => (base) => door.quantize(base.model, options);
  const list = [
    ["float32", product(), (base) => base.model],
    ["MatMulInteger", product(), by(dynamic, {})],
    ["DynamicQuantizeMatMul", product(9), by(dynamic, {})],
    ["int8 Gather", lookup, by(dynamic, {})],
    ["DynamicQuantizeLSTM", recurrence, by(dynamic, {})],
    ["ConvInteger", convolution, by(dynamic, { opTypes: ["Conv"] })],
    ["QDQ MatMul", product(), statically],
    ["QDQ MatMul, opset 9", product(9), statically],
    ["MatMulNBits, 4 bits", product(), by(int4, { blockSize: 32 })],
    ["MatMulNBits, 4 bits, asymmetric", product(), by(int4, { blockSize: 32, symmetric: false })],
    ["MatMulNBits, 4 bits, level 1", product(), by(int4, { blockSize: 32, accuracyLevel: 1 })],
    ["MatMulNBits, 8 bits", product(), by(weightOnly, { blockSize: 32 })],
    ["MatMulNBits, 8 bits, level 1", product(), by(weightOnly, { blockSize: 32, accuracyLevel: 1 })],
    ["GatherBlockQuantized, 4 bits", lookup, by(int4, { blockSize: 32 })],
    ["GatherBlockQuantized, 4 bits, asymmetric", lookup, by(int4, { blockSize: 32, symmetric: false })],
    ["GatherBlockQuantized, 8 bits", lookup, by(weightOnly, { blockSize: 32 })],
    ["GatherBlockQuantized, 4 bits, tied", tied, by(int4, { blockSize: 32 })],
    ["GatherBlockQuantized, uint4", lookup, asInt4({})],
    ["GatherBlockQuantized, uint4, asymmetric", lookup, asInt4({ symmetric: false })],
    ["GatherBlockQuantized, uint4, tied", tied, asInt4({})],
    ...[22, 23, 24, 25].map((opset) => [`opset ${opset}`, product(opset, 10), (base) => base.model]),
    ...[10, 11, 12, 13].map((version) => [
      `IR version ${version}`,
      product(21, version),
      (base) => base.model,
    ]),
  ];
  const found = [];
  for (const [form, base, quantize] of list) found.push(await one(form, base, quantize));
  return found;
}
