import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelChunks } from "@nasty/formats/onnx";
import { safetensorsChunks } from "@nasty/formats/safetensors";
import type { LabelledSentence } from "@nasty/taggers";
import { buildEncoder } from "@nasty/taggers/encoders";
import { specialPieces } from "../../src/subwords/train-vocabulary.js";
import { wordPieceTokenizer } from "../../src/subwords/word-piece-tokenizer.js";
import { type ModelType, tinyCheckpoint } from "../encoders/tiny-checkpoint.js";

const nouns = ["dog", "cat", "tree"];
const verbs = ["runs", "sees", "##ing"];
const words = [...nouns, ...verbs, "the", "a", "Anna", "Rome"];

/** Sentences of a language in which a word's label is its own, but for "doging", whose first piece decides. */
export const toySentences: readonly LabelledSentence[] = [
  { words: ["the", "dog", "runs"], labels: ["DET", "NOUN", "VERB"] },
  { words: ["a", "cat", "sees", "the", "tree"], labels: ["DET", "NOUN", "VERB", "DET", "NOUN"] },
  { words: ["the", "tree", "sees"], labels: ["DET", "NOUN", "VERB"] },
  { words: ["a", "dog", "sees", "a", "cat"], labels: ["DET", "NOUN", "VERB", "DET", "NOUN"] },
  { words: ["dogs", "runs"], labels: ["_", "VERB"] },
  { words: ["doging"], labels: ["NOUN"] },
];

export const toyEntities: readonly LabelledSentence[] = [
  { words: ["Anna", "sees", "Rome"], labels: ["I-PER", "O", "I-LOC"] },
  { words: ["the", "dog", "sees", "Anna"], labels: ["O", "O", "O", "I-PER"] },
];

export const toyTokenizer = wordPieceTokenizer([...specialPieces, ...words], 100).tokenizerJson;
const tokenizerConfig = { pad_token: "[PAD]", unk_token: "[UNK]", tokenizer_class: "BertTokenizer" };

/** A directory with a bare encoder of random weights, as safetensors or as an ONNX file. */
export async function toyDirectory(
  weights: "safetensors" | "onnx" | "none" = "safetensors",
  modelType: ModelType = "bert",
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "fine-tune-"));
  const { config, tensors } = tinyCheckpoint(modelType, { vocabulary: 5 + words.length, prefix: false });
  const files: [string, unknown][] = [
    ["config.json", { ...config, architectures: ["BertModel"], num_labels: 2 }],
    ["tokenizer.json", toyTokenizer],
    ["tokenizer_config.json", tokenizerConfig],
  ];
  for (const [name, json] of files) await writeFile(join(directory, name), JSON.stringify(json));
  if (weights === "safetensors")
    await writeFile(join(directory, "model.safetensors"), [...safetensorsChunks(tensors)]);
  if (weights === "onnx") {
    await mkdir(join(directory, "onnx"));
    await writeFile(join(directory, "onnx/model.onnx"), [...modelChunks(buildEncoder(config, tensors))]);
  }
  return directory;
}
