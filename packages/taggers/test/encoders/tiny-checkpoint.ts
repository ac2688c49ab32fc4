import type { Tensor } from "@nasty/core";

export const modelTypes = ["bert", "roberta", "distilbert", "electra"] as const;
export type ModelType = (typeof modelTypes)[number];

export interface TinyCheckpoint {
  readonly config: Record<string, unknown>;
  readonly tensors: Map<string, Tensor>;
}

export interface TinyOptions {
  readonly vocabulary?: number;
  readonly labels?: readonly string[];
  /** Without it the checkpoint is a bare encoder's: no prefix, no classifier. */
  readonly prefix?: boolean;
  readonly overrides?: Readonly<Record<string, unknown>>;
}

const hidden = 8;
const heads = 2;
const intermediate = 12;
const layers = 2;
const positions = 40;

/**
 * A checkpoint of a family as transformers saves it, with random weights; every part that does not matter here is in it
 * too.
 */
export function tinyCheckpoint(
  modelType: ModelType,
  { vocabulary = 20, labels = ["A", "B", "C"], prefix = true, overrides = {} }: TinyOptions = {},
): TinyCheckpoint {
  const normal = normalNumbers();
  const tensors = new Map<string, Tensor>();
  const start = prefix ? `${modelType}.` : "";
  const add = (name: string, shape: readonly number[], mean = 0): void => {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: count }, () => mean + 0.4 * normal());
    tensors.set(name, { dtype: "float32", shape, data });
  };
  const linear = (name: string, inputs: number, outputs: number): void => {
    add(`${name}.weight`, [outputs, inputs]);
    add(`${name}.bias`, [outputs]);
  };
  const norm = (name: string, width: number): void => {
    add(`${name}.weight`, [width], 1);
    add(`${name}.bias`, [width]);
  };
  const embedding = modelType === "electra" ? 6 : hidden;
  const types = { bert: 2, roberta: 1, distilbert: 0, electra: 2 }[modelType];
  add(`${start}embeddings.word_embeddings.weight`, [vocabulary, embedding]);
  add(`${start}embeddings.position_embeddings.weight`, [positions, embedding]);
  if (types > 0) add(`${start}embeddings.token_type_embeddings.weight`, [types, embedding]);
  norm(`${start}embeddings.LayerNorm`, embedding);
  if (modelType === "electra") linear(`${start}embeddings_project`, embedding, hidden);
  for (let i = 0; i < layers; i++) {
    if (modelType === "distilbert") {
      const at = `${start}transformer.layer.${i}`;
      for (const part of ["q_lin", "k_lin", "v_lin", "out_lin"])
        linear(`${at}.attention.${part}`, hidden, hidden);
      norm(`${at}.sa_layer_norm`, hidden);
      linear(`${at}.ffn.lin1`, hidden, intermediate);
      linear(`${at}.ffn.lin2`, intermediate, hidden);
      norm(`${at}.output_layer_norm`, hidden);
      continue;
    }
    const at = `${start}encoder.layer.${i}`;
    for (const part of ["query", "key", "value"]) linear(`${at}.attention.self.${part}`, hidden, hidden);
    linear(`${at}.attention.output.dense`, hidden, hidden);
    norm(`${at}.attention.output.LayerNorm`, hidden);
    linear(`${at}.intermediate.dense`, hidden, intermediate);
    linear(`${at}.output.dense`, intermediate, hidden);
    norm(`${at}.output.LayerNorm`, hidden);
  }
  tensors.set(`${start}embeddings.position_ids`, {
    dtype: "int64",
    shape: [1, positions],
    data: BigInt64Array.from({ length: positions }, (_, i) => BigInt(i)),
  });
  if (modelType !== "distilbert") linear(`${start}pooler.dense`, hidden, hidden);
  if (prefix) linear("classifier", hidden, labels.length);
  const id2label = Object.fromEntries(labels.map((label, i) => [String(i), label]));
  const label2id = Object.fromEntries(labels.map((label, i) => [label, i]));
  const common = {
    model_type: modelType,
    vocab_size: vocabulary,
    max_position_embeddings: positions,
    ...(prefix ? { id2label, label2id } : {}),
  };
  const config =
    modelType === "distilbert"
      ? {
          ...common,
          dim: hidden,
          n_heads: heads,
          n_layers: layers,
          hidden_dim: intermediate,
          activation: "gelu",
          pad_token_id: 0,
        }
      : {
          ...common,
          hidden_size: hidden,
          num_attention_heads: heads,
          num_hidden_layers: layers,
          intermediate_size: intermediate,
          type_vocab_size: types,
          hidden_act: { bert: "gelu_new", roberta: "relu", electra: "gelu" }[modelType],
          layer_norm_eps: modelType === "roberta" ? 1e-5 : 1e-12,
          pad_token_id: modelType === "roberta" ? 1 : 0,
          ...(modelType === "electra" ? { embedding_size: embedding } : {}),
        };
  return { config: { ...config, ...overrides }, tensors };
}

/** Nearly normal numbers, the same each time: sums of twelve uniform ones, less six. */
function normalNumbers(): () => number {
  let state = 11;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return () => Array.from({ length: 12 }, uniform).reduce((sum, value) => sum + value, -6);
}
