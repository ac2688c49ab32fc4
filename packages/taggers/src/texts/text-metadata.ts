import { poolings } from "@nasty/formats/hf";
import { getMetadata, type ModelProto, withMetadata } from "@nasty/formats/onnx";
import * as v from "valibot";
import { parseEntry } from "../metadata-entry.js";
import { packedAlike } from "../packed-alike.js";
import { TaggerError } from "../tagger-error.js";
import {
  HUGGING_FACE_KEY,
  HuggingFace,
  SCHEMA,
  TOKENIZER_KEY,
  tokenizerEntries,
} from "../tokenizer-entries.js";
import { packTokenizer, unpackTokenizer } from "../transformer/compact-tokenizer.js";
import type { AnyTextSettings } from "./text-settings.js";

const SETTINGS_KEY = "nasty.text";

const Settings = v.variant("kind", [
  v.object({
    kind: v.literal("sequence-classification"),
    labels: v.pipe(v.array(v.string()), v.minLength(1)),
    problem: v.picklist(["single-label", "multi-label", "regression"]),
    ...tokenizerEntries,
  }),
  v.object({
    kind: v.literal("feature-extraction"),
    pooling: v.pipe(v.array(v.picklist(poolings)), v.minLength(1)),
    normalize: v.boolean(),
    ...tokenizerEntries,
  }),
  v.object({ kind: v.literal("graph"), ...tokenizerEntries }),
]);

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
    [SETTINGS_KEY]: JSON.stringify({ schema: SCHEMA, ...rest, ...flags }),
    [TOKENIZER_KEY]: await packTokenizer(json),
    ...(huggingFace !== undefined && {
      [HUGGING_FACE_KEY]: JSON.stringify({ schema: SCHEMA, ...huggingFace }),
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
  const stored = parseEntry(text, Settings, SETTINGS_KEY, refuse);
  const packed = getMetadata(model, TOKENIZER_KEY);
  if (packed === undefined) throw refuse(TOKENIZER_KEY, "a packed tokenizer", "no such entry");
  const { schema: _, padId, unkToken, removeSpace, lowercaseAndRemoveAccent, ...settings } = stored;
  const json = await unpackTokenizer(packed);
  const kept = getMetadata(model, HUGGING_FACE_KEY);
  return {
    ...settings,
    tokenizer: { json, padId, unkToken, removeSpace, lowercaseAndRemoveAccent },
    ...(kept !== undefined && { huggingFace: parseEntry(kept, HuggingFace, HUGGING_FACE_KEY, refuse) }),
  };
}

const refuse = (where: string, expected: string, got: string, cause?: unknown): TaggerError =>
  new TaggerError("metadata", `openModel: metadata ${where}: expected ${expected}, got ${got}`, {
    name: SETTINGS_KEY,
    cause,
  });
