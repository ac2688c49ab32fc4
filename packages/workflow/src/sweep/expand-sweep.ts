import {
  checkNeeds,
  type OptionValue,
  type Position,
  recipeError,
  type RecipeStep,
  type Sweep,
  type SweepEntry,
  type SweepStep,
} from "@nasty/compression/pipeline";
import type { ModelProto } from "@nasty/formats/onnx";
import { checkSteps } from "../recipes/steps/check-steps.js";
import type { RecipeContext } from "../recipes/steps/step-kind.js";
import { identityOf } from "./candidate.js";
import { layerCheck } from "./layer-check.js";
import { sweepStep } from "./sweep-steps.js";
import { type OptionFacts, usedOptions } from "./used-options.js";

/** More are not tried but mistaken: each takes seconds. */
const mostCombinations = 10_000;

/** The recipes of a sweep, each once. */
export interface ExpandedSweep {
  readonly recipes: readonly (readonly RecipeStep[])[];
  /** All combinations of values; those that say the same in another way are one recipe. */
  readonly combinations: number;
}

/**
 * Makes the recipes of a sweep: of every entry the product of its values. Options that do nothing in the mode of a
 * combination are left out of it; one that does nothing in any of its entry is refused.
 *
 * @param facts with the model as it was read
 * @throws CompressionError `invalid-recipe` with the place, for options that contradict each other or do nothing, for
 *   layers that the model has not, for texts that are missing, and for more than 10,000 combinations
 */
export async function expandSweep(
  sweep: Sweep,
  { model, ...facts }: OptionFacts & { readonly model: ModelProto },
  context: RecipeContext,
): Promise<ExpandedSweep> {
  const checkLayers = layerCheck(sweep, model);
  const recipes = new Map<string, readonly RecipeStep[]>();
  let combinations = 0;
  for (const entry of sweep.entries) {
    combinations += productSize(entry);
    if (combinations > mostCombinations) {
      throw recipeError(
        sweep.name,
        entry.at,
        `sweep: expected at most ${mostCombinations} combinations, got ${combinations} up to here; leave out values`,
      );
    }
    for (const steps of combinationsOf(sweep, entry, facts)) {
      const key = identityOf(steps);
      if (recipes.has(key)) continue;
      for (const step of steps) checkNeeds(step, sweepStep(step.kind).schema, sweep.data, failIn(sweep));
      await checkSteps({ name: sweep.name, steps }, context);
      checkLayers(steps);
      recipes.set(key, steps);
    }
  }
  return { recipes: [...recipes.values()], combinations };
}

const failIn =
  ({ name }: Sweep) =>
  (at: Position, what: string) =>
    recipeError(name, at, what);

const productSize = ({ steps }: SweepEntry): number =>
  steps.flatMap(({ axes }) => axes).reduce((size, { values }) => size * values.length, 1);

function combinationsOf(
  sweep: Sweep,
  entry: SweepEntry,
  facts: OptionFacts,
): readonly (readonly RecipeStep[])[] {
  let combined: (readonly RecipeStep[])[] = [[]];
  for (const step of entry.steps) {
    const forms = formsOf(sweep, step, facts);
    combined = combined.flatMap((steps) =>
      forms.map((form) => [...steps, { ...form, number: steps.length + 1 }]),
    );
  }
  return combined;
}

/** A step with each combination of its options' values. */
function formsOf(sweep: Sweep, { kind, axes, at }: SweepStep, facts: OptionFacts): readonly RecipeStep[] {
  let combined: Record<string, OptionValue>[] = [{}];
  for (const { name, values } of axes) {
    combined = combined.flatMap((options) => values.map((value) => ({ ...options, [name]: value })));
  }
  const optionsAt = Object.fromEntries(axes.map((axis) => [axis.name, axis.at]));
  const used = kind === "quantize" ? combined.map((options) => usedOptions(options, facts)) : combined;
  for (const { name, at: place } of axes) {
    if (used.some((options) => name in options)) continue;
    throw recipeError(
      sweep.name,
      place,
      `${kind}: ${name}: expected a combination in which it does something, got none of ${combined.length}; give a mode or method that uses it`,
    );
  }
  return used.map((options) => ({ number: 1, kind, options, at, optionsAt }));
}
