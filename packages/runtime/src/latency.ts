import { uniformNumbers } from "@nasty/core";
import { RuntimeError } from "./runtime-error.js";

/** Something to time; `run` is awaited. */
export interface Candidate {
  readonly name: string;
  readonly run: () => unknown;
}

export interface LatencyOptions {
  /** Measurements of each candidate. Default 30. */
  readonly rounds?: number;
  /** Unmeasured rounds before them. Default 3. */
  readonly warmup?: number;
  /** A measurement repeats the run until it lasted this long, and is divided by the repetitions. Default 5 ms. */
  readonly minMs?: number;
  /** Of the bootstrap. Default 1. */
  readonly seed?: number;
}

/** Milliseconds per run. */
export interface Latency {
  readonly name: string;
  readonly p50: number;
  readonly p95: number;
  readonly mean: number;
  /** 95 % bootstrap interval of the mean. */
  readonly ci95: readonly [low: number, high: number];
  /** The measurements, one a round, in their order. */
  readonly samples: readonly number[];
}

/** The value below which the share `q` of sorted values lies, linear between neighbours; NaN of an empty list. */
export const quantile = (sorted: ArrayLike<number>, q: number): number => {
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (high - low) * (position - below);
};

const meanOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
};

/**
 * 95 % percentile-bootstrap interval of the mean (Efron and Tibshirani 1993, §13.3), 2,000 resamples.
 *
 * The same values and seed give the same interval; a single value gives an interval of width 0.
 */
export const bootstrapInterval = (values: readonly number[], seed = 1): readonly [number, number] => {
  const random = uniformNumbers(seed);
  const means = new Float64Array(2000);
  for (let round = 0; round < means.length; round++) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)] as number;
    means[round] = sum / values.length;
  }
  means.sort();
  return [quantile(means, 0.025), quantile(means, 0.975)];
};

/** p50, p95, mean and its interval of measurements in milliseconds. */
export const summarizeLatency = (name: string, samples: readonly number[], seed = 1): Latency => {
  const sorted = Float64Array.from(samples).sort();
  return {
    name,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    mean: meanOf(samples),
    ci95: bootstrapInterval(samples, seed),
    samples,
  };
};

const timeOnce = async (run: () => unknown, minMs: number): Promise<number> => {
  const start = performance.now();
  let repetitions = 0;
  let elapsed = 0;
  do {
    await run();
    repetitions++;
    elapsed = performance.now() - start;
  } while (elapsed < minMs);
  return elapsed / repetitions;
};

/** 0..n−1 turned by `round`, so that no candidate always follows the same one's caches and clock. */
const turned = (count: number, round: number): number[] =>
  Array.from({ length: count }, (_, index) => (index + round) % count);

/**
 * Times several candidates in turns, so that a slow minute of the machine hits all of them alike.
 *
 * @returns one summary for each candidate, in their order, in milliseconds per run
 * @throws RuntimeError `invalid-option` without candidates or with fewer than one round.
 *
 * @example
 * ```ts
 * const [float, int8] = await measureLatency([
 *   { name: "float32", run: () => floatSession.run(feeds) },
 *   { name: "int8", run: () => int8Session.run(feeds) },
 * ]);
 * float.p50 / int8.p50; // how many times faster
 * ```
 */
export const measureLatency = async (
  candidates: readonly Candidate[],
  { rounds = 30, warmup = 3, minMs = 5, seed = 1 }: LatencyOptions = {},
): Promise<Latency[]> => {
  if (candidates.length === 0) {
    throw new RuntimeError("invalid-option", "measureLatency: candidates: count: expected at least 1, got 0");
  }
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RuntimeError(
      "invalid-option",
      `measureLatency: rounds: expected an integer of at least 1, got ${rounds}`,
    );
  }
  const samples = candidates.map(() => [] as number[]);
  for (let round = -warmup; round < rounds; round++) {
    for (const index of turned(candidates.length, round + warmup)) {
      const { run } = candidates[index] as Candidate;
      const elapsed = await timeOnce(run, minMs);
      if (round >= 0) samples[index]?.push(elapsed);
    }
  }
  return candidates.map(({ name }, index) => summarizeLatency(name, samples[index] ?? [], seed));
};
