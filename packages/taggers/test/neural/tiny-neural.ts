import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import type { FeatureSettings } from "../../src/index.js";
import { affixCount, firstCharacter } from "../../src/neural/features/feature-settings.js";

export const tinyFeatures: FeatureSettings = {
  vocabulary: ["a", "like", "time"],
  prefixes: [1, 2],
  suffixes: [2],
  affixRows: 12,
  shapeRows: 31,
  characters: "aeiklmtT",
  longestWord: 8,
};

export const tinySentences = [
  ["Time", "flies", "like", "an", "arrow", "."],
  ["I", "like", "it"],
  ["No"],
  [],
  ["a", "time", "like", "Timetables", "like"],
];

export interface TinyNeural {
  /**
   * `lengths`: a two-way LSTM, one sentence a row; `mask`: a convolution over three words, sentences one after the
   * other.
   */
  readonly places: "lengths" | "mask";
  readonly features?: FeatureSettings;
  readonly labels?: number;
  readonly chain?: boolean;
  /** More heads, with how many labels each has. */
  readonly auxiliary?: Readonly<Record<string, number>>;
  readonly seed?: number;
}

const width = 4;

/** A model with the inputs and outputs of a neural tagger and random weights, as small as can be. */
export function tinyNeural({
  places,
  features = tinyFeatures,
  labels = 3,
  chain = false,
  auxiliary = {},
  seed = 1,
}: TinyNeural): ModelProto {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const weight = (name: string, ...shape: number[]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return makeTensor(name, "float32", { values: Float32Array.from({ length: count }, uniform), shape });
  };
  const rows = firstCharacter + features.characters.length;
  // Row 0 stands behind the end of a word: it adds nothing.
  const characters = Float32Array.from({ length: rows * width }, (_, i) => (i < width ? 0 : uniform()));
  const heads = { logits: labels, ...prefixed(auxiliary) };
  const context =
    places === "lengths"
      ? [
          makeNode("Transpose", ["placed"], ["steps"], { attributes: { perm: [1, 0, 2] } }),
          makeNode("LSTM", ["steps", "W", "R", "B", "lengths"], ["states"], {
            attributes: { hidden_size: width / 2, direction: "bidirectional" },
          }),
          makeNode("Transpose", ["states"], ["rows"], { attributes: { perm: [2, 0, 1, 3] } }),
          makeNode("Reshape", ["rows", "joined"], ["context"]),
        ]
      : [
          makeNode("Unsqueeze", ["mask", "axis2"], ["wide"]),
          makeNode("Mul", ["placed", "wide"], ["real"]),
          makeNode("Transpose", ["real"], ["channels"], { attributes: { perm: [0, 2, 1] } }),
          makeNode("Conv", ["channels", "filter"], ["seen"], {
            attributes: { kernel_shape: [3], pads: [1, 1] },
          }),
          makeNode("Transpose", ["seen"], ["context"], { attributes: { perm: [0, 2, 1] } }),
        ];
  const nodes = [
    makeNode("Gather", ["words", "word_ids"], ["word"]),
    makeNode("Gather", ["affixes", "affix_ids"], ["affixRows"]),
    makeNode("ReduceSum", ["affixRows", "axis1"], ["affix"], { attributes: { keepdims: 0 } }),
    makeNode("Gather", ["shapes", "shape_ids"], ["shape"]),
    makeNode("Gather", ["characters", "character_ids"], ["characterRows"]),
    makeNode("ReduceSum", ["characterRows", "axis1"], ["character"], { attributes: { keepdims: 0 } }),
    makeNode("Sum", ["word", "affix", "shape", "character"], ["embeddings"]),
    makeNode("Gather", ["embeddings", "word_index"], ["placed"]),
    ...context,
    makeNode("Dropout", ["context", "ratio"], ["dropped"]),
    ...Object.keys(heads).map((name) => makeNode("MatMul", ["dropped", `head.${name}`], [name])),
    ...(chain
      ? ["transitions", "start", "end"].map((name) => makeNode("Identity", [`chain.${name}`], [name]))
      : []),
  ];
  const graph = makeGraph("tiny", {
    nodes,
    inputs: [
      makeValueInfo("word_ids", "int32", ["words"]),
      makeValueInfo("affix_ids", "int32", ["words", affixCount(features)]),
      makeValueInfo("shape_ids", "int32", ["words"]),
      makeValueInfo("character_ids", "int32", ["words", "characters"]),
      makeValueInfo("word_index", "int32", ["batch", "length"]),
      places === "lengths"
        ? makeValueInfo("lengths", "int32", ["batch"])
        : makeValueInfo("mask", "float32", ["batch", "length"]),
    ],
    outputs: [
      ...Object.entries(heads).map(([name, count]) =>
        makeValueInfo(name, "float32", ["batch", "length", count]),
      ),
      ...(chain
        ? [
            makeValueInfo("transitions", "float32", [labels, labels]),
            makeValueInfo("start", "float32", [labels]),
            makeValueInfo("end", "float32", [labels]),
          ]
        : []),
    ],
    initializers: [
      weight("words", features.vocabulary.length + 1, width),
      weight("affixes", features.affixRows, width),
      weight("shapes", features.shapeRows, width),
      makeTensor("characters", "float32", { values: characters, shape: [rows, width] }),
      ...(places === "lengths"
        ? [
            weight("W", 2, 2 * width, width),
            weight("R", 2, 2 * width, width / 2),
            weight("B", 2, 4 * width),
            makeTensor("joined", "int64", { values: [0, 0, width] }),
          ]
        : [weight("filter", width, width, 3), makeTensor("axis2", "int64", { values: [2] })]),
      makeTensor("axis1", "int64", { values: [1] }),
      makeTensor("ratio", "float32", { values: [0.2], shape: [] }),
      ...Object.entries(heads).map(([name, count]) => weight(`head.${name}`, width, count)),
      ...(chain
        ? [
            weight("chain.transitions", labels, labels),
            weight("chain.start", labels),
            weight("chain.end", labels),
          ]
        : []),
    ],
  });
  return makeModel(graph, { opsets: { "": 21 }, irVersion: 10 });
}

const prefixed = (auxiliary: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(auxiliary).map(([head, count]) => [`logits_${head}`, count]));
