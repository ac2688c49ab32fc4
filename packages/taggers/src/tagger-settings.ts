import { getMetadata, type ModelProto, withMetadata } from "@nasty/formats/onnx";
import * as v from "valibot";
import { checkLabels } from "./check-labels.js";
import { labelEntries } from "./label-choice.js";
import { parseEntry } from "./metadata-entry.js";
import { packedAlike } from "./packed-alike.js";
import { TaggerError } from "./tagger-error.js";
import {
  HUGGING_FACE_KEY,
  HuggingFace,
  SCHEMA,
  TOKENIZER_KEY,
  tokenizerEntries,
} from "./tokenizer-entries.js";
import { CODES_KEY } from "./neural/features/pack-codes.js";
import { VOCABULARY_KEY } from "./neural/features/pack-vocabulary.js";
import { NeuralSchema, type NeuralSettings, packNeural, unpackNeural } from "./neural/neural-metadata.js";
import { packSequence, SequenceSchema, unpackSequence } from "./sequence/sequence-metadata.js";
import type { SequenceSettings } from "./sequence/settings.js";
import { packTokenizer, unpackTokenizer } from "./transformer/compact-tokenizer.js";
import type { HfFiles, TransformerSettings } from "./transformer/settings.js";

/** What a tagger needs beside the model, by kind. */
export type TaggerSettings = TransformerSettings | NeuralSettings | SequenceSettings;

const SETTINGS_KEY = "nasty.tagger";

const Transformer = v.object({
  kind: v.literal("transformer"),
  ...labelEntries,
  ...tokenizerEntries,
});

const Settings = v.variant("kind", [Transformer, NeuralSchema, SequenceSchema]);

/**
 * The metadata entries that make a model file carry its tagger: `nasty.tagger` (JSON,
 * `{"schema":1,"kind","task","labels",…}`), and packed `nasty.tokenizer` (transformer) or `nasty.vocabulary` (neural)
 * and, with word codes, `nasty.codes`; * `nasty.huggingface` (JSON) keeps what only a Hugging Face directory needs.
 *
 * @returns the same strings for the same settings.
 * @throws TaggerError `labels` (empty, or with control characters).
 */
export async function taggerMetadata(settings: TaggerSettings): Promise<Record<string, string>> {
  checkLabels(settings.labels, "taggerMetadata: settings");
  switch (settings.kind) {
    case "transformer":
      return transformerMetadata(settings);
    case "neural": {
      const { json, vocabulary, codes } = await packNeural(settings);
      return {
        [SETTINGS_KEY]: json,
        [VOCABULARY_KEY]: vocabulary,
        ...(codes === undefined ? {} : { [CODES_KEY]: codes }),
      };
    }
    case "sequence": {
      const { json, vocabulary } = await packSequence(settings);
      return { [SETTINGS_KEY]: json, [VOCABULARY_KEY]: vocabulary };
    }
    default:
      return settings satisfies never;
  }
}

async function transformerMetadata(settings: TransformerSettings): Promise<Record<string, string>> {
  const {
    kind,
    task,
    labels,
    scheme,
    language,
    tokenizer,
    maxPositions,
    positionOffset,
    vocabularySize,
    huggingFace,
  } = settings;
  const { json, padId, unkToken, removeSpace, lowercaseAndRemoveAccent } = tokenizer;
  return {
    [SETTINGS_KEY]: JSON.stringify({
      schema: SCHEMA,
      kind,
      task,
      labels: [...labels],
      scheme,
      language,
      padId,
      unkToken,
      removeSpace,
      lowercaseAndRemoveAccent,
      maxPositions,
      positionOffset,
      vocabularySize,
    } satisfies v.InferInput<typeof Transformer>),
    [TOKENIZER_KEY]: await packTokenizer(json),
    ...(huggingFace === undefined
      ? {}
      : { [HUGGING_FACE_KEY]: JSON.stringify({ schema: SCHEMA, ...huggingFace }) }),
  };
}

/**
 * A model that carries its tagger; weights are shared with `model`. Packed entries that hold the same already stay as
 * they are.
 *
 * @example
 * ```ts
 * await writeModelFile("pos_int8.onnx", await withTagger(quantized, settings));
 * ```
 */
export async function withTagger(model: ModelProto, settings: TaggerSettings): Promise<ModelProto> {
  const metadata = await taggerMetadata(settings);
  for (const key of [VOCABULARY_KEY, CODES_KEY, TOKENIZER_KEY]) {
    const [present, packed] = [getMetadata(model, key), metadata[key]];
    if (present === undefined || packed === undefined) continue;
    if (await packedAlike(present, packed)) metadata[key] = present;
  }
  return withMetadata(model, metadata);
}

/**
 * The tagger settings that a model carries, or undefined if it carries none.
 *
 * @throws TaggerError `metadata` for entries that are damaged or of a later schema, `tokenizer`, `labels` (empty, or
 *   with control characters).
 */
export async function readTaggerSettings(model: ModelProto): Promise<TaggerSettings | undefined> {
  const text = getMetadata(model, SETTINGS_KEY);
  if (text === undefined) return undefined;
  const settings = parseSettings(text);
  checkLabels(settings.labels, `openTagger: metadata ${SETTINGS_KEY}`);
  if (settings.kind === "neural")
    return unpackNeural(settings, (key, expected) => entry(model, key, expected));
  if (settings.kind === "sequence")
    return unpackSequence(settings, entry(model, VOCABULARY_KEY, "packed words"));
  const huggingFace = getMetadata(model, HUGGING_FACE_KEY);
  return {
    ...(await unpackTransformer(settings, entry(model, TOKENIZER_KEY, "a packed tokenizer"))),
    ...(huggingFace === undefined ? {} : { huggingFace: parseHuggingFace(huggingFace) }),
  };
}

function parseHuggingFace(text: string): HfFiles {
  const { config, tokenizerConfig } = parseEntry(text, HuggingFace, HUGGING_FACE_KEY, refuse);
  return { config, tokenizerConfig };
}

function entry(model: ModelProto, key: string, expected: string): string {
  const text = getMetadata(model, key);
  if (text === undefined) throw refuse(key, expected, "no such entry");
  return text;
}

function parseSettings(text: string): v.InferOutput<typeof Settings> {
  return parseEntry(text, Settings, SETTINGS_KEY, refuse);
}

async function unpackTransformer(
  stored: v.InferOutput<typeof Transformer>,
  tokenizer: string,
): Promise<TransformerSettings> {
  const { schema: _schema, padId, unkToken, removeSpace, lowercaseAndRemoveAccent, ...settings } = stored;
  return {
    ...settings,
    tokenizer: {
      json: await unpackTokenizer(tokenizer),
      padId,
      unkToken,
      removeSpace,
      lowercaseAndRemoveAccent,
    },
  };
}

function refuse(where: string, expected: string, got: string, cause?: unknown): TaggerError {
  return new TaggerError("metadata", `openTagger: metadata ${where}: expected ${expected}, got ${got}`, {
    name: SETTINGS_KEY,
    cause,
  });
}
