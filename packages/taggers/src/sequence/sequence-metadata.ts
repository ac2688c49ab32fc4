import * as v from "valibot";
import { labelEntries } from "../label-choice.js";
import { packVocabulary, unpackVocabulary } from "../neural/features/pack-vocabulary.js";
import type { SequenceSettings } from "./settings.js";

const Id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Content of `nasty.tagger` for the kind `sequence`; the words are in `nasty.vocabulary`. */
export const SequenceSchema = v.object({
  schema: v.literal(1),
  kind: v.literal("sequence"),
  ...labelEntries,
  lowercase: v.boolean(),
  unknownId: Id,
  paddingId: Id,
  padding: v.picklist(["masked", "never", "right", "left"]),
  maxLength: v.optional(v.pipe(Id, v.minValue(1))),
  probabilities: v.boolean(),
});

/** Settings as JSON, and the packed words. */
export async function packSequence(
  settings: SequenceSettings,
): Promise<{ json: string; vocabulary: string }> {
  const {
    kind,
    task,
    labels,
    scheme,
    language,
    words,
    lowercase,
    unknownId,
    paddingId,
    padding,
    maxLength,
    probabilities,
  } = settings;
  const json = {
    schema: 1,
    kind,
    task,
    labels: [...labels],
    scheme,
    language,
    lowercase,
    unknownId,
    paddingId,
    padding,
    maxLength,
    probabilities,
  } satisfies v.InferInput<typeof SequenceSchema>;
  return { json: JSON.stringify(json), vocabulary: await packVocabulary(words) };
}

/** Settings of checked JSON and the packed words. */
export async function unpackSequence(
  { schema: _schema, ...settings }: v.InferOutput<typeof SequenceSchema>,
  vocabulary: string,
): Promise<SequenceSettings> {
  return { ...settings, words: await unpackVocabulary(vocabulary) };
}
