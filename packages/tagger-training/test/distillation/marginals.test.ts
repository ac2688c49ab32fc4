import type { ChainScores } from "@nasty/taggers/neural";
import { seededRandom } from "@nasty/training";
import { describe, expect, it } from "vitest";
import { chainMarginals, freeMarginals } from "../../src/distillation/marginals.js";

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
function enumerated(
  data: Float32Array,
  chain: ChainScores,
  temperature: number,
): { words: number[]; pairs: number[] } {
  const sums = Array<number>(words * labels).fill(0);
  const pairs = Array<number>((words - 1) * labels * labels).fill(0);
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
      if (i === 0) return;
      const cell = ((i - 1) * labels + (sequence[i - 1] as number)) * labels + label;
      pairs[cell] = (pairs[cell] as number) + weight;
    });
  }
  return { words: sums.map((sum) => sum / total), pairs: pairs.map((sum) => sum / total) };
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
    const found = chainMarginals(scores, chain, { temperature, pairs: true });
    found.words.forEach((value, i) => expect(value).toBeCloseTo(expected.words[i] as number, 12));
    expect(found.pairs).toHaveLength(expected.pairs.length);
    found.pairs?.forEach((value, i) => expect(value).toBeCloseTo(expected.pairs[i] as number, 12));
    expect(chainMarginals(scores, chain, { temperature }).pairs).toBeUndefined();
  });

  it("of labels without a chain are those of a chain that says nothing", () => {
    const { data } = example(5);
    const scores = { data, start: 0, length: words };
    const nothing = new Float32Array(labels);
    const chain = { transitions: new Float32Array(labels * labels), start: nothing, end: nothing };
    const options = { temperature: 1.5, pairs: true };
    const [free, chained] = [freeMarginals(scores, labels, options), chainMarginals(scores, chain, options)];
    free.words.forEach((value, i) => expect(value).toBeCloseTo(chained.words[i] as number, 12));
    expect(free.pairs).toHaveLength((words - 1) * labels * labels);
    free.pairs?.forEach((value, i) => expect(value).toBeCloseTo(chained.pairs?.[i] as number, 12));
  });

  it("are 0 for a label that no sequence has, and nothing for no words", () => {
    const { data, chain } = example(4);
    const start = Float32Array.of(Number.NEGATIVE_INFINITY, 0, 0);
    const scores = { data, start: 0, length: words };
    const { words: marginals } = chainMarginals(scores, { ...chain, start }, { temperature: 1 });
    expect(marginals[0]).toBe(0);
    expect((marginals[1] as number) + (marginals[2] as number)).toBeCloseTo(1, 12);
    const none = chainMarginals({ data, start: 0, length: 0 }, chain, { temperature: 1, pairs: true });
    expect([none.words.length, none.pairs?.length]).toEqual([0, 0]);
  });
});
