import { type Recipe, recipeError, type RecipeStep } from "@nasty/compression/pipeline";
import { UsageError } from "../../errors.js";
import { stepKind } from "./step-kinds.js";
import type { RecipeContext } from "./step-kind.js";

/** Refuses options that contradict each other or would do nothing, with their line, before anything runs. */
export async function checkSteps(
  recipe: Pick<Recipe, "name" | "steps">,
  context: RecipeContext,
): Promise<void> {
  let { tagger } = context;
  for (const step of recipe.steps) {
    const kind = stepKind(step.kind);
    try {
      await kind.check(step, { ...context, tagger });
      tagger = kind.taggerOf?.(step.options) ?? tagger;
    } catch (error) {
      const isInput = (error as { kind?: unknown }).kind === "input";
      if (!(error instanceof UsageError || isInput)) throw error;
      const message = (error as Error).message.replace(`${step.kind}: `, "");
      const what = `step ${step.number} (${step.kind}): ${message}`;
      throw recipeError(recipe.name, placeOf(step, message), what, error);
    }
  }
}

/** The line of the first option that a message names, else of the step. */
function placeOf({ at, optionsAt }: RecipeStep, message: string): RecipeStep["at"] {
  for (const [, option = ""] of message.matchAll(/--(?:no-)?([a-z-]+)/g)) {
    const place = optionsAt[option];
    if (place !== undefined) return place;
  }
  return at;
}
