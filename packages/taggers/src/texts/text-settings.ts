import type { Pooling, SentenceModules } from "@nasty/formats/hf";
import { checkLabels } from "../check-labels.js";
import { TaggerError } from "../tagger-error.js";
import { type HfParts, inputSettings, type TextInputSettings } from "../transformer/settings.js";

/** How the scores of a text classifier are meant. */
export type Problem = "single-label" | "multi-label" | "regression";

/** What a classifier of texts needs beside the model. */
export interface ClassifierSettings extends TextInputSettings {
  readonly kind: "sequence-classification";
  /** Labels by the index of the model's output. */
  readonly labels: readonly string[];
  readonly problem: Problem;
}

/** What a model that makes a vector of a text needs beside the model. */
export interface EmbedderSettings extends TextInputSettings {
  readonly kind: "feature-extraction";
  /** One pooling, or several whose vectors stand one behind the other. */
  readonly pooling: readonly Pooling[];
  /** Whether vectors are divided by their length. */
  readonly normalize: boolean;
}

/** What encodes texts for a graph whose answers nobody here knows, such as the scores of masked words. */
export interface TextGraphSettings extends TextInputSettings {
  readonly kind: "graph";
}

/** What a model of whole texts whose answers are known needs beside the model, by kind. */
export type TextSettings = ClassifierSettings | EmbedderSettings;

/** The same of any model that texts are encoded for. */
export type AnyTextSettings = TextSettings | TextGraphSettings;

/** The small files of a directory, those of the sentence-transformers library too. */
export type TextParts = HfParts & { readonly modules?: SentenceModules | undefined };

/**
 * Settings of a classifier or an encoder of texts from the files of a Hugging Face directory.
 *
 * Problem: `problem_type` of config.json, else `regression` with one label and `single-label` with more. Pooling and
 * normalization: those of the sentence-transformers library's files, else the mean without normalization.
 *
 * @param where names the directory in messages
 * @throws TaggerError `tokenizer`, `labels`
 */
export function textSettingsFromHf(
  kind: TextSettings["kind"],
  parts: TextParts,
  where?: string,
): TextSettings;
export function textSettingsFromHf(
  kind: AnyTextSettings["kind"],
  parts: TextParts,
  where?: string,
): AnyTextSettings;
export function textSettingsFromHf(
  kind: AnyTextSettings["kind"],
  parts: TextParts,
  where = "model",
): AnyTextSettings {
  const input = inputSettings(parts, where);
  if (kind === "graph") return { kind, ...input };
  if (kind === "sequence-classification") {
    const { labels, raw } = parts.config;
    if (labels.length === 0) {
      throw new TaggerError(
        "labels",
        `openModel: ${where}: config.json: id2label: expected labels, got none`,
      );
    }
    checkLabels(labels, `openModel: ${where}: config.json`);
    return { kind, labels, problem: problemOf(raw["problem_type"], labels.length), ...input };
  }
  const { pooling = ["mean"], normalize = false, maxLength } = parts.modules ?? {};
  const limits = [input.maxPositions, maxLength].filter((limit) => limit !== undefined);
  return {
    kind,
    pooling,
    normalize,
    ...input,
    maxPositions: limits.length === 0 ? undefined : Math.min(...limits),
  };
}

function problemOf(written: unknown, labels: number): Problem {
  switch (written) {
    case "multi_label_classification":
      return "multi-label";
    case "single_label_classification":
      return "single-label";
    case "regression":
      return "regression";
    default:
      return labels === 1 ? "regression" : "single-label";
  }
}
