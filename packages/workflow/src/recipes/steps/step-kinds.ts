import { evalStep } from "./eval-step.js";
import { compressStep, pruneStep, quantizeStep } from "./model-steps.js";
import { distillStep, exportStep, fineTuneStep } from "./training-steps.js";
import type { StepKind } from "./step-kind.js";

/** All steps that a recipe may name. */
export const stepKinds: readonly StepKind[] = [
  quantizeStep,
  pruneStep,
  distillStep,
  fineTuneStep,
  compressStep,
  exportStep,
  evalStep,
];

export function stepKind(name: string): StepKind {
  const found = stepKinds.find(({ schema }) => schema.name === name);
  if (found === undefined) throw new TypeError(`pipeline: no step of kind ${name}`);
  return found;
}
