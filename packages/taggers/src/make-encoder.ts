import type { ModelProto } from "@nasty/formats/onnx";
import { inputsOf } from "./model-inputs.js";
import { makeNeuralEncoder } from "./neural/neural-tagger.js";
import { makeSequenceEncoder } from "./sequence/sequence-tagger.js";
import type { Tagger } from "./tagger.js";
import type { TaggerSettings } from "./tagger-settings.js";

/** What turns sentences into a model's inputs, without the model. */
export type Encoder = Pick<Tagger, "feedsOf">;

/**
 * Encodes sentences as the tagger of these settings would, without opening a session. Tokenizers are loaded for the
 * models that have one.
 *
 * @param model whose inputs say which tensors are wanted; nothing of it is run
 * @throws TaggerError `model-inputs`, `tokenizer`, `tokenizer-mismatch`, `window`
 * @example
 * ```ts
 * const encoder = await makeEncoder(model, settings);
 * for await (const { feeds, mask } of encoder.feedsOf([["Time", "flies"]])) feeds;
 * ```
 */
export async function makeEncoder(model: ModelProto, settings: TaggerSettings): Promise<Encoder> {
  const inputs = inputsOf(model);
  switch (settings.kind) {
    case "transformer": {
      const { makeTransformerEncoder } = await import("./transformer/transformer-tagger.js");
      return makeTransformerEncoder(inputs, settings);
    }
    case "neural":
      return makeNeuralEncoder(inputs, settings);
    case "sequence":
      return makeSequenceEncoder(inputs, settings);
    default:
      return settings satisfies never;
  }
}
