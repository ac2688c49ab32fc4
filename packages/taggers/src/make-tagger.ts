import type { Session } from "@nasty/runtime";
import { makeSequenceTagger } from "./sequence/sequence-tagger.js";
import type { SequenceSettings } from "./sequence/settings.js";
import type { Tagger } from "./tagger.js";
import type { TransformerSettings } from "./transformer/settings.js";
import { makeTransformerTagger } from "./transformer/transformer-tagger.js";

/**
 * A tagger around a session of the whole graph.
 *
 * @param session of the model; the tagger's `close` closes it
 * @throws TaggerError as `makeTransformerTagger` and `makeSequenceTagger`
 */
export function makeTagger(
  session: Session,
  settings: TransformerSettings | SequenceSettings,
): Promise<Tagger> {
  return settings.kind === "transformer"
    ? makeTransformerTagger(session, settings)
    : makeSequenceTagger(session, settings);
}
