import type { ModelProto } from "@nasty/formats/onnx";
import { openSession, type SessionOptions } from "@nasty/runtime";
import { makeTagger } from "./make-tagger.js";
import { dropAuxiliary } from "./neural/drop-auxiliary.js";
import { openNeuralTagger } from "./neural/neural-tagger.js";
import type { Tagger } from "./tagger.js";
import type { TaggerSettings } from "./tagger-settings.js";

/**
 * Opens a tagger of a model in memory; what only training needs is left out.
 *
 * @throws as `openSession`, `makeTransformerTagger`, `openNeuralTagger` and `makeSequenceTagger`.
 * @example
 * ```ts
 * const tagger = await openTaggerModel(trained.model, settings, { threads: 1 });
 * ```
 */
export async function openTaggerModel(
  model: ModelProto,
  settings: TaggerSettings,
  options: SessionOptions = {},
): Promise<Tagger> {
  return settings.kind === "neural"
    ? openNeuralTagger(dropAuxiliary(model), settings, (part) => openSession(part, options))
    : makeTagger(await openSession(model, options), settings);
}
