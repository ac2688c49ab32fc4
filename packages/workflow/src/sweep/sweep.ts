import { sweepOperation } from "../operations/sweep.js";
import { type GivenBeside, perform } from "../perform.js";
import { planSweep, runSweep } from "./run-sweep.js";
import type { SweepPlan, SweepResult } from "./sweep-result.js";

export type SweepOptions = GivenBeside<typeof sweepOperation.options, never>;

/**
 * Tries many recipes on one model: the product of the values that a YAML file has for the options of `prune` and
 * `quantize`. What recipes share is done once; those that are beaten on a part of the validation text end there. What
 * is left is the frontier: files of which no other one of the same mode is no larger and loses no more.
 *
 * A sweep that ended early goes on when it is called again, and ends with the same frontier.
 *
 * @param path the sweep, a YAML file
 * @returns the frontier, and where every recipe ended and why; `passed` is false where `select` has chosen nothing
 * @throws CompressionError `invalid-recipe` with line and column for a file that is not right; InputError if no recipe
 *   can be carried out; the signal's reason
 * @example
 * ```ts
 * const { frontier, selected } = await sweep("sizes.yaml", { select: "loss <= 0.001" });
 * console.log(selected?.output?.path, frontier.length);
 * ```
 */
async function sweepRecipes(path: string, options: SweepOptions = {}): Promise<SweepResult> {
  return perform(sweepOperation, { ...options }, (settings, reporter) => runSweep(settings, reporter, path));
}

/** Checks a sweep and lists its recipes; nothing is tried. */
function plan(path: string, options: SweepOptions = {}): Promise<SweepPlan> {
  return perform(sweepOperation, { ...options }, (settings, reporter) => planSweep(settings, reporter, path));
}

/** {@link sweepRecipes}, and its plan as `sweep.plan`. */
export const sweep = Object.assign(sweepRecipes, { plan });
