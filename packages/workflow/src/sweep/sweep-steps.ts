import type { OptionSchema, StepSchema } from "@nasty/compression/pipeline";
import { pruneStep, quantizeStep } from "../recipes/steps/model-steps.js";
import type { StepKind } from "../recipes/steps/step-kind.js";

/** What of a step is the sweep's own work: it judges all recipes alike. */
const judging: ReadonlySet<string> = new Set([
  "target-accuracy-loss",
  "max-drift",
  "validation",
  "fallback",
  "time-budget",
  "sensitivity",
]);

const isTried = ({ name }: OptionSchema): boolean => !judging.has(name);

/** The steps of a sweep's recipes, in their order. */
export const sweepSteps: readonly StepKind[] = [pruneStep, quantizeStep].map(
  (kind): StepKind => ({
    ...kind,
    schema: { ...kind.schema, options: kind.schema.options.filter(isTried) },
  }),
);

export const sweepSchemas: readonly StepSchema[] = sweepSteps.map(({ schema }) => schema);

export function sweepStep(name: string): StepKind {
  const found = sweepSteps.find(({ schema }) => schema.name === name);
  if (found === undefined) throw new TypeError(`sweep: no step of kind ${name}`);
  return found;
}
