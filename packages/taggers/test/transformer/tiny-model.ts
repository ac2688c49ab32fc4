import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";

export interface TinyModelOptions {
  readonly vocabulary: number;
  readonly labels: number;
  /** Rows of the position table; longer inputs fail, as in a real model. */
  readonly positions?: number;
  readonly inputs?: readonly ("input_ids" | "attention_mask" | "token_type_ids" | "position_ids")[];
  readonly dtype?: "int64" | "int32";
  readonly shape?: readonly (number | string)[];
  /** Number added to every score; NaN makes a broken model. */
  readonly bias?: number;
}

/**
 * A token classifier in miniature, with the inputs of BERT: the score of label `l` at a position is
 * `[id mod labels = l] + ¼·(mean of that over the real positions) + position table + type table`.
 * The mean makes results depend on padding if padding is not masked; the type table adds 3 to label 0 for type 1.
 */
export function tinyModel({
  vocabulary,
  labels,
  positions = 32,
  inputs = ["input_ids", "attention_mask", "token_type_ids"],
  dtype = "int64",
  shape = ["batch", "sequence"],
  bias = 0,
}: TinyModelOptions): ModelProto {
  const embedding = Array.from({ length: vocabulary * labels }, (_, i) =>
    Math.floor(i / labels) % labels === i % labels ? 1 : 0,
  );
  const types = Array.from({ length: 2 * labels }, (_, i) => (i === labels ? 3 : 0));
  const has = (name: (typeof inputs)[number]): boolean => inputs.includes(name);
  const nodes = [
    makeNode("Gather", ["E", "input_ids"], ["words"]),
    ...(has("attention_mask")
      ? [makeNode("Cast", ["attention_mask"], ["real"], { attributes: { to: 1 } })]
      : [
          makeNode("Cast", ["input_ids"], ["idsFloat"], { attributes: { to: 1 } }),
          makeNode("Mul", ["idsFloat", "zero"], ["zeros"]),
          makeNode("Add", ["zeros", "one"], ["real"]),
        ]),
    makeNode("Unsqueeze", ["real", "axis2"], ["real3"]),
    makeNode("Mul", ["words", "real3"], ["realWords"]),
    makeNode("ReduceSum", ["realWords", "axis1"], ["sum"]),
    makeNode("ReduceSum", ["real3", "axis1"], ["count"]),
    makeNode("Div", ["sum", "count"], ["mean"]),
    makeNode("Mul", ["mean", "quarter"], ["context"]),
    makeNode("Add", ["words", "context"], ["contextual"]),
    ...(has("position_ids")
      ? [makeNode("Gather", ["P", "position_ids"], ["placed"])]
      : [
          makeNode("Shape", ["input_ids"], ["shape"]),
          makeNode("Gather", ["shape", "index1"], ["length"]),
          makeNode("Range", ["start", "length", "step"], ["range"]),
          makeNode("Gather", ["P", "range"], ["placed"]),
        ]),
    makeNode("Add", ["contextual", "placed"], ["withPositions"]),
    ...(has("token_type_ids")
      ? [
          makeNode("Gather", ["T", "token_type_ids"], ["typed"]),
          makeNode("Add", ["withPositions", "typed"], ["scores"]),
        ]
      : [makeNode("Identity", ["withPositions"], ["scores"])]),
    makeNode("Add", ["scores", "bias"], ["logits"]),
  ];
  const graph = makeGraph("tiny", {
    nodes,
    inputs: inputs.map((name) => makeValueInfo(name, dtype, shape)),
    outputs: [makeValueInfo("logits", "float32", [...shape, labels])],
    initializers: [
      makeTensor("E", "float32", { values: embedding, shape: [vocabulary, labels] }),
      makeTensor("P", "float32", {
        values: new Float32Array(positions * labels),
        shape: [positions, labels],
      }),
      makeTensor("T", "float32", { values: types, shape: [2, labels] }),
      makeTensor("bias", "float32", { values: [bias], shape: [] }),
      makeTensor("quarter", "float32", { values: [0.25], shape: [] }),
      makeTensor("zero", "float32", { values: [0], shape: [] }),
      makeTensor("one", "float32", { values: [1], shape: [] }),
      makeTensor("axis1", "int64", { values: [1] }),
      makeTensor("axis2", "int64", { values: [2] }),
      makeTensor("index1", "int64", { values: [1], shape: [] }),
      makeTensor("start", "int64", { values: [0], shape: [] }),
      makeTensor("step", "int64", { values: [1], shape: [] }),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}
