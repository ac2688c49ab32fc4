import { hyphenated } from "@nasty/formats/iob";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chainDecoder, constrainChain, decoderOf, freeChain } from "../../src/tagging/decode.js";
import { labellingOf } from "../../src/index.js";

const score = fc.integer({ min: -20, max: 20 });

test("the best sequence is that of all sequences tried one by one", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }).chain((labels) =>
        fc.integer({ min: 1, max: 4 }).chain((length) =>
          fc.record({
            labels: fc.constant(labels),
            length: fc.constant(length),
            data: fc.array(score, { minLength: labels * length, maxLength: labels * length }),
            transitions: fc.array(score, { minLength: labels * labels, maxLength: labels * labels }),
            start: fc.array(score, { minLength: labels, maxLength: labels }),
            end: fc.array(score, { minLength: labels, maxLength: labels }),
          }),
        ),
      ),
      ({ labels, length, data, transitions, start, end }) => {
        const value = (path: readonly number[]): number =>
          path.reduce(
            (sum, label, i) =>
              sum +
              (data[i * labels + label] as number) +
              (i === 0 ? 0 : (transitions[(path[i - 1] as number) * labels + label] as number)),
            (start[path[0] as number] as number) + (end[path.at(-1) as number] as number),
          );
        let best = Number.NEGATIVE_INFINITY;
        for (let code = 0; code < labels ** length; code++) {
          best = Math.max(
            best,
            value(Array.from({ length }, (_, i) => Math.floor(code / labels ** i) % labels)),
          );
        }
        const decode = chainDecoder({
          transitions: Float32Array.from(transitions),
          start: Float32Array.from(start),
          end: Float32Array.from(end),
        });
        expect(value([...decode({ data: Float32Array.from(data), start: 0, length }, labels)])).toBe(best);
      },
    ),
  );
});

test.each([
  [
    ["O", "B-X", "I-X"],
    [
      [1, 0, 2],
      [0, 1, 3],
    ],
    ["B-X", "I-X"],
  ],
  [["O", "B-X", "I-X"], [[5, 0, 6]], ["O"]],
  [["O", "B-X", "I-X", "E-X", "S-X"], [[0, 9, 0, 0, 8]], ["S-X"]],
  [
    ["O", "B-X", "I-X", "B-Y", "I-Y"],
    [
      [0, 5, 0, 4.5, 0],
      [0, 0, 0, 0, 5],
    ],
    ["B-Y", "I-Y"],
  ],
])("labels %j are decoded within their scheme", (labels, rows, expected) => {
  const decode = decoderOf(labellingOf(labels), labels, undefined);
  const best = decode({ data: Float32Array.from(rows.flat()), start: 0, length: rows.length }, labels.length);
  expect([...best].map((label) => labels[label])).toEqual(expected);
});

test("NaN scores are no labels", () => {
  const data = new Float32Array(4).fill(Number.NaN);
  for (const task of ["pos", "ner"] as const) {
    expect(() =>
      decoderOf(
        { ...labellingOf(["O", "B-X"]), task },
        ["O", "B-X"],
        undefined,
      )({ data, start: 0, length: 2 }, 2),
    ).toThrow("tag: model: logits: expected numbers, got NaN");
  }
});

test("a constraint changes nothing but what it forbids", () => {
  const { transitions, start, end } = constrainChain(freeChain(3), ["O", "B-X", "I-X"], hyphenated("IOB2"));
  expect([...transitions]).toEqual([0, 0, Number.NEGATIVE_INFINITY, 0, 0, 0, 0, 0, 0]);
  expect([...start]).toEqual([0, 0, Number.NEGATIVE_INFINITY]);
  expect([...end]).toEqual([0, 0, 0]);
});
