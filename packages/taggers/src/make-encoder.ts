import type { ModelProto } from "@nasty/formats/onnx";
import { inputsOf } from "./model-inputs.js";
import { makeNeuralEncoder } from "./neural/neural-tagger.js";
import { makeSequenceEncoder } from "./sequence/sequence-tagger.js";
import type { Tagger } from "./tagger.js";
import type { TaggerSettings } from "./tagger-settings.js";
import { makeTransformerEncoder } from "./transformer/transformer-tagger.js";

/** What turns sentences into a model's inputs, without the model. */
export type Encoder = Pick<Tagger, "feedsOf">;

/**
 * Encodes sentences as the tagger of these settings would, without opening a session.
 *
 * @param model whose inputs say which tensors are wanted; nothing of it is run
 * @throws TaggerError `model-inputs`, `tokenizer`, `tokenizer-mismatch`, `window`
 * @example
 * ```ts
 * const encoder = makeEncoder(model, settings);
 * for await (const { feeds, mask } of encoder.feedsOf([["Time", "flies"]])) feeds;
 * ```
 */
export function makeEncoder(model: ModelProto, settings: TaggerSettings): Encoder {
  const inputs = inputsOf(model);
  switch (settings.kind) {
    case "transformer":
      return makeTransformerEncoder(inputs, settings);
    case "neural":
      return makeNeuralEncoder(inputs, settings);
    case "sequence":
      return makeSequenceEncoder(inputs, settings);
    default:
      return settings satisfies never;
  }
}
