import type { Session } from "@nasty/runtime";
import { makeSequenceTagger } from "./sequence/sequence-tagger.js";
import type { SequenceSettings } from "./sequence/settings.js";
import type { Tagger } from "./tagger.js";
import type { TransformerSettings } from "./transformer/settings.js";

/**
 * A tagger around a session of the whole graph.
 *
 * Tokenizers are half of the code, and models of words need none: they are loaded for the models that do.
 *
 * @param session of the model; the tagger's `close` closes it
 * @throws TaggerError as `makeTransformerTagger` and `makeSequenceTagger`
 */
export async function makeTagger(
  session: Session,
  settings: TransformerSettings | SequenceSettings,
): Promise<Tagger> {
  if (settings.kind === "sequence") return makeSequenceTagger(session, settings);
  const { makeTransformerTagger } = await import("./transformer/transformer-tagger.js");
  return makeTransformerTagger(session, settings);
}
