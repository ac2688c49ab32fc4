import type { DataName, StepOptions } from "@nasty/compression/pipeline";
import { modeOfStep, quantizeStep } from "../recipes/steps/model-steps.js";
import { longName } from "../schema/operation.js";
import { modeOptions } from "../quantization/mode-options.js";

/** What decides which options of `quantize` have something to do, beside each other. */
export interface OptionFacts {
  readonly has: (name: DataName) => boolean;
  /** Whether the model has LSTMs, the only int8 weights of int4 mode. */
  readonly hasLstms: boolean;
}

/**
 * The options of a `quantize` step that act in its mode: in a product of modes and methods most combinations name some
 * that do not.
 */
export function usedOptions(options: StepOptions, { has, hasLstms }: OptionFacts): StepOptions {
  const mode = modeOfStep(options, has);
  const unused = new Set<string>();
  for (const { option, modes, ofLstms } of modeOptions) {
    const acts = modes.includes(mode) && (hasLstms || ofLstms?.includes(mode) !== true);
    if (!acts) unused.add(longName(option));
  }
  if (unused.has("method") || options["method"] !== "percentile") unused.add("percentile");
  const acting = without(options, unused);
  return readsCalibration(acting, has) ? acting : without(acting, ofCalibration);
}

/** What says which calibration text is read, and how. */
const ofCalibration: ReadonlySet<string> = new Set(["calibration", "limit", "one-per-line"]);

function without(options: StepOptions, names: ReadonlySet<string>): StepOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.has(name)));
}

/** Whether the step has a use for calibration text, and gets some. */
function readsCalibration({ calibration, ...others }: StepOptions, has: OptionFacts["has"]): boolean {
  const needs = quantizeStep.schema.needs?.(others) ?? [];
  const isUsed = needs.some(({ name }) => name === "calibration");
  return isUsed && (calibration !== undefined || has("calibration"));
}
