import { type Latency, measureLatency } from "@nasty/runtime";
import type { Tagger } from "@nasty/taggers";

/** Milliseconds a sentence, as results say them. */
export type SentenceTimes = Pick<Latency, "p50" | "p95" | "mean" | "ci95">;

/** A latency without its samples. */
export function timesOf({ p50, p95, mean, ci95 }: Latency): SentenceTimes {
  return { p50, p95, mean, ci95 };
}

/** Milliseconds that one round of one model may take: enough sentences for a mean, short enough to interleave. */
const roundBudgetMs = 400;

async function tagAll(
  tagger: Tagger,
  sentences: readonly (readonly string[])[],
  batchSize: number,
): Promise<void> {
  for await (const _ of tagger.tag(sentences, { batchSize }));
}

/** As many of the sentences, spread evenly, as the slowest tagger tags within the budget (at least one). */
async function affordable(
  taggers: readonly Tagger[],
  sentences: readonly (readonly string[])[],
  batchSize: number,
): Promise<readonly (readonly string[])[]> {
  const probe = sentences.slice(0, Math.max(batchSize, 4));
  let slowest = 0;
  for (const tagger of taggers) {
    await tagAll(tagger, probe, batchSize);
    const start = performance.now();
    await tagAll(tagger, probe, batchSize);
    slowest = Math.max(slowest, (performance.now() - start) / probe.length);
  }
  const count = Math.max(batchSize, Math.min(sentences.length, Math.floor(roundBudgetMs / slowest)));
  const stride = Math.max(1, sentences.length / count);
  const chosen: (readonly string[])[] = [];
  for (let i = 0; Math.floor(i) < sentences.length && chosen.length < count; i += stride)
    chosen.push(sentences[Math.floor(i)]!);
  return chosen;
}

/**
 * Milliseconds per sentence of each tagger: the same sentences, the taggers in turn, several rounds.
 *
 * @returns one summary a tagger; its samples are means over the sentences of one round.
 */
export async function sentenceLatencies(
  taggers: readonly Tagger[],
  sentences: readonly (readonly string[])[],
  options: { readonly seed: number; readonly rounds?: number; readonly batchSize?: number },
): Promise<Latency[]> {
  const { seed, rounds = 9, batchSize = 1 } = options;
  const sample = await affordable(taggers, sentences, batchSize);
  const candidates = taggers.map((tagger, index) => ({
    name: String(index),
    run: () => tagAll(tagger, sample, batchSize),
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
