import { TaggerError } from "../tagger-error.js";
import { type Task, taskOf } from "../task.js";
import { parseTokenizerJson, vocabularyOf } from "./tokenizer-json.js";
import type { TokenizerSettings } from "./word-encoder.js";

/** All that a transformer tagger needs beside the model. */
export interface TransformerSettings {
  readonly kind: "transformer";
  readonly task: Task;
  readonly labels: readonly string[];
  readonly tokenizer: TokenizerSettings;
  /** Positions of the model that a row may fill, special tokens included; undefined if it has no limit. */
  readonly maxPositions?: number | undefined;
  /** Number of the first position: RoBERTa and its kin count from pad id + 1. */
  readonly positionOffset: number;
  /** Rows of the word embedding, where known. */
  readonly vocabularySize?: number | undefined;
}

/** The files of a Hugging Face directory, parsed. */
export interface HfParts {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tokenizerJson: unknown;
  readonly tokenizerConfig?: Readonly<Record<string, unknown>> | undefined;
}

/** Models whose position numbers begin behind the padding id (`create_position_ids_from_input_ids` in transformers). */
const POSITIONS_BEHIND_PADDING =
  /^(?:roberta|xlm-roberta|xlm-roberta-xl|roberta-prelayernorm|camembert|longformer|mpnet|data2vec-text|ibert|luke|mluke|xmod|esm|layoutlmv3|lilt|markuplm)$/;

/** Above this, `model_max_length` stands for "no limit". */
const NO_LIMIT = 1e6;

/**
 * Settings of a tagger from the files of a Hugging Face directory.
 *
 * Positions: `max_position_embeddings` of config.json less the offset of RoBERTa-like models, and not more than
 * `model_max_length` of tokenizer_config.json. Padding: `padding.pad_id` of tokenizer.json, else `pad_token` of
 * tokenizer_config.json, else `pad_token_id` of config.json, else 0.
 *
 * @param where names the directory in messages.
 * @throws TaggerError `labels` (no `id2label`, or ids with gaps), `tokenizer`.
 */
export function settingsFromHf(
  { config, tokenizerJson, tokenizerConfig = {} }: HfParts,
  where = "model",
): TransformerSettings {
  const labels = labelsOf(config["id2label"], where);
  const json = parseTokenizerJson(tokenizerJson, `${where}: tokenizer.json`);
  const vocabulary = vocabularyOf(json);
  for (const { content, id } of json.added_tokens) vocabulary.set(content, id);
  const padToken = tokenText(tokenizerConfig["pad_token"]);
  const padId =
    json.padding?.pad_id ??
    (padToken === undefined ? undefined : vocabulary.get(padToken)) ??
    count(config["pad_token_id"]) ??
    0;
  const behindPadding = POSITIONS_BEHIND_PADDING.test(String(config["model_type"] ?? ""));
  const positionOffset = behindPadding ? (count(config["pad_token_id"]) ?? padId) + 1 : 0;
  const embedded = count(config["max_position_embeddings"]);
  const modelMax = count(tokenizerConfig["model_max_length"]);
  const limits = [
    ...(embedded === undefined || embedded === 0 ? [] : [embedded - positionOffset]),
    ...(modelMax === undefined || modelMax === 0 || modelMax > NO_LIMIT ? [] : [modelMax]),
  ];
  return {
    kind: "transformer",
    task: taskOf(labels),
    labels,
    tokenizer: {
      json,
      padId,
      unkToken: tokenText(tokenizerConfig["unk_token"]),
      removeSpace: flag(tokenizerConfig["remove_space"]),
      lowercaseAndRemoveAccent: flag(tokenizerConfig["do_lowercase_and_remove_accent"]),
    },
    maxPositions: limits.length === 0 ? undefined : Math.min(...limits),
    positionOffset,
    vocabularySize: count(config["vocab_size"]),
  };
}

function labelsOf(id2label: unknown, where: string): string[] {
  const refuse = (expected: string, got: string): TaggerError =>
    new TaggerError(
      "labels",
      `openTagger: ${where}: config.json: id2label: expected ${expected}, got ${got}`,
      { name: "id2label" },
    );
  if (typeof id2label !== "object" || id2label === null)
    throw refuse("an object of labels by id", String(id2label));
  const entries = Object.entries(id2label as Record<string, unknown>);
  const labels = Array<string>(entries.length);
  for (const [id, label] of entries) {
    const index = Number(id);
    if (!Number.isInteger(index) || index < 0 || index >= entries.length)
      throw refuse(`ids 0 to ${entries.length - 1}`, id);
    if (typeof label !== "string") throw refuse("a string", typeof label);
    labels[index] = label;
  }
  return labels;
}

/** Tokens stand as text or as an object with their content. */
function tokenText(token: unknown): string | undefined {
  if (typeof token === "string") return token;
  const content = (token as { readonly content?: unknown } | null | undefined)?.content;
  return typeof content === "string" ? content : undefined;
}

const count = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;

const flag = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
