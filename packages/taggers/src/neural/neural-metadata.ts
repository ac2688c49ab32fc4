import * as v from "valibot";
import { labelEntries, type LabelSettings } from "../label-choice.js";
import type { FeatureSettings } from "./features/feature-settings.js";
import { packVocabulary, unpackVocabulary } from "./features/pack-vocabulary.js";

/** All that a neural tagger needs beside the graph. */
export interface NeuralSettings extends LabelSettings {
  readonly kind: "neural";
  readonly features: FeatureSettings;
}

const Count = v.pipe(v.number(), v.integer(), v.minValue(1));
const Lengths = v.pipe(v.array(Count), v.maxLength(16));

/** Content of `nasty.tagger` for the kind `neural`; the words are in `nasty.vocabulary`. */
export const NeuralSchema = v.object({
  schema: v.literal(1),
  kind: v.literal("neural"),
  ...labelEntries,
  features: v.object({
    prefixes: Lengths,
    suffixes: Lengths,
    affixRows: v.pipe(Count, v.minValue(2)),
    shapeRows: Count,
    characters: v.string(),
    longestWord: v.pipe(Count, v.minValue(3)),
  }),
});

/** Settings as JSON, and the packed vocabulary. */
export async function packNeural(settings: NeuralSettings): Promise<{ json: string; vocabulary: string }> {
  const { kind, task, labels, scheme } = settings;
  const { vocabulary, prefixes, suffixes, affixRows, shapeRows, characters, longestWord } = settings.features;
  const json = {
    schema: 1,
    kind,
    task,
    labels: [...labels],
    scheme,
    features: {
      prefixes: [...prefixes],
      suffixes: [...suffixes],
      affixRows,
      shapeRows,
      characters,
      longestWord,
    },
  } satisfies v.InferInput<typeof NeuralSchema>;
  return { json: JSON.stringify(json), vocabulary: await packVocabulary(vocabulary) };
}

/** Settings of checked JSON and the packed vocabulary. */
export async function unpackNeural(
  { kind, task, labels, scheme, features }: v.InferOutput<typeof NeuralSchema>,
  vocabulary: string,
): Promise<NeuralSettings> {
  return {
    kind,
    task,
    labels,
    ...(scheme === undefined ? {} : { scheme }),
    features: { ...features, vocabulary: await unpackVocabulary(vocabulary) },
  };
}
