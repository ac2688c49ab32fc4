import type { ModelProto } from "@nasty/formats/onnx";
import { buildEncoder, randomCheckpoint } from "@nasty/taggers/encoders";
import { specialPieces } from "./train-vocabulary.js";

/** The form of a BERT encoder. */
export interface TransformerSize {
  /** Default 4. */
  readonly layers: number;
  /** Width of the layers, a multiple of `heads`. Default 256. */
  readonly hidden: number;
  /** Default 4. */
  readonly heads: number;
  /** Width of the feed-forward layers. Default 1,024. */
  readonly intermediate: number;
  /** Most subwords of a sentence, two special tokens counted; longer ones go through windows. Default 256. */
  readonly positions: number;
  /** Most pieces of the vocabulary. Default 8,000. */
  readonly vocabulary: number;
}

export const defaultTransformerSize: TransformerSize = {
  layers: 4,
  hidden: 256,
  heads: 4,
  intermediate: 1024,
  positions: 256,
  vocabulary: 8000,
};

/** Standard deviation of the first weights. */
const deviation = 0.02;

/** `config.json` of a BERT with this form, in the names of Hugging Face. */
export function bertConfig(size: TransformerSize, dropout: number): Readonly<Record<string, unknown>> {
  return {
    model_type: "bert",
    architectures: ["BertModel"],
    vocab_size: size.vocabulary,
    hidden_size: size.hidden,
    num_hidden_layers: size.layers,
    num_attention_heads: size.heads,
    intermediate_size: size.intermediate,
    max_position_embeddings: size.positions,
    type_vocab_size: 2,
    hidden_act: "gelu",
    layer_norm_eps: 1e-12,
    initializer_range: deviation,
    hidden_dropout_prob: dropout,
    attention_probs_dropout_prob: dropout,
    pad_token_id: specialPieces.indexOf("[PAD]"),
  };
}

/**
 * A BERT encoder with random weights, as `randomCheckpoint` draws them.
 *
 * @param config see {@link bertConfig}
 * @returns a graph with the output `last_hidden_state` and with Dropout nodes; the same for the same seed
 * @throws TaggerError `config` naming the key.
 */
export function randomEncoder(config: Readonly<Record<string, unknown>>, seed: number): ModelProto {
  const tensors = randomCheckpoint(config, { seed, deviation });
  return buildEncoder(config, tensors, { head: "none", dropout: true, prefixed: true });
}
