import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Tensor, seededRandom } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { safetensorsChunks } from "@nasty/formats/safetensors";
import { graphWriter, ModelGraph } from "@nasty/graph";
import { buildEncoder, familyOf, randomCheckpoint, textModelConfig } from "@nasty/taggers/encoders";

/** Families of encoders, by `model_type`. */
export const randomFamilies = [
  "bert",
  "roberta",
  "distilbert",
  "electra",
  "xlm-roberta",
  "albert",
  "mpnet",
] as const;
export type RandomFamily = (typeof randomFamilies)[number];

export interface RandomModelOptions {
  readonly family?: RandomFamily;
  /** Default 1. */
  readonly seed?: number;
  /** Default 2. */
  readonly layers?: number;
  /** A multiple of 4. Default 32. */
  readonly hidden?: number;
  /** Writes `model.safetensors` too, for families that it is read of. Default false. */
  readonly safetensors?: boolean;
  /** Ratio of dropout in training. Default: what the family's configurations leave out. */
  readonly dropout?: number;
}

/** Words that the tokenizers of these models know; of others they know the letters. */
export const knownWords: readonly string[] =
  "the a of and to in it was is good bad film book river stone sun snow door green old new".split(" ");
/** What the names of a family's classes begin with. */
const classes: Readonly<Record<RandomFamily, string>> = {
  bert: "Bert",
  roberta: "Roberta",
  distilbert: "DistilBert",
  electra: "Electra",
  "xlm-roberta": "XLMRoberta",
  albert: "Albert",
  mpnet: "MPNet",
};

/** The family whose graph a family's is made of. */
const builtAs: Readonly<Record<RandomFamily, string>> = {
  bert: "bert",
  roberta: "roberta",
  distilbert: "distilbert",
  electra: "electra",
  "xlm-roberta": "xlm-roberta",
  albert: "electra",
  mpnet: "bert",
};

const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'-\""];

/** Writes a Hugging Face directory of a classifier of texts whose weights are random; the same for the same seed. */
export async function writeRandomClassifier(
  path: string,
  {
    labels = ["good", "bad", "mixed"],
    ...options
  }: RandomModelOptions & { readonly labels?: readonly string[] } = {},
): Promise<string> {
  return write(path, options, labels);
}

/** Writes a Hugging Face directory of an encoder of texts whose weights are random: output `last_hidden_state`. */
export async function writeRandomEncoder(path: string, options: RandomModelOptions = {}): Promise<string> {
  return write(path, options, undefined);
}

/** The graph alone. */
export function randomTextModel(
  { family = "bert", seed = 1, layers = 2, hidden = 32 }: RandomModelOptions = {},
  labels?: number,
): {
  readonly model: ModelProto;
  readonly config: Record<string, unknown>;
  readonly tensors: ReadonlyMap<string, Tensor>;
} {
  const config = configOf(family, { layers, hidden, vocabulary: tokensOf(family).length });
  const built = { ...config, model_type: builtAs[family] };
  const tensors = randomCheckpoint(built, {
    seed,
    deviation: 0.3 / Math.sqrt(hidden / 32),
    ...(labels !== undefined && { labels }),
  });
  const head = labels === undefined ? "none" : "sequence";
  const model = buildEncoder(built, tensors, { head });
  if (family === "albert") return { model: withSharedLayers(model), config, tensors };
  if (family === "mpnet") return { model: withRelativePositions(model, seed), config, tensors };
  return { model, config, tensors };
}

async function write(
  path: string,
  options: RandomModelOptions,
  labels: readonly string[] | undefined,
): Promise<string> {
  const { family = "bert", safetensors = false } = options;
  const { model, config, tensors } = randomTextModel(options, labels?.length);
  await mkdir(join(path, "onnx"), { recursive: true });
  const json = (name: string, value: object) => writeFile(join(path, name), JSON.stringify(value));
  const end = labels === undefined ? "Model" : "ForSequenceClassification";
  const { dropout } = options;
  const ratios = dropout !== undefined && {
    hidden_dropout_prob: dropout,
    attention_probs_dropout_prob: dropout,
    classifier_dropout: dropout,
  };
  const named = { ...config, ...ratios, architectures: [`${classes[family]}${end}`] };
  await json("config.json", textModelConfig(named, labels));
  await json("tokenizer.json", tokenizerOf(family));
  const pad = family === "roberta" || family === "xlm-roberta" ? "<pad>" : "[PAD]";
  await json("tokenizer_config.json", { pad_token: pad });
  await writeModelFile(join(path, "onnx", "model.onnx"), model);
  if (safetensors && familyOf(family) !== undefined)
    await writeFile(join(path, "model.safetensors"), [...safetensorsChunks(tensors)]);
  return path;
}

interface Form {
  readonly layers: number;
  readonly hidden: number;
  readonly vocabulary: number;
}

function configOf(family: RandomFamily, { layers, hidden, vocabulary }: Form): Record<string, unknown> {
  const hasPadFirst = family !== "roberta" && family !== "xlm-roberta";
  const common = {
    model_type: family,
    vocab_size: vocabulary,
    max_position_embeddings: 66,
    pad_token_id: hasPadFirst ? 0 : 1,
  };
  if (family === "distilbert") {
    const form = { dim: hidden, n_heads: 4, n_layers: layers, hidden_dim: 2 * hidden };
    return { ...common, ...form, activation: "gelu" };
  }
  return {
    ...common,
    hidden_size: hidden,
    num_attention_heads: 4,
    num_hidden_layers: layers,
    intermediate_size: 2 * hidden,
    type_vocab_size: hasPadFirst && family !== "mpnet" ? 2 : 1,
    hidden_act: family === "albert" ? "gelu_new" : "gelu",
    layer_norm_eps: 1e-5,
    ...((family === "electra" || family === "albert") && { embedding_size: hidden / 2 }),
  };
}

