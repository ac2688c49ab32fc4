import type { ModelConfig, TokenizerConfig } from "@nasty/formats/hf";
import * as v from "valibot";
import { checkLabels } from "../check-labels.js";
import { labelsKey } from "../encoders/labelled-config.js";
import { labelEntries, type LabelSettings, seenFromLabels } from "../label-choice.js";
import { TaggerError } from "../tagger-error.js";
import { parseTokenizerJson, type TokenizerJson } from "./tokenizer-json.js";
import type { TokenizerSettings } from "./word-encoder.js";

/** What turns text into the inputs of a transformer. */
export interface TextInputSettings {
  readonly tokenizer: TokenizerSettings;
  /** Positions of the model that a row may fill, special tokens included; undefined if it has no limit. */
  readonly maxPositions?: number | undefined;
  /** Number of the first position: RoBERTa and its kin count from pad id + 1. */
  readonly positionOffset: number;
  /** Rows of the word embedding, where known. */
  readonly vocabularySize?: number | undefined;
  /** What only a Hugging Face directory needs, where it is known. */
  readonly huggingFace?: HfFiles | undefined;
}

/** All that a transformer tagger needs beside the model. */
export interface TransformerSettings extends LabelSettings, TextInputSettings {
  readonly kind: "transformer";
}

type Json = Readonly<Record<string, unknown>>;

/**
 * What tagging does not need of a Hugging Face directory's files, kept so that a model file can become a directory
 * again.
 */
export interface HfFiles {
  /** `config.json` without labels, number type and the name that the model had on somebody's disk. */
  readonly config: Json;
  /** `tokenizer_config.json` as it was. */
  readonly tokenizerConfig: Json;
}

/** The small files of a Hugging Face directory; an `HfDirectory` of @nasty/formats is one. */
export interface HfParts {
  readonly config: ModelConfig;
  readonly tokenizerJson: unknown;
  readonly tokenizerConfig: TokenizerConfig;
}

/**
 * Settings of a tagger from the files of a Hugging Face directory.
 *
 * Positions: those of config.json (already less RoBERTa's offset), and not more than `model_max_length` of
 * tokenizer_config.json. Padding: `padding.pad_id` of tokenizer.json, else `pad_token` of tokenizer_config.json, else
 * `pad_token_id` of config.json, else 0.
 *
 * @param where names the directory in messages.
 * @throws TaggerError `tokenizer`, `labels` (empty, or with control characters).
 *
 * @example
 * ```ts
 * settingsFromHf(await openHfDirectory("models/pos")).labels; // ["ADJ", "ADP", …]
 * ```
 */
export function settingsFromHf(parts: HfParts, where = "model"): TransformerSettings {
  const { config } = parts;
  checkLabels(config.labels, `openTagger: ${where}: config.json`);
  return {
    kind: "transformer",
    ...labelSettings(config, where),
    labels: config.labels,
    ...inputSettings(parts, where),
  };
}

/**
 * What turns text into a model's inputs, from the files of a Hugging Face directory; see {@link settingsFromHf}.
 *
 * @throws TaggerError `tokenizer`
 */
export function inputSettings(
  { config, tokenizerJson, tokenizerConfig }: HfParts,
  where = "model",
): TextInputSettings {
  const json = parseTokenizerJson(tokenizerJson, `${where}: tokenizer.json`);
  const limits = [config.maxPositions, tokenizerConfig.maxLength].filter((limit) => limit !== undefined);
  return {
    tokenizer: {
      json,
      padId: json.padding?.pad_id ?? idOf(json, tokenizerConfig.padToken) ?? config.padTokenId ?? 0,
      unkToken: tokenizerConfig.unknownToken,
      removeSpace: flag(tokenizerConfig.raw["remove_space"]),
      lowercaseAndRemoveAccent: flag(tokenizerConfig.raw["do_lowercase_and_remove_accent"]),
    },
    maxPositions: limits.length === 0 ? undefined : Math.min(...limits),
    positionOffset: positionOffsetOf(config),
    vocabularySize: config.vocabularySize,
    huggingFace: { config: unlabelledConfig(config.raw), tokenizerConfig: tokenizerConfig.raw },
  };
}

const Kept = v.object(v.omit(v.object(labelEntries), ["labels"]).entries);

/** Task and scheme as the labels show them, unless the file was written with others. */
function labelSettings({ raw, labels }: ModelConfig, where: string): Omit<LabelSettings, "labels"> {
  const kept = raw[labelsKey];
  if (kept === undefined) return seenFromLabels(labels);
  const result = v.safeParse(Kept, kept);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new TaggerError(
    "metadata",
    `openTagger: ${where}: config.json: ${labelsKey}.${v.getDotPath(issue) ?? ""}: expected ${issue.expected}, got ${issue.received}`,
    { name: labelsKey },
  );
}

/** What holds of a model whatever its labels are and however its weights are stored. */
function unlabelledConfig(raw: Json): Json {
  const {
    id2label: _names,
    label2id: _ids,
    num_labels: _count,
    _name_or_path: _origin,
    "transformers.js_config": forBrowser,
    [labelsKey]: _labels,
    ...rest
  } = raw;
  const { dtype: _dtype, ...kept } = (forBrowser ?? {}) as Record<string, unknown>;
  return Object.keys(kept).length === 0 ? rest : { ...rest, "transformers.js_config": kept };
}

/** What the reader of config.json took off the rows of the position table: the positions up to the padding's. */
function positionOffsetOf({ raw, maxPositions }: ModelConfig): number {
  const rows = raw["max_position_embeddings"];
  return typeof rows === "number" && maxPositions !== undefined ? rows - maxPositions : 0;
}

function idOf(
  { added_tokens: added, model: { vocab } }: TokenizerJson,
  token: string | undefined,
): number | undefined {
  if (token === undefined) return undefined;
  const id = added.find(({ content }) => content === token)?.id;
  if (id !== undefined) return id;
  if (!Array.isArray(vocab)) return Object.hasOwn(vocab, token) ? vocab[token] : undefined;
  const at = vocab.findIndex(([piece]) => piece === token);
  return at < 0 ? undefined : at;
}

const flag = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
