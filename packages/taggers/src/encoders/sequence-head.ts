import { type Tensor, toFloat32 } from "@nasty/core";
import { transposeTensor } from "@nasty/graph";
import type { EncoderWriter } from "./encoder-writer.js";
import type { SequenceHeadNames } from "./families.js";

/** The weights of a head that classifies texts, as a checkpoint has them: weights are [outputs, inputs]. */
export interface SequenceHeadWeights {
  /** [width, width] and [width]. */
  readonly dense: LinearWeights;
  /** [labels, width] and [labels]. */
  readonly output: LinearWeights;
}

export interface LinearWeights {
  readonly weight: Tensor<"float32">;
  readonly bias: Tensor<"float32">;
}

export interface SequenceHeadPlan {
  readonly names: SequenceHeadNames;
  readonly weights: SequenceHeadWeights;
  /** Ratio of its Dropout nodes; none if 0. */
  readonly dropout: number;
}

/** Output with a score for each label of a text: float32 [batch, labels]. */
export const sequenceLogits = "logits";

/**
 * Writes logits = W₂·act(W₁·h₀ + b₁) + b₂, h₀ being the hidden state of the first token.
 *
 * @param hidden float32 [batch, sequence, width]
 * @returns name of the logits, [batch, labels]; the caller makes them an output
 * @see BertForSequenceClassification, RobertaClassificationHead, ElectraClassificationHead and
 *   DistilBertForSequenceClassification of Hugging Face transformers 4 and 5
 */
export function writeSequenceHead(
  writer: EncoderWriter,
  hidden: string,
  { names, weights, dropout }: SequenceHeadPlan,
): string {
  const { named } = writer;
  const linear = (input: string, name: string, output: string, { weight, bias }: LinearWeights): string => {
    writer.weight(`${name}.weight`, transposeTensor(weight, [1, 0]));
    writer.weight(`${name}.bias`, bias);
    const product = named(`head/${output}_product`, "MatMul", [input, `${name}.weight`]);
    return named(output === sequenceLogits ? output : `head/${output}`, "Add", [product, `${name}.bias`]);
  };
  const first = named("head/first", "Gather", [hidden, writer.ints(0)], { axis: 1 });
  const input = names.dropsHidden ? writer.dropout(first, dropout, "head/first_dropout") : first;
  const dense = linear(input, names.dense, "dense", weights.dense);
  const active = named("head/active", activations[names.activation], [dense]);
  const kept = writer.dropout(active, dropout, "head/dropout");
  return linear(kept, names.output, sequenceLogits, weights.output);
}

const activations = { tanh: "Tanh", relu: "Relu", gelu: "Gelu" } as const;

/**
 * The weights of such a head in a checkpoint, each layer by itself: a pretrained BERT has its pooler, and no scores of
 * labels.
 *
 * @param prefix of the encoder's names in a task model; a bare encoder's pooler has none
 * @returns undefined for a layer that is not there, or is not [outputs, width]
 */
export function findSequenceHead(
  tensors: ReadonlyMap<string, Tensor>,
  names: SequenceHeadNames,
  { prefix, width }: { readonly prefix: string; readonly width: number },
): { readonly [K in keyof SequenceHeadWeights]: LinearWeights | undefined } {
  const layer = (name: string): LinearWeights | undefined => {
    const weight = tensors.get(`${name}.weight`);
    const bias = tensors.get(`${name}.bias`);
    const [outputs, inputs] = weight?.shape ?? [];
    if (weight === undefined || bias === undefined || weight.shape.length !== 2) return undefined;
    if (inputs !== width || bias.shape.length !== 1 || bias.shape[0] !== outputs) return undefined;
    return { weight: floats(weight), bias: floats(bias) };
  };
  const bare = names.dense.startsWith(prefix) ? names.dense.slice(prefix.length) : names.dense;
  const dense = layer(names.dense) ?? layer(bare);
  return {
    dense: dense?.bias.shape[0] === width ? dense : undefined,
    output: layer(names.output),
  };
}

const floats = (tensor: Tensor): Tensor<"float32"> => ({
  dtype: "float32",
  shape: tensor.shape,
  data: toFloat32(tensor),
});
