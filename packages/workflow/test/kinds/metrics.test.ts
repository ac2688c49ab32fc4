import { expect, test } from "vitest";
import { always, cosineOf, meanOf, pairedLoss, percentileOf, spearmanOf } from "../../src/kinds/bootstrap.js";
import { nearest, recalls } from "../../src/kinds/neighbours.js";
import { outputAgreement } from "../../src/kinds/output-agreement.js";

test("Spearman's correlation is Pearson's of ranks, ties having the mean of theirs", () => {
  expect(spearmanOf([1, 2, 3, 4], [1, 4, 9, 16])()).toBeCloseTo(1, 12);
  expect(spearmanOf([1, 2, 3, 4], [4, 3, 2, 1])()).toBeCloseTo(-1, 12);
  // Ranks 1, 2, 3, 4 and 1, 2.5, 2.5, 4: 4.5 / √(5 · 4.5).
  expect(spearmanOf([1, 2, 3, 4], [1, 2, 2, 3])()).toBeCloseTo(4.5 / Math.sqrt(5 * 4.5), 12);
  expect(spearmanOf([1, 1, 1], [1, 2, 3])()).toBe(0);
});

test("the paired bootstrap holds the loss, is the same for the same seed, and empty where nothing differs", () => {
  const [before, after] = [
    Array.from({ length: 200 }, (_, i) => Number(i % 10 !== 0)),
    Array.from({ length: 200 }, (_, i) => Number(i % 8 !== 0)),
  ];
  const options = { samples: 200, seed: 3 };
  const found = pairedLoss(meanOf(before), meanOf(after), options);
  expect(found.loss).toBeCloseTo(0.9 - 0.875, 12);
  expect(found.low).toBeLessThan(found.loss);
  expect(found.high).toBeGreaterThan(found.loss);
  expect(pairedLoss(meanOf(before), meanOf(after), options)).toEqual(found);
  expect(pairedLoss(always(1), always(1), options)).toEqual({ loss: 0, low: 0, high: 0 });
});

test("cosines and percentiles", () => {
  expect(cosineOf([1, 0], [1, 1])).toBeCloseTo(Math.SQRT1_2, 12);
  expect([cosineOf([0], [0]), cosineOf([0], [1])]).toEqual([1, 0]);
  expect(percentileOf([5, 1, 3, 2, 4], 0.5)).toBe(3);
});

const vectors = [
  [1, 0],
  [0.9, 0.1],
  [0, 1],
  [0.1, 0.9],
].map((one) => Float32Array.from(one));

test("neighbours that stay are counted, equally near ones too", () => {
  const were = nearest(vectors, 1);
  expect(were.map((list) => [...list])).toEqual([[1], [0], [3], [2]]);
  const turned = [vectors[0], vectors[2], vectors[1], vectors[3]] as Float32Array[];
  expect([...recalls(vectors, were, nearest(turned, 1))]).toEqual([0, 0, 0, 0]);
  expect([...recalls(vectors, were, were)]).toEqual([1, 1, 1, 1]);
  // Two that are the same may stand for each other.
  const twins = [vectors[0], vectors[1], vectors[1], vectors[2]] as Float32Array[];
  const first = nearest(twins, 1);
  expect(
    [
      ...recalls(
        twins,
        first,
        [[2], [0], [0], [1]].map((one) => Int32Array.from(one)),
      ),
    ][0],
  ).toBe(1);
});

test("outputs: errors, cosines over all and by sample, largest numbers that stay in place", () => {
  const rows = (...all: number[][]): Float32Array[] => all.map((one) => Float32Array.from(one));
  const found = outputAgreement("y", rows([1, 0, 0, 2], [0, 1, 1, 0]), rows([1, 0, 3, 2], [0, 1, 1, 0]), 2);
  expect(found).toMatchObject({ name: "y", top1: 0.75, maxError: 3, meanError: 3 / 8 });
  expect(found.cosineMean).toBeCloseTo((5 / Math.sqrt(5 * 14) + 1) / 2, 3);
  // A sample that says nothing, in either, is no other answer.
  const quiet = outputAgreement("y", rows([3, 4], [1e-4, 0]), rows([3, 4], [0, 1e-4]), 2);
  expect(quiet.cosineP01).toBeGreaterThan(0.99);
  const loud = outputAgreement("y", rows([3, 4], [0, 0]), rows([3, 4], [3, 4]), 2);
  expect(loud.cosineP01).toBeLessThan(0.1);
  // One number a sample has no direction: all samples' numbers together have.
  const single = outputAgreement("p", rows([1], [0]), rows([1], [1]), 1);
  expect(single).toMatchObject({ cosineMean: null, cosineP01: null, top1: null });
  expect(single.cosine).toBeCloseTo(Math.SQRT1_2, 12);
  const infinite = outputAgreement("y", rows([1, 2]), rows([1, Number.NaN]), 2);
  expect(infinite).toMatchObject({ cosine: 0, maxError: Number.POSITIVE_INFINITY });
});
