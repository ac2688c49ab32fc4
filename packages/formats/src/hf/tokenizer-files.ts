import * as v from "valibot";
import { FormatError } from "../format-error.js";
import { checkedJson } from "./json.js";

/** What `tokenizer_config.json` says. */
export interface TokenizerConfig {
  /** Text of the padding token; transformers.js refuses padded batches without it. */
  readonly padToken: string | undefined;
  readonly clsToken: string | undefined;
  readonly sepToken: string | undefined;
  readonly unknownToken: string | undefined;
  /** Longest input in subwords; undefined where the file has none or its placeholder of 10^30. */
  readonly maxLength: number | undefined;
  /** The whole file. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** What `tokenizer.json` holds, as far as it is looked at here; the tokenizer library takes `raw`. */
export interface TokenizerFile {
  /** `WordPiece`, `BPE`, `Unigram` or `WordLevel`; old files do not tell. */
  readonly modelKind: string | undefined;
  /** One more than the highest id of the vocabulary. */
  readonly vocabularySize: number;
  /** The whole file. */
  readonly raw: Readonly<Record<string, unknown>>;
}

const token = v.nullish(v.union([v.string(), v.looseObject({ content: v.string() })]));

const configSchema = v.looseObject({
  pad_token: token,
  cls_token: token,
  sep_token: token,
  unk_token: token,
  bos_token: token,
  eos_token: token,
  model_max_length: v.optional(v.unknown()),
  max_len: v.optional(v.unknown()),
});

const fileSchema = v.looseObject({ model: v.looseObject({ type: v.nullish(v.string()) }) });

/**
 * Reads `tokenizer_config.json` and checks it.
 *
 * @param json the file's text
 * @param file its name, for messages
 * @returns special tokens as text, whether the file has them as strings or as objects with `content`
 * @throws FormatError `json`, `schema` (a key of the wrong type, named)
 * @example
 * ```ts
 * parseTokenizerConfig('{"pad_token": "[PAD]"}').padToken; // "[PAD]"
 * ```
 */
export function parseTokenizerConfig(json: string, file = "tokenizer_config.json"): TokenizerConfig {
  const config = checkedJson("parseTokenizerConfig", file, json, configSchema);
  const length = Number(config.model_max_length ?? config.max_len ?? Number.NaN);
  return {
    padToken: textOf(config.pad_token),
    clsToken: textOf(config.cls_token) ?? textOf(config.bos_token),
    sepToken: textOf(config.sep_token) ?? textOf(config.eos_token),
    unknownToken: textOf(config.unk_token),
    maxLength: length >= 1 && length < 1e9 ? Math.floor(length) : undefined,
    raw: config,
  };
}

/** A token is written as text or as an object with its text in `content`. */
function textOf(written: v.InferOutput<typeof token>): string | undefined {
  return typeof written === "object" ? written?.content : written;
}

/**
 * Reads `tokenizer.json` and checks that it is one: a `model` with a vocabulary.
 *
 * @param json the file's text
 * @param file its name, for messages
 * @throws FormatError `json`, `schema` (no `model`, no `model.vocab`, or another type)
 * @see the serialization of Hugging Face tokenizers 0.20
 * @example
 * ```ts
 * parseTokenizerFile(text).modelKind; // "WordPiece"
 * ```
 */
export function parseTokenizerFile(json: string, file = "tokenizer.json"): TokenizerFile {
  const operation = "parseTokenizerFile";
  const raw = checkedJson(operation, file, json, fileSchema);
  const vocabularySize = sizeOf(raw.model["vocab"]);
  if (vocabularySize === 0) {
    const got = raw.model["vocab"] === undefined ? "nothing" : "something else";
    const expected = "a vocabulary (tokens with ids, or with scores)";
    throw new FormatError("schema", `${operation}: ${file}: model.vocab: expected ${expected}, got ${got}`, {
      path: file,
      name: "model.vocab",
    });
  }
  return {
    modelKind: raw.model.type ?? undefined,
    vocabularySize,
    raw,
  };
}

/**
 * One more than the highest id, or 0 for what is no vocabulary; a loop, for there may be 250,000 tokens at each start.
 */
function sizeOf(vocabulary: unknown): number {
  // A Unigram vocabulary is a list of tokens and scores: the position is the id.
  if (Array.isArray(vocabulary)) return vocabulary.every(Array.isArray) ? vocabulary.length : 0;
  if (typeof vocabulary !== "object" || vocabulary === null) return 0;
  let highest = -1;
  for (const id of Object.values(vocabulary)) {
    if (!Number.isSafeInteger(id) || id < 0) return 0;
    if (id > highest) highest = id;
  }
  return highest + 1;
}
