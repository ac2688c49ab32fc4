import { type Recipe, recipeError, type RecipeWord } from "@nasty/compression/pipeline";
import type { LabelChoice } from "@nasty/taggers";
import { labelOptions } from "../operations/shared-options.js";
import { longName } from "../schema/operation.js";
import type { ValueOption } from "../schema/option.js";
import { readValue } from "../schema/values.js";
import { choiceOf } from "../texts/label-choice.js";

/** What the recipe says about labels, if the command does not say otherwise. */
export function choiceIn(
  { name, task, scheme }: Pick<Recipe, "name" | "task" | "scheme">,
  options: LabelChoice,
): LabelChoice {
  const read = <T>(word: RecipeWord | undefined, { flag, value }: ValueOption<T>): T | undefined => {
    if (word === undefined) return undefined;
    const result = readValue(value, word.text);
    if ("value" in result) return result.value;
    throw recipeError(name, word.at, `${longName(flag)}: ${result.expected}, got ${word.text}`);
  };
  const own = { task: read(task, labelOptions.task), scheme: read(scheme, labelOptions.scheme) };
  return choiceOf({ ...own, ...choiceOf(options) });
}
