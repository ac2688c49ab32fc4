import { getMetadata, type ModelProto, withMetadata } from "@nasty/formats/onnx";
import * as v from "valibot";
import { TaggerError } from "./tagger-error.js";
import { packTokenizer, unpackTokenizer } from "./transformer/compact-tokenizer.js";
import type { TransformerSettings } from "./transformer/settings.js";

/** What a tagger needs beside the model, by kind. */
export type TaggerSettings = TransformerSettings;

const SETTINGS_KEY = "nasty.tagger";
const TOKENIZER_KEY = "nasty.tokenizer";
const SCHEMA = 1;

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

const Transformer = v.object({
  schema: v.literal(SCHEMA),
  kind: v.literal("transformer"),
  task: v.picklist(["pos", "ner"]),
  labels: v.pipe(v.array(v.string()), v.minLength(1)),
  padId: Count,
  unkToken: v.optional(v.string()),
  removeSpace: v.optional(v.boolean()),
  lowercaseAndRemoveAccent: v.optional(v.boolean()),
  maxPositions: v.optional(Count),
  positionOffset: v.optional(Count, 0),
  vocabularySize: v.optional(Count),
});

/**
 * The metadata entries that make a model file carry its tagger: `nasty.tagger` (JSON, `{"schema":1,"kind","task","labels",…}`) and
 * `nasty.tokenizer` (packed).
 *
 * @returns the same strings for the same settings.
 */
export async function taggerMetadata(settings: TaggerSettings): Promise<Record<string, string>> {
  const { kind, task, labels, tokenizer, maxPositions, positionOffset, vocabularySize } = settings;
  const { json, padId, unkToken, removeSpace, lowercaseAndRemoveAccent } = tokenizer;
  return {
    [SETTINGS_KEY]: JSON.stringify({
      schema: SCHEMA,
      kind,
      task,
      labels: [...labels],
      padId,
      unkToken,
      removeSpace,
      lowercaseAndRemoveAccent,
      maxPositions,
      positionOffset,
      vocabularySize,
    } satisfies v.InferInput<typeof Transformer>),
    [TOKENIZER_KEY]: await packTokenizer(json),
  };
}

/**
 * A model that carries its tagger; weights are shared with `model`.
 *
 * @example
 * ```ts
 * await writeModelFile("pos_int8.onnx", await withTagger(quantized, settings));
 * ```
 */
export async function withTagger(model: ModelProto, settings: TaggerSettings): Promise<ModelProto> {
  return withMetadata(model, await taggerMetadata(settings));
}

/**
 * The tagger settings that a model carries, or undefined if it carries none.
 *
 * @throws TaggerError `metadata` for entries that are damaged or of a later schema, `tokenizer`.
 */
export async function readTaggerSettings(model: ModelProto): Promise<TaggerSettings | undefined> {
  const text = getMetadata(model, SETTINGS_KEY);
  return text === undefined ? undefined : parseSettings(text, getMetadata(model, TOKENIZER_KEY));
}

async function parseSettings(text: string, tokenizer: string | undefined): Promise<TaggerSettings> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse(SETTINGS_KEY, "JSON", (cause as Error).message, cause);
  }
  const result = v.safeParse(Transformer, json);
  if (!result.success) {
    const issue = result.issues[0];
    throw refuse(
      `${SETTINGS_KEY}: ${v.getDotPath(issue) ?? "content"}`,
      String(issue.expected),
      issue.received,
    );
  }
  if (tokenizer === undefined) throw refuse(TOKENIZER_KEY, "a packed tokenizer", "no such entry");
  const {
    schema: _schema,
    padId,
    unkToken,
    removeSpace,
    lowercaseAndRemoveAccent,
    ...settings
  } = result.output;
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
