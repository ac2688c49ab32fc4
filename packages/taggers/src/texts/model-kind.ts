import type { ModelProto } from "@nasty/formats/onnx";
import { infosOf } from "../model-inputs.js";

/** What a model is for, as far as its config.json and its outputs show. */
export type ModelKindName =
  | "token-classification"
  | "sequence-classification"
  | "feature-extraction"
  | "graph";

/** Ends of the names of transformers' classes, by kind. */
const classes: readonly (readonly [end: RegExp, kind: ModelKindName])[] = [
  [/ForTokenClassification$/, "token-classification"],
  [/ForSequenceClassification$/, "sequence-classification"],
  [/For[A-Z]\w*$|Heads?Model$/, "graph"],
  [/^SentenceTransformer$|Model$/, "feature-extraction"],
];

/** Outputs that encoders of texts have, as exporters name them. */
const featureNames = new Set([
  "last_hidden_state",
  "sentence_embedding",
  "token_embeddings",
  "pooler_output",
  "text_embeds",
]);

/**
 * The kind of a model with a config.json: by its class (`architectures`), else by its outputs: `logits` of three
 * dimensions are labels of tokens, of two those of texts, hidden states are features.
 *
 * @returns undefined where neither tells
 * @example
 * ```ts
 * modelKindOf({ architectures: ["BertForSequenceClassification"] }, model); // "sequence-classification"
 * ```
 */
export function modelKindOf(
  config: Readonly<Record<string, unknown>>,
  model: ModelProto,
): ModelKindName | undefined {
  const outputs = infosOf(model.graph?.output ?? []);
  const logits = outputs.find(({ name }) => name === "logits");
  const rank = logits?.shape.length;
  const [named] = Array.isArray(config["architectures"]) ? (config["architectures"] as unknown[]) : [];
  if (typeof named === "string") {
    const found = classes.find(([end]) => end.test(named))?.[1];
    // A name that the outputs contradict was left behind by whoever changed the model.
    const isContradicted =
      (found === "feature-extraction" && logits !== undefined) ||
      (found === "sequence-classification" && rank === 3);
    if (found !== undefined && !isContradicted) return found;
  }
  if (typeof config["problem_type"] === "string" && rank !== 3) return "sequence-classification";
  if (rank === 2) return "sequence-classification";
  if (rank === 3) return "token-classification";
  return outputs.some(({ name }) => featureNames.has(name)) ? "feature-extraction" : undefined;
}
