import { GateError } from "@nasty/workflow/command";
import { planRecipe, runRecipeSteps } from "@nasty/workflow/recipes";
import { recipePlanText, recipeText } from "@nasty/workflow/report";
import type { Terminal } from "../terminal/console.js";

/** `nasty pipeline`: a recipe's steps one after the other, with one report. */
export async function pipeline(
  options: Parameters<typeof runRecipeSteps>[0] & { readonly dryRun?: boolean },
  terminal: Terminal,
  path: string,
): Promise<void> {
  if (options.dryRun === true) {
    const plan = await planRecipe(options, terminal, path);
    terminal.result(plan, () => recipePlanText(plan));
    return;
  }
  const { passed: _, ...result } = await runRecipeSteps(options, terminal, path);
  terminal.result(result, () => recipeText(result));
  const { refused } = result;
  if (refused !== null) throw new GateError(`step ${refused.step} (${refused.kind}): ${refused.message}`);
}
