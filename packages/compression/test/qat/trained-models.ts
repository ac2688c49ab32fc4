import { tensor, type Tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import {
  fakeQuantization,
  type FakeQuantizationOptions,
  onnxEngine,
  type QuantizationRecord,
} from "@nasty/training";
import { matrix } from "../tiny-models.js";

const width = 16;
const labels = 5;
const words = 24;

const inputs = [
  makeValueInfo("ids", "int64", ["batch", "length"]),
  makeValueInfo("attention_mask", "int64", ["batch", "length"]),
];
const outputs = [makeValueInfo("logits", "float32", ["batch", "length", labels])];
const ints = (name: string, values: readonly number[]) => makeTensor(name, "int64", { values });
const float = (name: string, value: number) => makeTensor(name, "float32", { values: [value], shape: [] });

/** One layer of attention and one feed-forward layer, with Dropout nodes, padding masked by −10000. */
export function transformer(): ModelProto {
  const op = makeNode;
  return makeModel(
    makeGraph("transformer", {
      nodes: [
        op("Gather", ["E", "ids"], ["rows"], { name: "embed" }),
        op("Dropout", ["rows", "ratio"], ["x"], { name: "drop" }),
        ...["q", "k", "v"].map((part) => op("MatMul", ["x", `W${part}`], [part], { name: part })),
        op("Transpose", ["k"], ["kt"], { attributes: { perm: [0, 2, 1] } }),
        op("MatMul", ["q", "kt"], ["scores"]),
        op("Cast", ["attention_mask"], ["real"], { attributes: { to: 1 } }),
        op("Sub", ["real", "one"], ["hidden"]),
        op("Mul", ["hidden", "large"], ["added"]),
        op("Unsqueeze", ["added", "axis1"], ["mask"]),
        op("Add", ["scores", "mask"], ["masked"]),
        op("Softmax", ["masked"], ["shares"], { attributes: { axis: -1 } }),
        op("MatMul", ["shares", "v"], ["context"]),
        op("MatMul", ["context", "Wo"], ["attended"], { name: "out" }),
        op("Add", ["attended", "x"], ["y"]),
        op("MatMul", ["y", "W1"], ["wide"], { name: "up" }),
        op("Gelu", ["wide"], ["active"]),
        op("MatMul", ["active", "W2"], ["narrow"], { name: "down" }),
        op("Add", ["narrow", "y"], ["z"]),
        op("Dropout", ["z", "ratio"], ["dropped"], { name: "last" }),
        op("MatMul", ["dropped", "Wc"], ["product"], { name: "classifier" }),
        op("Add", ["product", "bias"], ["logits"]),
      ],
      inputs,
      outputs,
      initializers: [
        matrix("E", [words, width], 1),
        ...["q", "k", "v", "o"].map((part, i) => matrix(`W${part}`, [width, width], i + 2, 0.3)),
        matrix("W1", [width, 2 * width], 6, 0.3),
        matrix("W2", [2 * width, width], 7, 0.3),
        matrix("Wc", [width, labels], 8),
        matrix("bias", [labels], 9),
        float("ratio", 0.1),
        float("one", 1),
        float("large", 10_000),
        ints("axis1", [1]),
      ],
    }),
    { opsets: { "": 20 } },
  );
}

/** A two-way LSTM between an embedding and a linear layer. */
export function recurrent(): ModelProto {
  const hidden = 8;
  return makeModel(
    makeGraph("recurrent", {
      nodes: [
        makeNode("Gather", ["E", "ids"], ["rows"], { name: "embed" }),
        makeNode("Dropout", ["rows", "ratio"], ["dropped"], { name: "drop" }),
        makeNode("Transpose", ["dropped"], ["turned"], { attributes: { perm: [1, 0, 2] } }),
        makeNode("LSTM", ["turned", "W", "R", "B"], ["both"], {
          name: "lstm",
          attributes: { hidden_size: hidden, direction: "bidirectional" },
        }),
        makeNode("Transpose", ["both"], ["beside"], { attributes: { perm: [2, 0, 1, 3] } }),
        makeNode("Reshape", ["beside", "shape"], ["joined"]),
        makeNode("MatMul", ["joined", "Wc"], ["product"], { name: "classifier" }),
        makeNode("Add", ["product", "bias"], ["logits"]),
      ],
      inputs,
      outputs,
      initializers: [
        matrix("E", [words, width], 1),
        matrix("W", [2, 4 * hidden, width], 2),
        matrix("R", [2, 4 * hidden, hidden], 3),
        matrix("B", [2, 8 * hidden], 4),
        matrix("Wc", [2 * hidden, labels], 5),
        matrix("bias", [labels], 6),
        float("ratio", 0.1),
        ints("shape", [0, 0, 2 * hidden]),
      ],
    }),
    { opsets: { "": 20 } },
  );
}

/** The embedding of the words that a word is like, by a table that products read too: transposed, and as it is. */
export function tied(): ModelProto {
  return makeModel(
    makeGraph("tied", {
      nodes: [
        makeNode("Gather", ["E", "ids"], ["rows"], { name: "embed" }),
        makeNode("Transpose", ["E"], ["Et"], { attributes: { perm: [1, 0] } }),
        makeNode("MatMul", ["rows", "Et"], ["likeness"], { name: "likeness" }),
        makeNode("MatMul", ["likeness", "F"], ["mixed"], { name: "mix" }),
        makeNode("Gather", ["F", "ids"], ["others"], { name: "other" }),
        makeNode("Add", ["mixed", "others"], ["sum"]),
        makeNode("MatMul", ["sum", "Wc"], ["product"], { name: "classifier" }),
        makeNode("Add", ["product", "bias"], ["logits"]),
      ],
      inputs,
      outputs,
      initializers: [
        matrix("E", [words, width], 1),
        matrix("F", [words, width], 2, 0.2),
        matrix("Wc", [width, labels], 5),
        matrix("bias", [labels], 6),
      ],
    }),
    { opsets: { "": 20 } },
  );
}

/** Rows of ids; 0 is padding. The label of a word is its id modulo 5. */
export function batchOf(rows: readonly (readonly number[])[]) {
  const length = Math.max(...rows.map((row) => row.length));
  const flat = rows.flatMap((row) => Array.from({ length }, (_, i) => row[i] ?? 0));
  const shape = [rows.length, length];
  const make = (values: readonly number[]): Tensor<"int64"> =>
    tensor("int64", shape, BigInt64Array.from(values, BigInt));
  const mask = make(flat.map((id) => Math.min(1, id)));
  const feeds = { ids: make(flat), attention_mask: mask };
  return { feeds, mask, labels: make(flat.map((id) => (id === 0 ? -100 : id % labels))) };
}

export const batches = [
  batchOf([
    [1, 2, 3, 4],
    [5, 6],
  ]),
  batchOf([[7, 8, 9], [10, 11, 12], [13]]),
  batchOf([
    [14, 15, 16, 17, 18],
    [19, 20, 21],
  ]),
  batchOf([
    [22, 23, 1],
    [3, 9, 15],
  ]),
];

/** Some steps of training with fake quantization. */
export async function train(
  model: ModelProto,
  options: FakeQuantizationOptions,
  { steps = 12, learningRate = 0.01 }: { readonly steps?: number; readonly learningRate?: number } = {},
): Promise<{ readonly model: ModelProto; readonly record: QuantizationRecord }> {
  const qat = fakeQuantization({ startStep: 2, freezeStep: 8, ...options });
  const trainable = (model.graph?.initializer ?? [])
    .filter(({ dataType, dims }) => dataType === 1 && dims.length > 0)
    .map(({ name }) => name);
  const trainer = await onnxEngine.load(model, {
    loss: { kind: "cross-entropy", logits: "logits", labels: "labels" },
    trainable: [...trainable, ...qat.trained],
    optimizer: { kind: "adam", learningRate },
    modifiers: [qat],
  });
  for (let step = 0; step < steps; step++) {
    const { feeds, labels: target } = batches[step % batches.length] as (typeof batches)[number];
    await trainer.step({ ...feeds, labels: target });
  }
  const trained = trainer.model();
  await trainer.close();
  return { model: trained, record: qat.record(trained) };
}
