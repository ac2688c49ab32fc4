import { type ModelLike } from "../models/model-like.js";
import { withOpenModels } from "../models/open-models.js";
import { compareOperation } from "../operations/quantize.js";
import { type Given, openModelsIn, perform } from "../perform.js";
import { modelPath } from "../schema/settings-of.js";
import { UsageError } from "../errors.js";
import { type Comparison, type PairComparison, runComparison } from "./compare-models.js";

/** What {@link compare} takes beside the models; `flips` of two models only. */
export type CompareOptions = Omit<Given<typeof compareOperation.options>, "original" | "quantized">;

/**
 * Tags the same labelled text with several models and compares their accuracy, size, memory and speed with the first
 * one's.
 *
 * @param models two or more of one task
 * @returns of two models what `quantize eval --json` prints; `String(result)` is a table
 * @throws UsageError, InputError for models of different tasks or a text that is not labelled; the signal's reason
 * @example
 * ```ts
 * console.log(String(await compare(["pos.onnx", "pos_int8.onnx"], { on: text("test.conllu") })));
 * ```
 */
export function compare(
  models: readonly [ModelLike, ModelLike],
  options: CompareOptions,
): Promise<PairComparison>;
export function compare(models: readonly ModelLike[], options: CompareOptions): Promise<Comparison>;
export async function compare(models: readonly ModelLike[], options: CompareOptions): Promise<Comparison> {
  const [original, quantized] = models;
  if (original === undefined || quantized === undefined) {
    throw new UsageError(`quantize eval: models: expected two or more to compare, got ${models.length}`);
  }
  const paths = models.map((model, i) => modelPath(model, `quantize eval: models.${i}`));
  return withOpenModels(openModelsIn(models), () =>
    perform(compareOperation, { original, quantized, ...options }, (settings, reporter) =>
      runComparison({ ...settings, models: paths }, reporter),
    ),
  );
}
