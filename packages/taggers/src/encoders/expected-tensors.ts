import type { EncoderConfig } from "./encoder-config.js";

/** A tensor that an encoder needs: its name without the checkpoint's prefix, and its shape as the checkpoint has it. */
export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** A linear layer's weight [outputs, inputs], which the graph holds as [inputs, outputs]. */
  readonly linear: boolean;
}

/** Every tensor of an encoder, embeddings first, then layer by layer. */
export function expectedTensors(config: EncoderConfig): ExpectedTensor[] {
  const { family, hidden, intermediate, embedding, types } = config;
  const expected: ExpectedTensor[] = [];
  const add = (name: string, shape: readonly number[], linear = false): void => {
    expected.push({ name, shape, linear });
  };
  const linear = (name: string, inputs: number, outputs: number): void => {
    add(`${name}.weight`, [outputs, inputs], true);
    add(`${name}.bias`, [outputs]);
  };
  const norm = (name: string, width: number): void => {
    add(`${name}.weight`, [width]);
    add(`${name}.bias`, [width]);
  };
  add("embeddings.word_embeddings.weight", [config.vocabulary, embedding]);
  add("embeddings.position_embeddings.weight", [config.positions, embedding]);
  if (types > 0) add("embeddings.token_type_embeddings.weight", [types, embedding]);
  norm("embeddings.LayerNorm", embedding);
  if (embedding !== hidden) linear("embeddings_project", embedding, hidden);
  for (let i = 0; i < config.layers; i++) {
    const at = (part: string): string => `${family.layers}${i}.${part}`;
    const { layer } = family;
    for (const part of [layer.query, layer.key, layer.value, layer.attentionOutput])
      linear(at(part), hidden, hidden);
    norm(at(layer.attentionNorm), hidden);
    linear(at(layer.intermediate), hidden, intermediate);
    linear(at(layer.output), intermediate, hidden);
    norm(at(layer.outputNorm), hidden);
  }
  return expected;
}
