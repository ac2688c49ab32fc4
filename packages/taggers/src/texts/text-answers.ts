import type { TextBatchOptions, Texts } from "./text-batches.js";
import type { ClassifierSettings } from "./text-settings.js";
import type { TextModel } from "./text-model.js";
import { TaggerError } from "../tagger-error.js";

/** A label and how sure the model is of it. */
export interface LabelScore {
  readonly label: string;
  /** From 0 to 1; of a regression the number itself. */
  readonly score: number;
}

/** What a classifier says of a text. */
export interface Classification extends LabelScore {
  /** All labels, the surest first. */
  readonly scores: readonly LabelScore[];
}

/**
 * Scores from the numbers that a classifier puts out: softmax over its labels, or with several labels a text, each for
 * itself, 1 / (1 + e^−x); of a regression the numbers as they are.
 */
export function labelScores(
  logits: Float32Array,
  { problem }: Pick<ClassifierSettings, "problem">,
): Float64Array {
  const scores = Float64Array.from(logits);
  if (problem === "regression") return scores;
  if (problem === "multi-label") return scores.map((x) => 1 / (1 + Math.exp(-x)));
  const largest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += scores[i] = Math.exp((scores[i] as number) - largest);
  return scores.map((x) => x / sum);
}

/** Index of the largest number, the first of equal ones. */
export function largestAt(row: ArrayLike<number>): number {
  let at = 0;
  for (let i = 1; i < row.length; i++) if ((row[i] as number) > (row[at] as number)) at = i;
  return at;
}

/**
 * What a classifier says of texts, in their order.
 *
 * @throws TaggerError `model-outputs` for a model that is no classifier
 * @example
 * ```ts
 * for await (const { label, score } of classifyTexts(model, [{ text: "What a film!" }])) label; // "positive"
 * ```
 */
export async function* classifyTexts(
  model: TextModel,
  texts: Texts,
  options?: TextBatchOptions,
): AsyncGenerator<Classification> {
  const { settings } = model;
  if (settings.kind !== "sequence-classification") throw wrongKind("a classifier of texts", settings.kind);
  for await (const row of model.rows(texts, options)) {
    const scores = [...labelScores(row, settings)]
      .map((score, i): LabelScore => ({ label: settings.labels[i] as string, score }))
      .sort((a, b) => b.score - a.score);
    yield { ...(scores[0] as LabelScore), scores };
  }
}

/**
 * The vectors of texts, in their order.
 *
 * @throws TaggerError `model-outputs` for a model that is no encoder
 */
export async function* embedTexts(
  model: TextModel,
  texts: Texts,
  options?: TextBatchOptions,
): AsyncGenerator<Float32Array> {
  const { settings } = model;
  if (settings.kind !== "feature-extraction") throw wrongKind("an encoder of texts", settings.kind);
  yield* model.rows(texts, options);
}

const wrongKind = (expected: string, got: string): TaggerError =>
  new TaggerError("model-outputs", `openModel: kind: expected ${expected}, got ${got}`);
