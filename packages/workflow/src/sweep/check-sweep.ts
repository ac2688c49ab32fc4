import { basename, resolve } from "node:path";
import { type DataName, readSweep, recipeError, type Sweep } from "@nasty/compression/pipeline";
import { UsageError } from "../errors.js";
import { loadModel } from "../models/load-model.js";
import type { sweepOperation } from "../operations/sweep.js";
import { findFirstModel, type FirstModel } from "../recipes/first-model.js";
import { choiceIn } from "../recipes/recipe-choice.js";
import { readRecipeFile } from "../recipes/recipe-file.js";
import { locateTexts, type RecipeTexts } from "../recipes/recipe-texts.js";
import type { RecipeContext } from "../recipes/steps/step-kind.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { choiceForText } from "../texts/label-choice.js";
import { type ExpandedSweep, expandSweep } from "./expand-sweep.js";
import { sweepSchemas } from "./sweep-steps.js";

export type SweepSettings = SettingsOf<typeof sweepOperation.options>;

/** A sweep that was read and checked, and everything that its recipes need to know. */
export interface CheckedSweep extends ExpandedSweep {
  readonly sweep: Sweep;
  readonly first: FirstModel;
  readonly located: RecipeTexts;
  /** Texts are not cut yet. */
  readonly context: RecipeContext;
}

/**
 * Reads a sweep and makes its recipes; nothing is tried.
 *
 * @throws CompressionError `invalid-recipe` with the place of what is wrong in the file; UsageError for options that
 *   would do nothing
 */
export async function checkedSweep(
  settings: SweepSettings,
  reporter: Reporter,
  path: string,
): Promise<CheckedSweep> {
  if (settings.selected !== undefined && settings.select === undefined) {
    throw new UsageError("sweep: --selected: expected --select CONDITION to choose a file by, got none");
  }
  const sweep = readSweep(await readRecipeFile(path, "sweep"), sweepSchemas, path);
  if (sweep.data.validation === undefined) {
    throw recipeError(
      sweep.name,
      sweep.modelAt,
      "data: expected validation in the data section (recipes are judged on it), got none",
    );
  }
  const first = await findFirstModel(sweep, path);
  const located = await locateTexts(sweep, path);
  const choice = choiceIn(sweep, settings);
  const { tagger, model } = await loadModel(first.path, choiceForText(choice));
  const { seed, threads } = settings;
  const context: RecipeContext = {
    texts: located,
    folder: resolve(settings.output ?? `sweep-${basename(path).replace(/\.ya?ml$/i, "")}`),
    task: tagger?.task,
    choice,
    tagger: tagger?.kind,
    seed,
    threads,
    reporter,
  };
  const hasLstms = model.graph?.node.some(({ opType }) => opType === "LSTM") === true;
  const has = (name: DataName): boolean => sweep.data[name] !== undefined;
  return { sweep, first, located, context, ...(await expandSweep(sweep, { has, hasLstms, model }, context)) };
}
