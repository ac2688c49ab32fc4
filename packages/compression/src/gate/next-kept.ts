/** What is known of one number of weights in float. */
export interface Tried {
  readonly kept: number;
  readonly passed: boolean;
}

/**
 * The next number of weights to leave in float: doubled until one passes, then the middle between the largest that
 * failed below it and the smallest that passed.
 *
 * @param most the largest number that makes sense
 * @returns undefined when the smallest is known, or none passes
 * @example nextKept([{ kept: 0, passed: false }, { kept: 1, passed: false }], 20) // 2
 */
export function nextKept(tried: readonly Tried[], most: number): number | undefined {
  const passing = tried.filter(({ passed }) => passed).map(({ kept }) => kept);
  const smallest = Math.min(...passing);
  const failing = tried.filter(({ passed, kept }) => !passed && kept < smallest).map(({ kept }) => kept);
  const largest = Math.max(-1, ...failing);
  if (passing.length === 0) {
    const next = Math.min(most, largest < 1 ? largest + 1 : 2 * largest);
    return next > largest ? next : undefined;
  }
  return smallest - largest > 1 ? Math.floor((smallest + largest) / 2) : undefined;
}
