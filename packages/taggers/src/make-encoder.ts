import { dtypeOf, type ModelProto } from "@nasty/formats/onnx";
import type { ValueInfo } from "@nasty/runtime";
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

/** The inputs of a model as a session of it would say them: what its graph declares, without what it has values for. */
function inputsOf({ graph }: ModelProto): readonly ValueInfo[] {
  const constants = new Set(graph?.initializer.map(({ name }) => name));
  const inputs = graph?.input.filter(({ name }) => !constants.has(name)) ?? [];
  return inputs.map(({ name, type }): ValueInfo => {
    const declared = type?.value.case === "tensorType" ? type.value.value : undefined;
    const shape = declared?.shape?.dim.map(({ value }) => sizeOf(value.value)) ?? [];
    return { name, dtype: dtypeOf(declared?.elemType ?? 0), shape };
  });
}

/** A number, the name of what varies, or "" where nothing is said; some exporters write −1 for that. */
function sizeOf(size: bigint | string | undefined): number | string {
  return typeof size === "bigint" ? (size >= 0n ? Number(size) : "") : (size ?? "");
}
