import type { Session } from "@nasty/runtime";
import { makeSequenceTagger } from "./sequence/sequence-tagger.js";
import type { SequenceSettings } from "./sequence/settings.js";
import type { Tagger } from "./tagger.js";
import type { TransformerSettings } from "./transformer/settings.js";

/**
 * A tagger around a session of the whole graph.
 *
 * @param session of the model; the tagger's `close` closes it
 * @throws TaggerError as `makeTransformerTagger` and `makeSequenceTagger`
 */
export async function makeTagger(
  session: Session,
  settings: TransformerSettings | SequenceSettings,
): Promise<Tagger> {
  return settings.kind === "sequence"
    ? makeSequenceTagger(session, settings)
    : makeTransformerTagger(session, settings);
}

/**
 * The tagger that `makeTransformerTagger` of `@nasty/taggers/transformer` makes.
 *
 * Tokenizers are half of the code, and models of words need none: they are loaded for the models that do.
 */
export async function makeTransformerTagger(
  session: Session,
  settings: TransformerSettings,
): Promise<Tagger> {
  const transformer = await import("./transformer/transformer-tagger.js");
  return transformer.makeTransformerTagger(session, settings);
}
