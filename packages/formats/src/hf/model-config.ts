import * as v from "valibot";
import { FormatError, type FormatErrorCode } from "../format-error.js";
import { checkedJson } from "./json.js";

/** What `config.json` says about a token classifier. */
export interface ModelConfig {
  /** Family of the model, such as `bert`; kept as it is when a model is written again. */
  readonly modelType: string;
  /** Labels in the order of the logits. */
  readonly labels: readonly string[];
  /** Longest input in subwords, special tokens included, where the file tells. */
  readonly maxPositions: number | undefined;
  /** Rows of the embedding table, where the file tells. */
  readonly vocabularySize: number | undefined;
  readonly padTokenId: number | undefined;
  /** `dtype` of `transformers.js_config`: which model file transformers.js takes. */
  readonly preferredDtype: string | undefined;
  /** The whole file. */
  readonly raw: Readonly<Record<string, unknown>>;
}

const size = v.pipe(v.number(), v.integer(), v.minValue(1));
const optionalSize = v.nullish(size);

const schema = v.looseObject({
  model_type: v.string(),
  id2label: v.nullish(v.record(v.string(), v.string())),
  label2id: v.nullish(v.record(v.string(), v.pipe(v.number(), v.integer()))),
  max_position_embeddings: optionalSize,
  n_positions: optionalSize,
  max_sequence_length: optionalSize,
  vocab_size: optionalSize,
  pad_token_id: v.nullish(v.pipe(v.number(), v.integer())),
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
 * Reads `config.json` of a token classifier and checks it.
 *
 * @param json the file's text
 * @param file its name, for messages
 * @returns labels in logit order, from `id2label` (else `label2id`); `maxPositions` already lessened for RoBERTa's offset
 * @throws FormatError `json`; `schema` (a key of the wrong type, named); `missing` (no labels); `label` (`id2label` not 0..n−1, a label
 *   twice, `label2id` not its inverse)
 * @see PretrainedConfig of Hugging Face transformers 4 and 5
 * @example
 * ```ts
 * parseModelConfig(text).labels; // ["ADJ", "ADP", …]
 * ```
 */
export function parseModelConfig(json: string, file = "config.json"): ModelConfig {
  const config = checkedJson("parseModelConfig", file, json, schema);
  const positions =
    config.max_position_embeddings ?? config.n_positions ?? config.max_sequence_length ?? undefined;
  const padTokenId = config.pad_token_id ?? undefined;
  const offset = positionsBehindPadding.has(config.model_type) ? (padTokenId ?? 1) + 1 : 0;
  const dtype = config["transformers.js_config"]?.dtype;
  return {
    modelType: config.model_type,
    labels: labelsOf(file, config.id2label ?? undefined, config.label2id ?? undefined),
    maxPositions: positions === undefined ? undefined : positions - offset,
    vocabularySize: config.vocab_size ?? undefined,
    padTokenId,
    // Where a file is named for each part of a model, a token classifier has the one part "model".
    preferredDtype: (typeof dtype === "object" && dtype !== null ? dtype["model"] : dtype) ?? undefined,
    raw: config,
  };
}

function labelsOf(
  file: string,
  id2label: Readonly<Record<string, string>> | undefined,
  label2id: Readonly<Record<string, number>> | undefined,
): string[] {
  const refuse = (code: FormatErrorCode, key: string, expected: string, got: string): FormatError =>
    new FormatError(code, `parseModelConfig: ${file}: ${key}: expected ${expected}, got ${got}`, {
      path: file,
      name: key,
    });
  const byId = new Map<number, string>();
  if (id2label !== undefined) {
    for (const [id, label] of Object.entries(id2label)) {
      if (!/^(0|[1-9][0-9]*)$/.test(id))
        throw refuse("label", "id2label", "numbers as keys", JSON.stringify(id));
      byId.set(Number(id), label);
    }
  } else {
    for (const [label, id] of Object.entries(label2id ?? {})) byId.set(id, label);
  }
  if (byId.size === 0) throw refuse("missing", "id2label", "the labels of a token classifier", "none");
  const labels: string[] = [];
  for (let id = 0; id < byId.size; id++) {
    const label = byId.get(id);
    if (label === undefined) {
      throw refuse("label", "id2label", `keys 0 to ${byId.size - 1}`, `no ${id} among ${byId.size} keys`);
    }
    const first = labels.indexOf(label);
    if (first >= 0)
      throw refuse("label", `id2label.${id}`, "each label once", `${JSON.stringify(label)} as ${first} too`);
    labels.push(label);
  }
  if (id2label !== undefined && label2id !== undefined && label2id !== null) {
    for (const [label, id] of Object.entries(label2id)) {
      if (labels[id] !== label) {
        const expected = labels.includes(label)
          ? `${labels.indexOf(label)} as in id2label`
          : "a label of id2label";
        throw refuse("label", `label2id.${label}`, expected, String(id));
      }
    }
  }
  return labels;
}
