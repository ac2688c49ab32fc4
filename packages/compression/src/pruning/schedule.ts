import { CompressionError } from "../compression-error.js";

export interface SparsitySchedule {
  /** s_f: sparsity when the schedule is over, in [0, 1]. */
  readonly final: number;
  /** s_i: sparsity when it begins. Default 0. */
  readonly initial?: number;
  /** t₀: first step that prunes. Default 0. */
  readonly begin?: number;
  /** n: how many times the sparsity is raised. */
  readonly times: number;
  /** Δt: steps between two raises. Default 1. */
  readonly every?: number;
}

/**
 * Sparsity at a training step by the cubic schedule: much is pruned early, while what is left is plenty, and little at
 * the end.
 *
 *     s(t) = s_f + (s_i − s_f)·(1 − (t − t₀)/(n·Δt))³   for t = t₀, t₀ + Δt, …, t₀ + n·Δt
 *
 * @param step t, from 0
 * @returns a share in [0, 1]: 0 before t₀, the value of the last raise between two, s_f after the last
 * @throws CompressionError `invalid-option` for shares outside [0, 1] and counts that are not whole
 * @see M. Zhu and S. Gupta, "To prune, or not to prune" (2017), equation 1
 * @example sparsityAt(500, { final: 0.8, times: 10, every: 100 }) // 0.7
 */
export function sparsityAt(step: number, schedule: SparsitySchedule): number {
  const { final, initial = 0, begin = 0, times, every = 1 } = schedule;
  for (const [name, value] of Object.entries({ final, initial })) {
    if (!(value >= 0 && value <= 1)) {
      refuse(name, "a share in [0, 1]", value);
    }
  }
  for (const [name, value, least] of [
    ["begin", begin, 0],
    ["times", times, 1],
    ["every", every, 1],
  ] as const) {
    if (!Number.isInteger(value) || value < least) {
      refuse(name, `a whole number from ${least}`, value);
    }
  }
  if (step < begin) {
    return 0;
  }
  const raises = Math.min(Math.floor((step - begin) / every), times);
  return final + (initial - final) * (1 - raises / times) ** 3;
}

function refuse(name: string, expected: string, got: number): never {
  throw new CompressionError("invalid-option", `sparsityAt: ${name}: expected ${expected}, got ${got}`);
}