/** ALBERT: every layer has the weights of the first. */
function withSharedLayers(model: ModelProto): ModelProto {
  const edited = ModelGraph.from(model);
  const graph = edited.main;
  for (const name of graph.initializers.keys()) {
    const first = name.replace(/\.layer\.\d+\./, ".layer.0.");
    if (first !== name) graph.replaceUses(name, first);
  }
  graph.pruneUnused();
  return edited.toModel();
}

const buckets = 16;

/** MPNet: each head adds to its scores a number that depends on how far apart two positions are. */
function withRelativePositions(model: ModelProto, seed: number): ModelProto {
  const edited = ModelGraph.from(model);
  const graph = edited.main;
  const random = seededRandom(seed + 1);
  const data = Float32Array.from({ length: buckets * 4 }, () => random.normal());
  const table = graph.addInitializer("mpnet.encoder.relative_attention_bias.weight", {
    dtype: "float32",
    shape: [buckets, 4],
    data,
  });
  const { named, constant } = graphWriter(graph);
  const ints = (values: readonly number[]): string => constant("int64", [values.length], values);
  const range = "positions/range";
  const apart = named("relative/apart", "Sub", [
    named("relative/row", "Unsqueeze", [range, ints([0])]),
    named("relative/column", "Unsqueeze", [range, ints([1])]),
  ]);
  const scalar = (value: number): string => constant("int64", [], [value]);
  const bucket = named("relative/bucket", "Clip", [
    named("relative/shifted", "Add", [apart, scalar(buckets / 2)]),
    scalar(0),
    scalar(buckets - 1),
  ]);
  const rows = named("relative/rows", "Gather", [table, bucket]);
  const byHead = named("relative/heads", "Transpose", [rows], { perm: [2, 0, 1] });
  const masked = [...graph.consumers("mask/scores")];
  const bias = named("relative/bias", "Add", [
    named("relative/batch", "Unsqueeze", [byHead, ints([0])]),
    "mask/scores",
  ]);
  for (const { node, index } of masked) graph.setInput(node, index, bias);
  graph.sort();
  return edited.toModel();
}

const special = {
  bert: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
  roberta: ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
} as const;

const specialOf = (family: RandomFamily): readonly string[] =>
  special[family === "roberta" || family === "xlm-roberta" ? "roberta" : "bert"];

/** All tokens of a family's tokenizer in the order of their ids. */
function tokensOf(family: RandomFamily): readonly string[] {
  const own = specialOf(family);
  if (family === "xlm-roberta")
    return [...own, "\u2581", ...letters, ...knownWords.map((word) => `\u2581${word}`)];
  if (family === "roberta")
    return [...own, "\u0120", ...letters, ...new Set(prefixes().map((one) => one.join("")))];
  return [...own, ...new Set([...knownWords, ...letters, ...letters.map((letter) => `##${letter}`)])];
}

/** The merges that make each known word, blank first. */
const prefixes = (): readonly (readonly [string, string])[] => {
  const merges = knownWords.flatMap((word) =>
    [...word].map((letter, i): [string, string] => [`\u0120${word.slice(0, i)}`, letter]),
  );
  return [...new Map(merges.map((one) => [one.join(" "), one] as const)).values()];
};

/** WordPiece; byte-level BPE of RoBERTa, whose pairs have two separators; Unigram behind Metaspace of XLM-RoBERTa. */
function tokenizerOf(family: RandomFamily): Record<string, unknown> {
  const tokens = tokensOf(family);
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const common = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialOf(family).map((content, id) => ({ id, content, special: true, normalized: false })),
  };
  const separators = { sep: ["</s>", 2], cls: ["<s>", 0], trim_offsets: true, add_prefix_space: false };
  switch (family) {
    case "roberta":
      return {
        ...common,
        normalizer: null,
        pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
        post_processor: { type: "RobertaProcessing", ...separators },
        decoder: { type: "ByteLevel" },
        model: { type: "BPE", unk_token: "<unk>", vocab, merges: prefixes().map((one) => one.join(" ")) },
      };
    case "xlm-roberta":
      return {
        ...common,
        normalizer: null,
        pre_tokenizer: { type: "Metaspace", replacement: "\u2581", prepend_scheme: "always" },
        post_processor: { type: "RobertaProcessing", ...separators },
        decoder: null,
        model: { type: "Unigram", unk_id: 3, vocab: tokens.map((token) => [token, -1 - 1 / token.length]) },
      };
    default:
      return {
        ...common,
        normalizer: {
          type: "BertNormalizer",
          clean_text: true,
          handle_chinese_chars: true,
          strip_accents: false,
          lowercase: false,
        },
        pre_tokenizer: { type: "BertPreTokenizer" },
        post_processor: { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] },
        decoder: { type: "WordPiece", prefix: "##", cleanup: true },
        model: {
          type: "WordPiece",
          unk_token: "[UNK]",
          continuing_subword_prefix: "##",
          max_input_chars_per_word: 100,
          vocab,
        },
      };
  }
}
