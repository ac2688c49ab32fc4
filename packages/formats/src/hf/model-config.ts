import * as v from "valibot";
import { checkedJson } from "./json.js";
import { modelTypeOfClass } from "./model-type.js";
import { readLabels } from "./read-labels.js";

/** What `config.json` says about a token classifier. */
export interface ModelConfig {
  /**
   * Family of the model, such as `bert`; kept as it is when a model is written again. Undefined where nothing tells.
   */
  readonly modelType: string | undefined;
  /** Labels in the order of the logits. */
  readonly labels: readonly string[];
  /** Longest input in subwords, special tokens included, where the file tells. */
  readonly maxPositions: number | undefined;
  /** Rows of the embedding table, where the file tells. */
  readonly vocabularySize: number | undefined;
  readonly padTokenId: number | undefined;
  /** `dtype` of `transformers.js_config`: which model file transformers.js takes. */
  readonly preferredDtype: string | undefined;
  /** What was made good or not looked at, a sentence each. */
  readonly notes: readonly string[];
  /** The whole file, with `model_type` where it could be found. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** What a config.json must say. */
export interface ConfigOptions {
  /** Whether a file without labels is refused; otherwise it has an empty list of them. Default true. */
  readonly needsLabels?: boolean;
}

const written = v.union([v.string(), v.number(), v.boolean()]);
/** Numbers that tagging does not depend on are not refused: other programs do not look at them either. */
const anything = v.optional(v.unknown());

const schema = v.looseObject({
  model_type: v.nullish(v.string()),
  architectures: anything,
  id2label: v.nullish(
    v.pipe(
      v.unknown(),
      v.transform((labels) => (Array.isArray(labels) ? Object.fromEntries(Object.entries(labels)) : labels)),
      v.record(v.string(), written),
    ),
  ),
  label2id: v.nullish(v.record(v.string(), v.union([v.number(), v.string()]))),
  num_labels: anything,
  max_position_embeddings: anything,
  n_positions: anything,
  max_sequence_length: anything,
  vocab_size: anything,
  pad_token_id: anything,
  "transformers.js_config": v.nullish(
    v.looseObject({ dtype: v.nullish(v.union([v.string(), v.record(v.string(), v.string())])) }),
  ),
});

/** Families whose positions begin behind the padding index, so that they hold pad + 1 fewer than the table has rows. */
const positionsBehindPadding = new Set([
  "roberta",
  "xlm-roberta",
  "camembert",
  "xlm-roberta-xl",
  "mpnet",
  "longformer",
  "roberta-prelayernorm",
  "data2vec-text",
  "xmod",
  "ibert",
  "luke",
  "mluke",
  "layoutlmv3",
  "lilt",
]);

/**
 * Reads `config.json` of a token classifier: labels strictly, all else leniently.
 *
 * @param json the file's text
 * @param file its name, for messages
 * @returns labels in logit order, from `id2label`, else `label2id`, else `num_labels`; `maxPositions` already lessened
 *   for RoBERTa's offset; the family by `architectures` where `model_type` is missing; `notes` say what was made good
 * @throws FormatError `json`; `schema` (a key of the wrong type, named); `missing` (no labels); `label` (an id that is
 *   no number)
 * @see PretrainedConfig of Hugging Face transformers 4 and 5
 * @example
 * ```ts
 * parseModelConfig(text).labels; // ["ADJ", "ADP", …]
 * ```
 */
export function parseModelConfig(
  json: string,
  file = "config.json",
  { needsLabels = true }: ConfigOptions = {},
): ModelConfig {
  const config = checkedJson("parseModelConfig", file, json, schema);
  const given = {
    id2label: config.id2label ?? undefined,
    label2id: config.label2id ?? undefined,
    numLabels: sizeOf(config.num_labels),
  };
  const hasLabels = Object.values(given).some((key) => key !== undefined);
  const { labels, notes } = needsLabels || hasLabels ? readLabels(file, given) : { labels: [], notes: [] };
  const [className] = Array.isArray(config.architectures) ? (config.architectures as unknown[]) : [];
  const named =
    config.model_type ?? (typeof className === "string" ? modelTypeOfClass(className) : undefined);
  const rows =
    sizeOf(config.max_position_embeddings) ??
    sizeOf(config.n_positions) ??
    sizeOf(config.max_sequence_length);
  const padTokenId = sizeOf(config.pad_token_id, 0);
  const isBehindPadding =
    named === undefined ? looksOffset(rows, padTokenId) : positionsBehindPadding.has(named);
  const offset = isBehindPadding ? (padTokenId ?? 1) + 1 : 0;
  const dtype = config["transformers.js_config"]?.dtype;
  const noFamily = `${file}: no model_type; ${named === undefined ? "the family is not known" : `taken as ${named} by architectures`}`;
  return {
    modelType: named,
    labels,
    maxPositions: rows === undefined || rows <= offset ? undefined : rows - offset,
    vocabularySize: sizeOf(config.vocab_size),
    padTokenId,
    // Where a file is named for each part of a model, a token classifier has the one part "model".
    preferredDtype: (typeof dtype === "object" && dtype !== null ? dtype["model"] : dtype) ?? undefined,
    notes: config.model_type == null ? [...notes, noFamily] : notes,
    raw: named === undefined ? config : { ...config, model_type: named },
  };
}

/** A size, whether it is written as a number or, as some programs do, as text; undefined for what is none. */
function sizeOf(value: unknown, least = 1): number | undefined {
  const size = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return Number.isSafeInteger(size) && (size as number) >= least ? (size as number) : undefined;
}

/** Two rows more than a power of two, and padding with id 1: a table of RoBERTa's kin. */
function looksOffset(rows: number | undefined, padTokenId: number | undefined): boolean {
  return rows !== undefined && rows > 2 && padTokenId === 1 && Number.isInteger(Math.log2(rows - 2));
}
