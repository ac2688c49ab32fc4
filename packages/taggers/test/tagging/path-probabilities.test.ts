import fc from "fast-check";
import { expect, test } from "vitest";
import { constrainChain, decoderOf, freeChain } from "../../src/tagging/decode.js";
import { choicesOfPath } from "../../src/tagging/choices.js";
import { pathProbabilities } from "../../src/tagging/path-probabilities.js";
import { labellingOf } from "../../src/index.js";

const score = fc.integer({ min: -5, max: 5 });
const scores = (count: number) =>
  fc.array(score, { minLength: count, maxLength: count }).map((all) => Float32Array.from(all));

test("a marginal is the share of all sequences that have the label there", () => {
  const cases = fc
    .record({ labels: fc.integer({ min: 1, max: 3 }), length: fc.integer({ min: 1, max: 4 }) })
    .chain(({ labels, length }) =>
      fc.record({
        labels: fc.constant(labels),
        length: fc.constant(length),
        data: scores(labels * length),
        transitions: scores(labels * labels),
        start: scores(labels),
        end: scores(labels),
        isForbidden: fc.boolean(),
      }),
    );
  fc.assert(
    fc.property(cases, ({ labels, length, data, transitions, start, end, isForbidden }) => {
      // The last label never follows the first.
      if (isForbidden && labels > 1) transitions[labels - 1] = Number.NEGATIVE_INFINITY;
      const at = (values: Float32Array, index: number) => values[index] as number;
      let total = 0;
      const shares = new Float64Array(length * labels);
      for (let code = 0; code < labels ** length; code++) {
        const path = Array.from({ length }, (_, i) => Math.floor(code / labels ** i) % labels);
        const sum = path.reduce(
          (all, label, i) =>
            all +
            at(data, i * labels + label) +
            (i === 0 ? 0 : at(transitions, (path[i - 1] as number) * labels + label)),
          at(start, path[0] as number) + at(end, path.at(-1) as number),
        );
        total += Math.exp(sum);
        for (const [i, label] of path.entries())
          shares[i * labels + label] = (shares[i * labels + label] as number) + Math.exp(sum);
      }
      for (let label = 0; label < labels; label++) {
        const path = new Int32Array(length).fill(label);
        const found = pathProbabilities({ data, start: 0, length }, path, { transitions, start, end });
        found.forEach((p, i) => expect(p).toBeCloseTo((shares[i * labels + label] as number) / total, 9));
      }
    }),
  );
});

test("large scores do not overflow, no words have none, and a chain that allows nothing gives 0", () => {
  const chain = freeChain(2);
  const data = Float32Array.of(1e4, 1e4, 2e4, -2e4);
  const large = pathProbabilities({ data, start: 0, length: 2 }, Int32Array.of(0, 0), chain);
  expect([...large]).toEqual([expect.closeTo(0.5, 9), 1]);
  expect(pathProbabilities({ data, start: 0, length: 0 }, new Int32Array(0), chain)).toHaveLength(0);
  const nothing = { ...chain, start: new Float32Array(2).fill(Number.NEGATIVE_INFINITY) };
  expect([...pathProbabilities({ data, start: 0, length: 1 }, Int32Array.of(0), nothing)]).toEqual([0]);
});

test("without scores of sequences a label that the scheme forced has the softmax of its own score", () => {
  const labels = ["O", "B-X", "I-X"];
  const labelling = labellingOf(labels);
  const decode = decoderOf(labelling, labels, undefined);
  // I-X is best, and may not begin: B-X has 3 of 10.
  const data = Float32Array.from([1, 3, 6], Math.log);
  const { labels: path, probabilities } = choicesOfPath({ data, start: 0, length: 1 }, 3, {
    decode,
    chain: undefined,
  });
  expect(path[0]).toBe(1);
  expect(probabilities[0]).toBeCloseTo(0.3, 6);
  // With them it has its share of the sequences that are allowed: 3 of 1 + 3.
  const chain = constrainChain(freeChain(3), labels, labelling.form);
  expect(choicesOfPath({ data, start: 0, length: 1 }, 3, { decode, chain }).probabilities[0]).toBeCloseTo(
    0.75,
    6,
  );
});
