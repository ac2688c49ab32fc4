import { type Latency, measureLatency } from "@nasty/runtime";
import type { Tagger } from "@nasty/taggers";
import type { Sample, Subject } from "../kinds/kind.js";
import { taggerSubject } from "../kinds/tagger-kind.js";

/** Milliseconds a sentence, as results say them. */
export type SentenceTimes = Pick<Latency, "p50" | "p95" | "mean" | "ci95">;

/** A latency without its samples. */
export function timesOf({ p50, p95, mean, ci95 }: Latency): SentenceTimes {
  return { p50, p95, mean, ci95 };
}

/** Milliseconds that one round of one model may take: enough sentences for a mean, short enough to interleave. */
const roundBudgetMs = 400;

/** What is timed: a model that is asked. */
type Timed = Pick<Subject, "runAll">;

/** As many of the samples, spread evenly, as the slowest model takes within the budget (at least one). */
async function affordable(
  models: readonly Timed[],
  sentences: readonly Sample[],
  batchSize: number,
): Promise<readonly Sample[]> {
  const probe = sentences.slice(0, Math.max(batchSize, 4));
  let slowest = 0;
  for (const model of models) {
    await model.runAll(probe, batchSize);
    const start = performance.now();
    await model.runAll(probe, batchSize);
    slowest = Math.max(slowest, (performance.now() - start) / probe.length);
  }
  const count = Math.max(batchSize, Math.min(sentences.length, Math.floor(roundBudgetMs / slowest)));
  const stride = Math.max(1, sentences.length / count);
  const chosen: Sample[] = [];
  for (let i = 0; Math.floor(i) < sentences.length && chosen.length < count; i += stride)
    chosen.push(sentences[Math.floor(i)]!);
  return chosen;
}

interface TimingOptions {
  readonly seed: number;
  readonly rounds?: number;
  readonly batchSize?: number;
}

/** {@link sampleLatencies} of taggers. */
export const sentenceLatencies = (
  taggers: readonly Tagger[],
  sentences: readonly (readonly string[])[],
  options: TimingOptions,
): Promise<Latency[]> =>
  sampleLatencies(
    taggers.map((tagger) => taggerSubject(tagger) as unknown as Subject),
    sentences,
    options,
  );

/**
 * Milliseconds per sample (sentence, text) of each model: the same samples, the models in turn, several rounds.
 *
 * @returns one summary a model; its samples are means over the samples of one round.
 */
export async function sampleLatencies(
  models: readonly Timed[],
  sentences: readonly Sample[],
  options: TimingOptions,
): Promise<Latency[]> {
  const { seed, rounds = 9, batchSize = 1 } = options;
  const sample = await affordable(models, sentences, batchSize);
  const candidates = models.map((model, index) => ({
    name: String(index),
    run: () => model.runAll(sample, batchSize),
  }));
  const measured = await measureLatency(candidates, { rounds, warmup: 1, minMs: 0, seed });
  const each = (value: number): number => value / sample.length;
  return measured.map((latency) => ({
    name: latency.name,
    p50: each(latency.p50),
    p95: each(latency.p95),
    mean: each(latency.mean),
    ci95: [each(latency.ci95[0]), each(latency.ci95[1])],
    samples: latency.samples.map(each),
  }));
}
