import type { Tensor } from "@nasty/core";
import { expectedTensors, familyOf, parseEncoderConfig } from "@nasty/taggers/encoders";
import { seededRandom } from "@nasty/training";

export const modelTypes = ["bert", "roberta", "distilbert", "electra"] as const;
export type ModelType = (typeof modelTypes)[number];

export interface TinyOptions {
  readonly vocabulary?: number;
  /** Without it the checkpoint is a bare encoder's: no prefix, no classifier. */
  readonly prefix?: boolean;
}

const labels = ["A", "B", "C"];

/** A checkpoint of a family, with random weights. */
export function tinyCheckpoint(
  modelType: ModelType,
  { vocabulary = 20, prefix = true }: TinyOptions = {},
): { readonly config: Record<string, unknown>; readonly tensors: Map<string, Tensor> } {
  const config = {
    ...configOf(modelType, vocabulary),
    ...(prefix
      ? {
          id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
          label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
        }
      : {}),
  };
  const random = seededRandom(11);
  const tensors = new Map<string, Tensor>();
  const add = (name: string, shape: readonly number[]): void => {
    const mean = /norm\.weight$/i.test(name) ? 1 : 0;
    const count = shape.reduce((product, length) => product * length, 1);
    const data = Float32Array.from({ length: count }, () => mean + 0.4 * random.normal());
    tensors.set(name, { dtype: "float32", shape, data });
  };
  const settings = parseEncoderConfig(config);
  const start = prefix ? familyOf(modelType)?.prefix : "";
  for (const { name, shape } of expectedTensors(settings)) add(`${start}${name}`, shape);
  if (prefix) {
    add("classifier.weight", [labels.length, settings.hidden]);
    add("classifier.bias", [labels.length]);
  }
  return { config, tensors };
}

function configOf(modelType: ModelType, vocabulary: number): Record<string, unknown> {
  const common = { model_type: modelType, vocab_size: vocabulary, max_position_embeddings: 40 };
  if (modelType === "distilbert") {
    const form = { dim: 8, n_heads: 2, n_layers: 2, hidden_dim: 12 };
    return { ...common, ...form, activation: "gelu", pad_token_id: 0 };
  }
  return {
    ...common,
    hidden_size: 8,
    num_attention_heads: 2,
    num_hidden_layers: 2,
    intermediate_size: 12,
    type_vocab_size: modelType === "roberta" ? 1 : 2,
    hidden_act: { bert: "gelu_new", roberta: "relu", electra: "gelu" }[modelType],
    layer_norm_eps: modelType === "roberta" ? 1e-5 : 1e-12,
    pad_token_id: modelType === "roberta" ? 1 : 0,
    ...(modelType === "electra" ? { embedding_size: 6 } : {}),
  };
}
