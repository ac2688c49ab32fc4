import { UsageError } from "../errors.js";

/** How much of the validation text recipes are judged on before some of them end. */
export interface Rung {
  /** From 1. */
  readonly number: number;
  /** Each `stride`-th sample, from the first: what one rung has, the next has too. */
  readonly stride: number;
  readonly samples: number;
}

const mostRungs = 4;
/** Fewer samples at the first rung tell recipes apart by chance. */
const fewestSamples = 50;

/**
 * Rungs that double, the last with all samples; four, or as many as leave the first 50 samples.
 *
 * @throws UsageError for more rungs than the samples can be halved
 */
export function ladderOf(samples: number, wanted?: number): readonly Rung[] {
  const fitting = 1 + Math.max(0, Math.floor(Math.log2(samples / fewestSamples)));
  const count = wanted ?? Math.min(mostRungs, fitting);
  const most = 1 + Math.floor(Math.log2(samples));
  if (count > most) {
    throw new UsageError(
      `sweep: --rungs ${count}: expected at most ${most} for ${samples} samples of validation text, got ${count}`,
    );
  }
  return Array.from({ length: count }, (_, i): Rung => {
    const stride = 2 ** (count - 1 - i);
    return { number: i + 1, stride, samples: Math.ceil(samples / stride) };
  });
}

/** The samples of a rung. */
export function samplesOfRung<T>(all: readonly T[], { stride }: Pick<Rung, "stride">): T[] {
  return all.filter((_, i) => i % stride === 0);
}
