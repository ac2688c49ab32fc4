import { tensor, type Tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import { seededRandom } from "../../src/index.js";

export const width = 16;
const labels = 5;
const words = 20;

/** logits [B, T, 5] = gelu(dropout(E[ids])·A)·B for ids and an attention_mask [B, T]. */
export function smallTagger(): ModelProto {
  const random = seededRandom(3);
  const weight = (name: string, shape: readonly number[], deviation = 0.5) =>
    makeTensor(name, "float32", {
      shape,
      values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * deviation),
    });
  const graph = makeGraph("tagger", {
    nodes: [
      makeNode("Gather", ["E", "ids"], ["rows"], { name: "embed" }),
      makeNode("Dropout", ["rows", "ratio"], ["dropped"], { name: "drop" }),
      makeNode("MatMul", ["dropped", "A"], ["a"], { name: "first" }),
      makeNode("Gelu", ["a"], ["g"]),
      makeNode("Add", ["g", "dropped"], ["sum"]),
      makeNode("MatMul", ["sum", "B"], ["product"], { name: "second" }),
      makeNode("Add", ["product", "bias"], ["logits"]),
      // The mask must be an input that something reads.
      makeNode("Cast", ["attention_mask"], ["m"], { attributes: { to: 1 } }),
      makeNode("ReduceSum", ["m"], ["unused"], { attributes: { keepdims: 0 } }),
    ],
    inputs: [
      makeValueInfo("ids", "int64", ["batch", "length"]),
      makeValueInfo("attention_mask", "int64", ["batch", "length"]),
    ],
    outputs: [makeValueInfo("logits", "float32", ["batch", "length", labels])],
    initializers: [
      weight("E", [words, width]),
      weight("A", [width, width]),
      weight("B", [width, labels]),
      weight("bias", [labels]),
      makeTensor("ratio", "float32", { values: [0], shape: [] }),
    ],
  });
  return makeModel(graph, { opsets: { "": 20 } });
}

export const loss = { kind: "cross-entropy", logits: "logits", labels: "labels" } as const;

/** Rows of ids, 0 being padding; the label of a word is its id modulo 5. */
export function batchOf(rows: readonly (readonly number[])[]): Record<string, Tensor> {
  const length = Math.max(...rows.map((row) => row.length));
  const shape = [rows.length, length];
  const flat = rows.flatMap((row) => Array.from({ length }, (_, i) => row[i] ?? 0));
  const ints = (values: readonly number[]): Tensor =>
    tensor("int64", shape, BigInt64Array.from(values, BigInt));
  return {
    ids: ints(flat),
    attention_mask: ints(flat.map((id) => (id === 0 ? 0 : 1))),
    labels: ints(flat.map((id) => (id === 0 ? -100 : id % labels))),
  };
}

export const batches = [
  batchOf([
    [1, 2, 3],
    [4, 5],
  ]),
  batchOf([[6, 7, 8, 9]]),
  batchOf([[10, 11], [12, 13], [14]]),
  batchOf([
    [15, 16, 17],
    [18, 19, 1],
  ]),
];
