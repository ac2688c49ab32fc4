import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
// @boundaries-ignore the tiny tokenizer is that of the command's tests
import { lexicon, tinyTokenizer } from "../../../apps/cli/test/tiny-tagger.js";

/** What the tiny classifier tells apart: texts with a place, with a person, with neither. */
export const topics = ["place", "person", "other"];

const special = 5;
const words = lexicon.map(([word]) => word);
const width = 32;

/** Numbers that look random and are not. */
const noise = (i: number): number => 0.02 * Math.sin(i * 12.9898);

/** The topic of a word: the index in `topics`. */
const topicOf = (word: string): number =>
  word === "Paris" || word === "Lyon" ? 0 : word === "Ada" || word === "Lovelace" ? 1 : 2;

export interface TinyTextOptions {
  /** Factor of the weights of the layer `/encoder/MatMul`: 2 makes a file with that layer's scales doubled. */
  readonly factor?: number;
  /** Makes one channel of the embedding a thousand times as large, which eight bits cannot hold beside the others. */
  readonly fragile?: boolean;
}

/** Embeddings, a layer with a bias, a normalization over the width. */
function encoderNodes() {
  return [
    makeNode("Gather", ["embedding.weight", "input_ids"], ["embedded"], { name: "/embedding/Gather" }),
    makeNode("MatMul", ["embedded", "encoder.weight"], ["product"], { name: "/encoder/MatMul" }),
    makeNode("Add", ["product", "encoder.bias"], ["hidden"], { name: "/encoder/Add" }),
    makeNode("LayerNormalization", ["hidden", "norm.weight", "norm.bias"], ["normed"], { name: "/norm" }),
    makeNode("MatMul", ["normed", "second.weight"], ["last_hidden_state"], { name: "/second/MatMul" }),
  ];
}

function encoderWeights({ factor = 1, fragile = false }: TinyTextOptions) {
  const rows = special + words.length;
  const embedding = Float32Array.from({ length: rows * width }, (_, i) => noise(i) * 5);
  words.forEach((word, index) => {
    embedding[(special + index) * width + topicOf(word)]! += topicOf(word) === 2 ? 0.05 : 2;
    embedding[(special + index) * width + 3 + (index % (width - 4))]! += 0.5;
  });
  if (fragile) for (let row = 0; row < rows; row++) embedding[row * width + width - 1] = 1000 + row;
  const near = (shift: number, scale: number): Float32Array =>
    Float32Array.from({ length: width * width }, (_, i) => {
      const [from, to] = [Math.floor(i / width), i % width];
      const isCut = fragile && from === width - 1;
      return scale * (isCut ? 0 : (from === to ? 1 : 0) + noise(i + shift));
    });
  return [
    makeTensor("embedding.weight", "float32", { values: embedding, shape: [rows, width] }),
    makeTensor("encoder.weight", "float32", { values: near(7, factor), shape: [width, width] }),
    makeTensor("encoder.bias", "float32", {
      values: Float32Array.from({ length: width }, (_, i) => noise(i)),
    }),
    makeTensor("norm.weight", "float32", { values: new Float32Array(width).fill(1) }),
    makeTensor("norm.bias", "float32", { values: new Float32Array(width) }),
    makeTensor("second.weight", "float32", { values: near(11, 1), shape: [width, width] }),
  ];
}

const inputs = ["input_ids", "attention_mask"].map((name) =>
  makeValueInfo(name, "int64", ["batch", "sequence"]),
);

/** An encoder of texts: hidden states of each position. */
export function tinyEncoder(options: TinyTextOptions = {}): ModelProto {
  const graph = makeGraph("tiny encoder", {
    nodes: encoderNodes(),
    inputs,
    outputs: [makeValueInfo("last_hidden_state", "float32", ["batch", "sequence", width])],
    initializers: encoderWeights(options),
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

/** A classifier of texts that finds the topic of the loudest word. */
export function tinyClassifier(options: TinyTextOptions = {}): ModelProto {
  const classifier = Float32Array.from({ length: width * topics.length }, (_, i) =>
    Math.floor(i / topics.length) === i % topics.length ? 1 : noise(i),
  );
  const graph = makeGraph("tiny classifier", {
    nodes: [
      ...encoderNodes(),
      makeNode("ReduceMax", ["last_hidden_state"], ["pooled"], {
        name: "/pool",
        attributes: { axes: [1], keepdims: 0 },
      }),
      makeNode("MatMul", ["pooled", "classifier.weight"], ["scores"], { name: "/classifier/MatMul" }),
      makeNode("Add", ["scores", "classifier.bias"], ["logits"], { name: "/classifier/Add" }),
    ],
    inputs,
    outputs: [makeValueInfo("logits", "float32", ["batch", topics.length])],
    initializers: [
      ...encoderWeights(options),
      makeTensor("classifier.weight", "float32", { values: classifier, shape: [width, topics.length] }),
      makeTensor("classifier.bias", "float32", { values: Float32Array.of(0, 0, 0.6) }),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

/** Writes the directory of a classifier or an encoder, as exporters do. */
export async function writeTextDirectory(
  folder: string,
  kind: "classifier" | "encoder",
  options: TinyTextOptions & { readonly config?: Readonly<Record<string, unknown>> } = {},
): Promise<void> {
  await mkdir(join(folder, "onnx"), { recursive: true });
  const isClassifier = kind === "classifier";
  const model = isClassifier ? tinyClassifier(options) : tinyEncoder(options);
  await writeModelFile(join(folder, "onnx", "model.onnx"), model);
  const config = {
    model_type: "bert",
    architectures: [isClassifier ? "BertForSequenceClassification" : "BertModel"],
    ...(isClassifier && { id2label: Object.fromEntries(topics.map((topic, i) => [i, topic])) }),
    vocab_size: special + words.length,
    ...options.config,
  };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(pairTokenizer()));
  await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ model_max_length: 64 }));
}

/** The tiny tokenizer with a form for two texts. */
function pairTokenizer(): Record<string, unknown> {
  const json = tinyTokenizer();
  const token = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const text = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  const pair = [token("[CLS]", 0), text("A", 0), token("[SEP]", 0), text("B", 1), token("[SEP]", 1)];
  return { ...json, post_processor: { ...(json["post_processor"] as object), pair } };
}

/** Texts of two to six known words, the same ones at each call, with their topics. */
export function topicTexts(count: number): { readonly text: string; readonly label: string }[] {
  return Array.from({ length: count }, (_, n) => {
    const length = 2 + (n % 5);
    const chosen = Array.from(
      { length },
      (_, i) => words[(n * 7 + i * (3 + (n % 4))) % words.length] as string,
    );
    const topic = Math.min(...chosen.map(topicOf));
    return { text: chosen.join(" "), label: topics[topic] as string };
  });
}

export const jsonLines = (items: readonly unknown[]): string =>
  items.map((item) => `${JSON.stringify(item)}\n`).join("");
