import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import type { SequenceSettings } from "../../src/index.js";

export const words = ["<PAD>", "<UNK>", "the", "cat", "sat", "Ada"];
export const labels = ["DET", "NOUN", "VERB", "X"];

export const settings: SequenceSettings = {
  kind: "sequence",
  task: "pos",
  labels,
  words,
  lowercase: false,
  unknownId: 1,
  paddingId: 0,
  padding: "never",
  probabilities: false,
};

export interface TinySequence {
  /** Scores of each id, a row of the table. */
  readonly table: readonly (readonly number[])[];
  /** What the scores of the word before, of the word after and of the whole row add. */
  readonly before?: number;
  readonly after?: number;
  readonly length?: number;
  readonly dtype?: "int32" | "int64";
}

/**
 * Scores looked up by id: one of "the" for DET, "cat" and "Ada" for NOUN, "sat" for VERB, unknown words and padding for
 * X.
 */
export const table = [
  [0, 0, 0, 3],
  [0, 0, 0, 1],
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 1, 0, 0],
];

/**
 * A model that looks scores up and adds those of its neighbours, so that what stands beside a row can be seen in its
 * labels.
 */
export function tinySequence({
  table: rows,
  before = 0,
  after = 0,
  length,
  dtype = "int32",
}: TinySequence): ModelProto {
  const width = (rows[0] as readonly number[]).length;
  const shape = ["batch", length ?? "length"];
  const ints = (name: string, ...values: number[]) => makeTensor(name, "int64", { values });
  const nodes = [
    makeNode("Gather", ["table", "ids"], ["own"], { name: "table/Gather" }),
    makeNode("Pad", ["own", "pads"], ["wide"]),
    makeNode("Slice", ["wide", "zero", "minus2", "one"], ["previous"]),
    makeNode("Slice", ["wide", "two", "many", "one"], ["following"]),
    makeNode("Mul", ["previous", "before"], ["left"]),
    makeNode("Mul", ["following", "after"], ["right"]),
    makeNode("Sum", ["own", "left", "right"], ["scores"]),
  ];
  const graph = makeGraph("tiny", {
    nodes,
    inputs: [makeValueInfo("ids", dtype, shape)],
    outputs: [makeValueInfo("scores", "float32", [...shape, width])],
    initializers: [
      makeTensor("table", "float32", { values: rows.flat(), shape: [rows.length, width] }),
      makeTensor("before", "float32", { values: [before], shape: [] }),
      makeTensor("after", "float32", { values: [after], shape: [] }),
      ints("pads", 0, 1, 0, 0, 1, 0),
      ints("zero", 0),
      ints("one", 1),
      ints("two", 2),
      ints("minus2", -2),
      ints("many", 2 ** 31 - 1),
    ],
  });
  return makeModel(graph);
}
