import type { OptimizerOptions } from "@nasty/training";
import type { Recipe } from "./recipe.js";

/**
 * AdamW with linear decay after a short warm-up, gradients clipped, averaged weights.
 *
 * @param undecayed weights that do not decay
 */
export const optimizerOf = (
  { learningRate, weightDecay, clipNorm, averageDecay }: Recipe,
  totalSteps: number,
  undecayed: readonly string[] = [],
): OptimizerOptions => ({
  kind: "adamw",
  learningRate,
  weightDecay,
  clipNorm,
  averageDecay,
  groups: [{ weights: undecayed, weightDecay: 0 }],
  schedule: {
    kind: "linear",
    warmUpSteps: Math.min(50, Math.floor(totalSteps / 10)),
    totalSteps,
  },
});
