import { TrainingError } from "../training-error.js";

/** How the learning rate changes over the steps, as a factor of the peak rate. */
export interface Schedule {
  /** After the warm-up: `constant`, `linear` or `cosine` decay to `finalFactor` at `totalSteps`. Default constant. */
  readonly kind?: "constant" | "linear" | "cosine";
  /** Steps over which the rate rises linearly from 0. Default 0. */
  readonly warmUpSteps?: number;
  /** Required by linear and cosine. */
  readonly totalSteps?: number;
  /** Factor at the end. Default 0. */
  readonly finalFactor?: number;
}

/**
 * Factor of the learning rate at a step.
 *
 * With w warm-up steps, n total steps and p = (step − w) / (n − w): step/w during the warm-up, then 1, or
 * f + (1 − f)·(1 − p), or f + (1 − f)·(1 + cos πp)/2.
 *
 * @param step number of the step, from 1
 * @returns a factor in [0, 1]; `finalFactor` after `totalSteps`
 * @throws TrainingError `invalid-option` for a decay without `totalSteps` above the warm-up.
 * @example scheduleFactor({ kind: "linear", totalSteps: 10 }, 5); // 0.5
 */
export function scheduleFactor(schedule: Schedule, step: number): number {
  const { kind = "constant", warmUpSteps = 0, totalSteps, finalFactor = 0 } = schedule;
  if (step < warmUpSteps) return step / warmUpSteps;
  if (kind === "constant") return 1;
  if (totalSteps === undefined || !(totalSteps > warmUpSteps)) {
    throw new TrainingError(
      "invalid-option",
      `scheduleFactor: ${kind}: totalSteps: expected more than the ${warmUpSteps} warm-up steps, got ${totalSteps}`,
    );
  }
  const progress = Math.min(1, (step - warmUpSteps) / (totalSteps - warmUpSteps));
  const shape = kind === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return finalFactor + (1 - finalFactor) * shape;
}
