import * as v from "valibot";
import { labelEntries, type LabelSettings, languageOf } from "../label-choice.js";
import type { FeatureSettings } from "./features/feature-settings.js";
import { CODES_KEY, packCodes, unpackCodes } from "./features/pack-codes.js";
import { packVocabulary, unpackVocabulary, VOCABULARY_KEY } from "./features/pack-vocabulary.js";

/** All that a neural tagger needs beside the graph. */
export interface NeuralSettings extends LabelSettings {
  readonly kind: "neural";
  readonly features: FeatureSettings;
}

const Count = v.pipe(v.number(), v.integer(), v.minValue(1));
const Lengths = v.pipe(v.array(Count), v.maxLength(16));

/**
 * Content of `nasty.tagger` for the kind `neural`; the words are in `nasty.vocabulary`, word codes in `nasty.codes`.
 */
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
    codes: v.optional(v.object({ books: v.pipe(Count, v.maxValue(64)) })),
  }),
});

/** Settings as JSON, the packed vocabulary, and packed word codes if there are any. */
export async function packNeural(
  settings: NeuralSettings,
): Promise<{ json: string; vocabulary: string; codes: string | undefined }> {
  const { kind, task, labels, scheme, language } = settings;
  const { vocabulary, prefixes, suffixes, affixRows, shapeRows, characters, longestWord, codes } =
    settings.features;
  const json = {
    schema: 1,
    kind,
    task,
    labels: [...labels],
    scheme,
    language,
    features: {
      prefixes: [...prefixes],
      suffixes: [...suffixes],
      affixRows,
      shapeRows,
      characters,
      longestWord,
      ...(codes === undefined ? {} : { codes: { books: codes.books } }),
    },
  } satisfies v.InferInput<typeof NeuralSchema>;
  return {
    json: JSON.stringify(json),
    vocabulary: await packVocabulary(vocabulary),
    codes: codes && (await packCodes(codes)),
  };
}

/** Settings of checked JSON and the packed entries, which `entry` looks up. */
export async function unpackNeural(
  { kind, task, labels, scheme, language, features }: v.InferOutput<typeof NeuralSchema>,
  entry: (key: string, expected: string) => string,
): Promise<NeuralSettings> {
  const { codes, ...sizes } = features;
  return {
    kind,
    task,
    labels,
    ...(scheme === undefined ? {} : { scheme }),
    ...languageOf({ language }),
    features: {
      ...sizes,
      vocabulary: await unpackVocabulary(entry(VOCABULARY_KEY, "a packed vocabulary")),
      ...(codes === undefined
        ? {}
        : { codes: await unpackCodes(entry(CODES_KEY, "packed word codes"), codes.books) }),
    },
  };
}
