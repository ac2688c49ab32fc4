/** Exit codes of the command: done, a bug, wrong usage, unusable input, accuracy gate failed. */
export const exitCodes = { done: 0, bug: 1, usage: 2, input: 3, gate: 4 } as const;

/** Wrong usage that the argument parser cannot see (exit code 2). */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Unusable input found by the command itself rather than by a package (exit code 3). */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly kind = "input";
}

/** The accuracy gate refused the model (exit code 4). */
export class GateError extends Error {
  override readonly name = "GateError";
}
