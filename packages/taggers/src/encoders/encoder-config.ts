import * as v from "valibot";
import { TaggerError } from "../tagger-error.js";
import { type EncoderFamily, familyOf, supportedModelTypes } from "./families.js";

export type Activation = "gelu" | "gelu_tanh" | "relu";

/** What a `config.json` says about the form of an encoder, by the same names for all families. */
export interface EncoderConfig {
  readonly family: EncoderFamily;
  readonly layers: number;
  /** Width of the layers. */
  readonly hidden: number;
  readonly heads: number;
  /** Width of the feed-forward layer. */
  readonly intermediate: number;
  /** Width of the embedding tables; ELECTRA's may differ from `hidden`. */
  readonly embedding: number;
  readonly vocabulary: number;
  /** Rows of the position table. */
  readonly positions: number;
  /** Rows of the type table; 0 where the family has none. */
  readonly types: number;
  readonly activation: Activation;
  /** Added to the variance in layer normalisation. */
  readonly epsilon: number;
  /** Id of the padding token: RoBERTa counts positions from it. */
  readonly padId: number;
  readonly dropout: number;
  readonly attentionDropout: number;
  readonly classifierDropout: number;
  /** In a head that classifies texts. */
  readonly sequenceDropout: number;
}

/** Larger ones are slips: a graph of them would not fit into a file. */
const Size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 24));
const Layers = v.pipe(Size, v.maxValue(1024));
const Ratio = v.pipe(v.number(), v.minValue(0), v.maxValue(0.999));

const Raw = v.looseObject({
  model_type: v.string(),
  vocab_size: Size,
  max_position_embeddings: Size,
  hidden_size: v.optional(Size),
  num_hidden_layers: v.optional(Layers),
  num_attention_heads: v.optional(Size),
  intermediate_size: v.optional(Size),
  embedding_size: v.nullish(Size),
  type_vocab_size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  hidden_act: v.optional(v.string()),
  layer_norm_eps: v.optional(v.pipe(v.number(), v.minValue(0))),
  pad_token_id: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0))),
  hidden_dropout_prob: v.optional(Ratio),
  attention_probs_dropout_prob: v.optional(Ratio),
  classifier_dropout: v.nullish(Ratio),
  position_embedding_type: v.nullish(v.string()),
  is_decoder: v.nullish(v.boolean()),
  // DistilBERT's names
  dim: v.optional(Size),
  n_layers: v.optional(Layers),
  n_heads: v.optional(Size),
  hidden_dim: v.optional(Size),
  activation: v.optional(v.string()),
  dropout: v.optional(Ratio),
  attention_dropout: v.optional(Ratio),
  seq_classif_dropout: v.optional(Ratio),
});

const activations: ReadonlyMap<string, Activation> = new Map([
  ["gelu", "gelu"],
  ["gelu_python", "gelu"],
  ["gelu_new", "gelu_tanh"],
  ["gelu_fast", "gelu_tanh"],
  ["gelu_pytorch_tanh", "gelu_tanh"],
  ["relu", "relu"],
]);

/**
 * Reads what `config.json` says about the form of an encoder.
 *
 * @param raw the parsed file; labels are not needed
 * @throws TaggerError `config` naming the key: a family, an activation or a kind of positions that is not built here, a
 *   missing or malformed key, a width that the heads do not divide.
 * @see BertConfig, RobertaConfig, DistilBertConfig and ElectraConfig of Hugging Face transformers 4 and 5, whose
 *   defaults hold
 * @example
 * ```ts
 * parseEncoderConfig(JSON.parse(text)).hidden; // 768
 * ```
 */
export function parseEncoderConfig(raw: unknown): EncoderConfig {
  const result = v.safeParse(Raw, raw);
  if (!result.success) {
    const issue = result.issues[0];
    throw refuse(v.getDotPath(issue) ?? "content", issue.expected ?? "a valid value", issue.received);
  }
  const config = result.output;
  const family = familyOf(config.model_type);
  if (family === undefined)
    throw refuse("model_type", `one of ${supportedModelTypes.join(", ")}`, JSON.stringify(config.model_type));
  if (config.is_decoder === true) throw refuse("is_decoder", "an encoder (false)", "true");
  const positionType = config.position_embedding_type ?? "absolute";
  if (positionType !== "absolute")
    throw refuse("position_embedding_type", "absolute", JSON.stringify(positionType));

  const distilled = family.name === "distilbert";
  const pick = (own: keyof typeof config, distilledName: keyof typeof config): number => {
    const key = distilled ? distilledName : own;
    const value = config[key];
    if (typeof value !== "number") throw refuse(String(key), "a positive integer", "nothing");
    return value;
  };
  const hidden = pick("hidden_size", "dim");
  const heads = pick("num_attention_heads", "n_heads");
  if (hidden % heads !== 0)
    throw refuse(distilled ? "dim" : "hidden_size", `a multiple of the ${heads} heads`, String(hidden));
  const name = (distilled ? config.activation : config.hidden_act) ?? "gelu";
  const activation = activations.get(name);
  if (activation === undefined)
    throw refuse(
      distilled ? "activation" : "hidden_act",
      `one of ${[...activations.keys()].join(", ")}`,
      JSON.stringify(name),
    );
  const dropout = (distilled ? config.dropout : config.hidden_dropout_prob) ?? 0.1;
  return {
    family,
    layers: pick("num_hidden_layers", "n_layers"),
    hidden,
    heads,
    intermediate: pick("intermediate_size", "hidden_dim"),
    embedding: family.name === "electra" ? (config.embedding_size ?? 128) : hidden,
    vocabulary: config.vocab_size,
    positions: config.max_position_embeddings,
    types: distilled ? 0 : (config.type_vocab_size ?? 2),
    activation,
    epsilon: config.layer_norm_eps ?? 1e-12,
    padId: config.pad_token_id ?? family.defaultPadId,
    dropout,
    attentionDropout: (distilled ? config.attention_dropout : config.attention_probs_dropout_prob) ?? 0.1,
    classifierDropout: config.classifier_dropout ?? dropout,
    sequenceDropout: distilled ? (config.seq_classif_dropout ?? 0.2) : (config.classifier_dropout ?? dropout),
  };
}

function refuse(key: string, expected: string, got: string): TaggerError {
  return new TaggerError("config", `buildEncoder: config.json: ${key}: expected ${expected}, got ${got}`, {
    name: key,
  });
}
