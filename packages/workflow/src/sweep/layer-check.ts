import { CompressionError, dynamic, int8, prepareModel, type QuantizableOp } from "@nasty/compression";
import { recipeError, type RecipeStep, type Sweep } from "@nasty/compression/pipeline";
import type { ModelProto } from "@nasty/formats/onnx";
import { modeOfStep } from "../recipes/steps/model-steps.js";

/**
 * Refuses recipes that are to skip layers which the model has not, by the place of the pattern. Of a model that is
 * pruned first nobody knows its layers yet.
 */
export function layerCheck({ name, data }: Sweep, model: ModelProto): (steps: readonly RecipeStep[]) => void {
  const known = new Set<string>();
  let prepared: ModelProto | undefined;
  return (steps) => {
    const [step, later] = steps;
    if (step === undefined || later !== undefined || step.kind !== "quantize") return;
    const { "skip-layers": skipped = [], "op-types": ops } = step.options;
    const mode = modeOfStep(step.options, (text) => data[text] !== undefined);
    const skipLayers = [skipped].flat() as string[];
    const key = JSON.stringify([skipLayers, ops, mode === "static"]);
    if (skipLayers.length === 0 || known.has(key)) return;
    known.add(key);
    prepared ??= prepareModel(model).model;
    const options = {
      skipLayers,
      ...(typeof ops === "string" && { opTypes: ops.split(",").map((op) => op.trim()) as QuantizableOp[] }),
    };
    try {
      if (mode === "static") int8.activations(prepared, options);
      else dynamic.plan(prepared, options);
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      const at = step.optionsAt["skip-layers"] ?? step.at;
      throw recipeError(
        name,
        at,
        `quantize: ${error.message.replace(/^[\w.]+: skipLayers/, "skip-layers")}`,
        error,
      );
    }
  };
}
