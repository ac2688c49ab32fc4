import { poolings } from "@nasty/formats/hf";
import { parseJson } from "@nasty/formats/json";
import { getMetadata, type ModelProto, withMetadata } from "@nasty/formats/onnx";
import * as v from "valibot";
import { packedAlike } from "../packed-alike.js";
import { TaggerError } from "../tagger-error.js";
import { packTokenizer, unpackTokenizer } from "../transformer/compact-tokenizer.js";
import type { AnyTextSettings } from "./text-settings.js";

const SETTINGS_KEY = "nasty.text";
const TOKENIZER_KEY = "nasty.tokenizer";
const HUGGING_FACE_KEY = "nasty.huggingface";

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const input = {
  schema: v.literal(1),
  padId: Count,
  unkToken: v.optional(v.string()),
  removeSpace: v.optional(v.boolean()),
  lowercaseAndRemoveAccent: v.optional(v.boolean()),
  maxPositions: v.optional(Count),
  positionOffset: v.optional(Count, 0),
  vocabularySize: v.optional(Count),
};

const Settings = v.variant("kind", [
  v.object({
    kind: v.literal("sequence-classification"),
    labels: v.pipe(v.array(v.string()), v.minLength(1)),
    problem: v.picklist(["single-label", "multi-label", "regression"]),
    ...input,
  }),
  v.object({
    kind: v.literal("feature-extraction"),
    pooling: v.pipe(v.array(v.picklist(poolings)), v.minLength(1)),
    normalize: v.boolean(),
    ...input,
  }),
  v.object({ kind: v.literal("graph"), ...input }),
]);

const HuggingFace = v.object({
  schema: v.literal(1),
  config: v.record(v.string(), v.unknown()),
  tokenizerConfig: v.record(v.string(), v.unknown()),
});

/**
 * The metadata entries that make a model file carry its labels or pooling and its tokenizer: `nasty.text` (JSON,
 * `{"schema":1,"kind",…}`), `nasty.tokenizer` (packed), `nasty.huggingface` (JSON).
 *
 * @returns the same strings for the same settings
 */
export async function textMetadata(settings: AnyTextSettings): Promise<Record<string, string>> {
  const { tokenizer, huggingFace, ...rest } = settings;
  const { json, ...flags } = tokenizer;
  return {
    [SETTINGS_KEY]: JSON.stringify({ schema: 1, ...rest, ...flags }),
    [TOKENIZER_KEY]: await packTokenizer(json),
    ...(huggingFace !== undefined && {
      [HUGGING_FACE_KEY]: JSON.stringify({ schema: 1, ...huggingFace }),
    }),
  };
}

/** A model that carries what its texts need; weights are shared with `model`. */
export async function withTextSettings(model: ModelProto, settings: AnyTextSettings): Promise<ModelProto> {
  const metadata = await textMetadata(settings);
  const [present, packed] = [getMetadata(model, TOKENIZER_KEY), metadata[TOKENIZER_KEY]];
  if (present !== undefined && packed !== undefined && (await packedAlike(present, packed))) {
    metadata[TOKENIZER_KEY] = present;
  }
  return withMetadata(model, metadata);
}

/**
 * What a model carries for its texts; undefined if it carries nothing.
 *
 * @throws TaggerError `metadata` for entries that are damaged or of a later schema, `tokenizer`
 */
export async function readTextSettings(model: ModelProto): Promise<AnyTextSettings | undefined> {
  const text = getMetadata(model, SETTINGS_KEY);
  if (text === undefined) return undefined;
  const stored = parsed(SETTINGS_KEY, text, Settings);
  const packed = getMetadata(model, TOKENIZER_KEY);
  if (packed === undefined) throw refuse(TOKENIZER_KEY, "a packed tokenizer", "no such entry");
  const { schema: _, padId, unkToken, removeSpace, lowercaseAndRemoveAccent, ...settings } = stored;
  const json = await unpackTokenizer(packed);
  const kept = getMetadata(model, HUGGING_FACE_KEY);
  return {
    ...settings,
    tokenizer: { json, padId, unkToken, removeSpace, lowercaseAndRemoveAccent },
    ...(kept !== undefined && { huggingFace: parsed(HUGGING_FACE_KEY, kept, HuggingFace) }),
  };
}

function parsed<Schema extends v.GenericSchema>(
  key: string,
  text: string,
  schema: Schema,
): v.InferOutput<Schema> {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw refuse(key, "JSON", (cause as Error).message, cause);
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw refuse(`${key}: ${v.getDotPath(issue) ?? "content"}`, String(issue.expected), issue.received);
}

const refuse = (where: string, expected: string, got: string, cause?: unknown): TaggerError =>
  new TaggerError("metadata", `openModel: metadata ${where}: expected ${expected}, got ${got}`, {
    name: SETTINGS_KEY,
    cause,
  });
