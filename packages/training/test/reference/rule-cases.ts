import { floats, ints, type NodeUnderTest, none, positive, weight } from "./check-gradients.js";

/** Every gradient rule at least once, by name; the tests of other engines go through the same. */
export const ruleCases: readonly (readonly [string, NodeUnderTest])[] = [
  ["MatMul of matrices", { opType: "MatMul", operands: [weight([3, 4]), weight([4, 2])] }],
  ["MatMul of batches and a matrix", { opType: "MatMul", operands: [weight([2, 3, 4]), weight([4, 5])] }],
  ["MatMul of batches", { opType: "MatMul", operands: [weight([2, 2, 3, 4]), weight([2, 2, 4, 3])] }],
  [
    "MatMul with broadcast batches",
    { opType: "MatMul", operands: [weight([2, 1, 3, 4]), weight([3, 4, 2])] },
  ],
  ["MatMul of a matrix and batches", { opType: "MatMul", operands: [weight([3, 4]), weight([2, 4, 2])] }],
  ["MatMul of vectors", { opType: "MatMul", operands: [weight([4]), weight([4, 1])] }],
  ["MatMul of batches and a vector", { opType: "MatMul", operands: [weight([2, 3, 4]), weight([4])] }],
  ["MatMul of a vector and batches", { opType: "MatMul", operands: [weight([4]), weight([2, 4, 3])] }],
  ["Gemm", { opType: "Gemm", operands: [weight([3, 4]), weight([4, 2]), weight([2])] }],
  [
    "Gemm transposed B",
    {
      opType: "Gemm",
      operands: [weight([3, 4]), weight([2, 4]), weight([1, 2])],
      attributes: { transB: 1, alpha: 0.5, beta: 1.5 },
    },
  ],
  [
    "Gemm transposed A",
    {
      opType: "Gemm",
      operands: [weight([4, 3]), weight([4, 2]), weight([3, 1])],
      attributes: { transA: 1, alpha: 0.5 },
    },
  ],
  [
    "Gemm transposed both",
    { opType: "Gemm", operands: [weight([4, 3]), weight([2, 4])], attributes: { transA: 1, transB: 1 } },
  ],
  ...["Add", "Sub", "Mul", "Div"].flatMap((opType): [string, NodeUnderTest][] => [
    [`${opType} of equal shapes`, { opType, operands: [weight([2, 3]), positive([2, 3])] }],
    [`${opType} broadcast`, { opType, operands: [weight([2, 3, 4]), positive([4])] }],
    [`${opType} broadcast both`, { opType, operands: [weight([2, 1, 4]), positive([3, 1])] }],
    [`${opType} of a scalar`, { opType, operands: [weight([]), positive([3, 2])] }],
  ]),
  ["Pow of 2", { opType: "Pow", operands: [weight([3, 2]), floats([2])] }],
  ["Pow of 3", { opType: "Pow", operands: [weight([3, 2]), floats([3])] }],
  ["Pow of one half", { opType: "Pow", operands: [positive([3, 2]), floats([0.5])] }],
  ["Pow of a weight", { opType: "Pow", operands: [positive([3, 2]), weight([2])] }],
  ["Sum", { opType: "Sum", operands: [weight([3, 2]), weight([2]), weight([1, 2])] }],
  ["Max", { opType: "Max", operands: [weight([3, 2]), weight([2]), weight([3, 1])] }],
  ["Min", { opType: "Min", operands: [weight([3, 2]), weight([3, 2])] }],
  [
    "Where",
    {
      opType: "Where",
      operands: [{ kind: "bools", shape: [2, 3], values: [1, 0, 1, 0, 0, 1] }, weight([3]), weight([2, 3])],
    },
  ],
  ["Clip", { opType: "Clip", operands: [weight([4, 3]), floats([-0.5]), floats([0.7])] }],
  ["Clip from above", { opType: "Clip", operands: [weight([4, 3]), none, floats([0.2])] }],
  ["Identity", { opType: "Identity", operands: [weight([2, 3])] }],
  ["Cast to float32", { opType: "Cast", operands: [weight([2, 3])], attributes: { to: 1 } }],
  ...[
    "Neg",
    "Abs",
    "Exp",
    "Erf",
    "Tanh",
    "Sigmoid",
    "Relu",
    "LeakyRelu",
    "Softplus",
    "Gelu",
    "Sin",
    "Cos",
  ].map((opType): [string, NodeUnderTest] => [opType, { opType, operands: [weight([3, 5])] }]),
  ...["Sqrt", "Reciprocal", "Log"].map((opType): [string, NodeUnderTest] => [
    opType,
    { opType, operands: [positive([3, 5])] },
  ]),
  ["Gelu with tanh", { opType: "Gelu", operands: [weight([3, 5])], attributes: { approximate: "tanh" } }],
  ["Gelu of the runtime", { opType: "Gelu", operands: [weight([3, 5])], domain: "com.microsoft" }],
  ["PRelu", { opType: "PRelu", operands: [weight([3, 5]), floats([0.2, 0.1, 0.3, 0.4, 0.5], [5])] }],
  ...["Softmax", "LogSoftmax"].flatMap((opType): [string, NodeUnderTest][] => [
    [opType, { opType, operands: [weight([2, 3, 4])], attributes: { axis: -1 } }],
    [`${opType} of a middle axis`, { opType, operands: [weight([2, 3, 4])], attributes: { axis: 1 } }],
  ]),
  [
    "LayerNormalization",
    { opType: "LayerNormalization", operands: [weight([2, 3, 8]), weight([8]), weight([8])] },
  ],
  [
    "LayerNormalization without bias",
    { opType: "LayerNormalization", operands: [weight([3, 8]), weight([8])] },
  ],
  [
    "LayerNormalization over two axes",
    {
      opType: "LayerNormalization",
      operands: [weight([3, 2, 4]), weight([2, 4]), weight([2, 4])],
      attributes: { axis: 1 },
    },
  ],
  ...["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"].flatMap((opType): [string, NodeUnderTest][] => [
    [
      `${opType} of one axis`,
      { opType, operands: [weight([2, 3, 4]), ints([1])], attributes: { keepdims: 0 } },
    ],
    [
      `${opType} of two axes, kept`,
      { opType, operands: [weight([2, 3, 4]), ints([0, -1])], attributes: { keepdims: 1 } },
    ],
    [`${opType} of everything, kept`, { opType, operands: [weight([2, 3])], attributes: { keepdims: 1 } }],
  ]),
  ["Reshape", { opType: "Reshape", operands: [weight([2, 6]), ints([3, -1])] }],
  ["Flatten", { opType: "Flatten", operands: [weight([2, 3, 2])] }],
  ["Transpose", { opType: "Transpose", operands: [weight([2, 3, 4])], attributes: { perm: [1, 2, 0] } }],
  ["Transpose without perm", { opType: "Transpose", operands: [weight([2, 3])] }],
  ["Squeeze", { opType: "Squeeze", operands: [weight([2, 1, 3]), ints([1])] }],
  ["Unsqueeze", { opType: "Unsqueeze", operands: [weight([2, 3]), ints([0, -1])] }],
  ["Expand", { opType: "Expand", operands: [weight([3, 1]), ints([2, 1, 4])] }],
  [
    "Concat",
    {
      opType: "Concat",
      operands: [weight([2, 1, 2]), weight([2, 3, 2]), weight([2, 2, 2])],
      attributes: { axis: -2 },
    },
  ],
  [
    "Split",
    { opType: "Split", operands: [weight([2, 6]), ints([1, 3, 2])], attributes: { axis: 1 }, outputs: 3 },
  ],
  [
    "Split evenly",
    { opType: "Split", operands: [weight([6, 2])], attributes: { num_outputs: 3 }, outputs: 3 },
  ],
  ["Slice", { opType: "Slice", operands: [weight([4, 6]), ints([1, -4]), ints([3, 1000]), ints([0, -1])] }],
  [
    "Slice with steps",
    { opType: "Slice", operands: [weight([5, 6]), ints([0, 5]), ints([5, 0]), ints([0, 1]), ints([2, -2])] },
  ],
  ["Slice of the first axes", { opType: "Slice", operands: [weight([4, 3]), ints([-100]), ints([-1])] }],
  ["Pad", { opType: "Pad", operands: [weight([2, 3]), ints([1, 0, 0, 2])] }],
  ["Gather of a table", { opType: "Gather", operands: [weight([5, 3]), ints([1, 4, 1, -2], [2, 2])] }],
  ["Gather of rank 3", { opType: "Gather", operands: [weight([4, 3, 2]), ints([3, 0, 3])] }],
  [
    "Gather of an inner axis",
    { opType: "Gather", operands: [weight([2, 4, 3]), ints([1, 1, -1], [3])], attributes: { axis: 1 } },
  ],
  [
    "Gather of one element",
    { opType: "Gather", operands: [weight([2, 4, 3]), ints([2], [])], attributes: { axis: 1 } },
  ],
  [
    "GatherElements",
    {
      opType: "GatherElements",
      operands: [weight([3, 3]), ints([0, 2, 1, 1, 0, 0], [2, 3])],
      attributes: { axis: 0 },
    },
  ],
  [
    "Conv",
    {
      opType: "Conv",
      operands: [weight([2, 3, 7]), weight([4, 3, 3]), weight([4])],
      attributes: { pads: [1, 1] },
    },
  ],
  ["Conv without padding or bias", { opType: "Conv", operands: [weight([2, 3, 7]), weight([4, 3, 2])] }],
  [
    "Conv with uneven padding",
    { opType: "Conv", operands: [weight([2, 2, 5]), weight([3, 2, 4])], attributes: { pads: [3, 1] } },
  ],
  [
    "Conv with a stride",
    {
      opType: "Conv",
      operands: [weight([2, 2, 8]), weight([3, 2, 3]), weight([3])],
      attributes: { strides: [2], pads: [1, 0] },
    },
  ],
  [
    "Conv with a dilation",
    {
      opType: "Conv",
      operands: [weight([1, 2, 9]), weight([3, 2, 3])],
      attributes: { dilations: [2], pads: [2, 2] },
    },
  ],
  [
    "Conv in groups",
    {
      opType: "Conv",
      operands: [weight([2, 4, 6]), weight([6, 2, 3]), weight([6])],
      attributes: { group: 2, pads: [1, 1] },
    },
  ],
  [
    "Conv depthwise",
    {
      opType: "Conv",
      operands: [weight([2, 3, 6]), weight([3, 1, 3])],
      attributes: { group: 3, pads: [1, 1] },
    },
  ],
  [
    "Conv with more padding than its kernel reaches",
    { opType: "Conv", operands: [weight([2, 2, 5]), weight([3, 2, 2])], attributes: { pads: [3, 0] } },
  ],
  ["Conv with kernel 1", { opType: "Conv", operands: [weight([2, 3, 4]), weight([2, 3, 1])] }],
  [
    "Conv of the same length",
    {
      opType: "Conv",
      operands: [weight([2, 3, 5]), weight([2, 3, 4])],
      attributes: { auto_pad: "SAME_UPPER" },
    },
  ],
  [
    "LSTM",
    {
      opType: "LSTM",
      operands: [weight([4, 2, 3]), weight([1, 8, 3]), weight([1, 8, 2]), weight([1, 16])],
      attributes: { hidden_size: 2 },
    },
  ],
  [
    "LSTM in reverse",
    {
      opType: "LSTM",
      operands: [weight([4, 2, 3]), weight([1, 8, 3]), weight([1, 8, 2])],
      attributes: { hidden_size: 2, direction: "reverse" },
    },
  ],
  [
    "LSTM in two directions, all outputs",
    {
      opType: "LSTM",
      operands: [weight([4, 2, 3]), weight([2, 8, 3]), weight([2, 8, 2]), weight([2, 16])],
      attributes: { hidden_size: 2, direction: "bidirectional" },
      outputs: 3,
    },
  ],
  [
    "LSTM with initial states",
    {
      opType: "LSTM",
      operands: [
        weight([3, 2, 3]),
        weight([2, 8, 3]),
        weight([2, 8, 2]),
        weight([2, 16]),
        none,
        weight([2, 2, 2]),
        weight([2, 2, 2]),
      ],
      attributes: { hidden_size: 2, direction: "bidirectional" },
      outputs: 3,
    },
  ],
];
