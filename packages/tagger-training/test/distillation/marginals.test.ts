import type { ChainScores } from "@nasty/taggers/neural";
import { seededRandom } from "@nasty/training";
import { describe, expect, it } from "vitest";
import { chainMarginals } from "../../src/distillation/marginals.js";

const labels = 3;
const words = 4;

function example(seed: number): { data: Float32Array; chain: ChainScores } {
  const random = seededRandom(seed);
  const normal = (length: number): Float32Array =>
    Float32Array.from({ length }, () => Math.fround(2 * random.normal()));
  const transitions = normal(labels * labels);
  transitions[1] = Number.NEGATIVE_INFINITY;
  return {
    data: normal(words * labels),
    chain: { transitions, start: normal(labels), end: normal(labels) },
  };
}

/** The definition: every sequence, one by one. */
function enumerated(data: Float32Array, chain: ChainScores, temperature: number): number[] {
  const sums = Array<number>(words * labels).fill(0);
  let total = 0;
  for (let code = 0; code < labels ** words; code++) {
    const sequence = Array.from({ length: words }, (_, i) => Math.floor(code / labels ** i) % labels);
    let score =
      (chain.start[sequence[0] as number] as number) + (chain.end[sequence.at(-1) as number] as number);
    sequence.forEach((label, i) => {
      score += data[i * labels + label] as number;
      if (i > 0) score += chain.transitions[(sequence[i - 1] as number) * labels + label] as number;
    });
    const weight = Math.exp(score / temperature);
    total += weight;
    sequence.forEach((label, i) => {
      sums[i * labels + label] = (sums[i * labels + label] as number) + weight;
    });
  }
  return sums.map((sum) => sum / total);
}

describe("marginals of a chain", () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 2.5],
  ])("equal the sum over all sequences (seed %i, temperature %f)", (seed, temperature) => {
    const { data, chain } = example(seed);
    const scores = { data: Float32Array.of(9, 9, ...data), start: 2, length: words };
    const expected = enumerated(data, chain, temperature);
    chainMarginals(scores, chain, temperature).forEach((value, i) =>
      expect(value).toBeCloseTo(expected[i] as number, 12),
    );
  });

  it("are 0 for a label that no sequence has, and nothing for no words", () => {
    const { data, chain } = example(4);
    const start = Float32Array.of(Number.NEGATIVE_INFINITY, 0, 0);
    const marginals = chainMarginals({ data, start: 0, length: words }, { ...chain, start }, 1);
    expect(marginals[0]).toBe(0);
    expect((marginals[1] as number) + (marginals[2] as number)).toBeCloseTo(1, 12);
    expect(chainMarginals({ data, start: 0, length: 0 }, chain, 1)).toHaveLength(0);
  });
});
