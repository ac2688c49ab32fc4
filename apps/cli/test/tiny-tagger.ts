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

/** Words that the tiny models know, with their part of speech and entity label. */
export const lexicon: readonly (readonly [word: string, upos: string, entity: string])[] = [
  ["The", "DET", "O"],
  ["a", "DET", "O"],
  ["cat", "NOUN", "O"],
  ["dog", "NOUN", "O"],
  ["house", "NOUN", "O"],
  ["sat", "VERB", "O"],
  ["ran", "VERB", "O"],
  ["slept", "VERB", "O"],
  ["on", "ADP", "O"],
  ["in", "ADP", "O"],
  ["big", "ADJ", "O"],
  ["red", "ADJ", "O"],
  ["quickly", "ADV", "O"],
  ["and", "CCONJ", "O"],
  ["Paris", "PROPN", "B-LOC"],
  ["Lyon", "PROPN", "B-LOC"],
  ["Ada", "PROPN", "B-PER"],
  ["Lovelace", "PROPN", "I-PER"],
  ["Acme", "PROPN", "B-ORG"],
  ["two", "NUM", "O"],
  ["three", "NUM", "O"],
  ["it", "PRON", "O"],
  ["she", "PRON", "O"],
  ["was", "AUX", "O"],
  ["oh", "INTJ", "O"],
  ["because", "SCONJ", "O"],
  [".", "PUNCT", "O"],
  [",", "PUNCT", "O"],
  ["%", "SYM", "O"],
  ["loud", "X", "O"],
];

const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const tokens = [...special, ...lexicon.map(([word]) => word)];

export const posLabels = [...new Set(lexicon.map(([, upos]) => upos))];
export const nerLabels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"];

export interface TinyOptions {
  readonly task?: "pos" | "ner";
  /**
   * Makes the embedding table useless when it is quantized: its unknown word is ten thousand times as large as the
   * rest.
   */
  readonly fragile?: boolean;
  /**
   * Makes padding, which a float model does not see, ten thousand times as large as words: ranges of activations that
   * hold it say nothing.
   */
  readonly loudPadding?: boolean;
  /**
   * Plants an outlier channel that means nothing in the input of the encoder, a thousand times as large as the others.
   */
  readonly outlier?: boolean;
  /** Puts a NaN into the classifier. */
  readonly nan?: boolean;
  /** Names of the labels, in the order of the usual ones; those behind them are never predicted. */
  readonly labels?: readonly string[];
  /** Rows of the embedding table, some of which no word has. Default: one for each word. */
  readonly rows?: number;
  /** Subwords of every row, padding included. Default: as many as the batch's longest sentence has. */
  readonly length?: number;
}

/**
 * Columns of the embedding: more than there are labels, and than there are words, so that its scales lie along columns.
 */
const width = 64;

/** Numbers that look random and are not. */
const noise = (i: number): number => 0.02 * Math.sin(i * 12.9898);

/**
 * A token classifier that is right for every word of the lexicon: Gather, MatMul with almost the identity, Relu,
 * MatMul, Add. The word "loud" is ten times as large as the others, so that ranges of activations depend on the
 * calibration text and method.
 */
export function tinyModel({
  task = "pos",
  fragile = false,
  loudPadding = false,
  outlier = false,
  nan = false,
  rows = tokens.length,
  labels: names,
  length,
}: TinyOptions = {}): ModelProto {
  const usual = task === "pos" ? posLabels : nerLabels;
  const labels = names ?? usual;
  const embedding = Float32Array.from({ length: rows * width }, (_, i) => noise(i));
  lexicon.forEach(([word, upos, entity], index) => {
    const label = usual.indexOf(task === "pos" ? upos : entity);
    embedding[(index + special.length) * width + label] = word === "loud" ? 10 : 1;
  });
  if (fragile) embedding.fill(1e4, width, 2 * width);
  if (loudPadding) embedding.fill(1e4, 0, width);
  const identity = (columns: number): Float32Array =>
    Float32Array.from(
      { length: width * columns },
      (_, i) => (Math.floor(i / columns) === i % columns ? 1 : 0) + noise(i + 7),
    );
  const encoder = identity(width);
  if (outlier) {
    const channel = width - 2;
    for (let token = 0; token < tokens.length; token++) embedding[token * width + channel] = 1000;
    encoder.fill(0, channel * width, (channel + 1) * width);
  }
  const classifier = identity(labels.length);
  if (nan) classifier[3] = Number.NaN;
  const positions = ["batch", length ?? "sequence"];
  const graph = makeGraph("tiny", {
    nodes: [
      makeNode("Gather", ["embedding.weight", "input_ids"], ["words"], { name: "/embedding/Gather" }),
      makeNode("MatMul", ["words", "encoder.weight"], ["hidden"], { name: "/encoder/MatMul" }),
      makeNode("Relu", ["hidden"], ["positive"], { name: "/encoder/Relu" }),
      makeNode("MatMul", ["positive", "classifier.weight"], ["scores"], { name: "/classifier/MatMul" }),
      makeNode("Add", ["scores", "classifier.bias"], ["logits"], { name: "/classifier/Add" }),
    ],
    inputs: ["input_ids", "attention_mask"].map((name) => makeValueInfo(name, "int64", positions)),
    outputs: [makeValueInfo("logits", "float32", [...positions, labels.length])],
    initializers: [
      makeTensor("embedding.weight", "float32", { values: embedding, shape: [rows, width] }),
      makeTensor("encoder.weight", "float32", { values: encoder, shape: [width, width] }),
      makeTensor("classifier.weight", "float32", { values: classifier, shape: [width, labels.length] }),
      makeTensor("classifier.bias", "float32", {
        values: Float32Array.from(labels, (_, i) => (i < usual.length ? 0 : -50)),
      }),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

/** `tokenizer.json` of whole words; `extra` words get ids beyond the model's table. */
export function tinyTokenizer(extra: readonly string[] = []): Record<string, unknown> {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: false,
      lowercase: false,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
        "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
      },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries([...tokens, ...extra].map((token, id) => [token, id])),
    },
  };
}

/** Writes a Hugging Face directory of {@link tinyModel}. */
export async function writeTinyDirectory(path: string, options: TinyOptions = {}): Promise<string> {
  const labels = options.labels ?? (options.task === "ner" ? nerLabels : posLabels);
  await mkdir(join(path, "onnx"), { recursive: true });
  const config = { model_type: "bert", id2label: { ...labels }, vocab_size: tokens.length };
  await writeFile(join(path, "config.json"), JSON.stringify({ ...config, max_position_embeddings: 64 }));
  await writeFile(join(path, "tokenizer.json"), JSON.stringify(tinyTokenizer()));
  await writeFile(join(path, "tokenizer_config.json"), JSON.stringify({ pad_token: "[PAD]" }));
  await writeModelFile(join(path, "onnx", "model.onnx"), tinyModel(options));
  return path;
}
