import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stratifiedSample } from "../src/index.js";

const lengthOf = (words: readonly string[]): number => words.length;
const sentence = (length: number, id: number): string[] => Array.from({ length }, () => String(id));

describe("stratifiedSample", () => {
  it("has lengths as frequent as the whole, though the file begins with short ones", async () => {
    const items = [
      ...Array.from({ length: 600 }, (_, i) => sentence(3, i)),
      ...Array.from({ length: 300 }, (_, i) => sentence(12, i)),
      ...Array.from({ length: 100 }, (_, i) => sentence(60, i)),
    ];
    const sample = await stratifiedSample(items, { count: 50, lengthOf });
    const count = (length: number): number => sample.filter((words) => words.length === length).length;
    expect([count(3), count(12), count(60)]).toEqual([30, 15, 5]);
    // Not the first ones of each length.
    expect(
      Math.max(...sample.filter((words) => words.length === 3).map(([id]) => Number(id))),
    ).toBeGreaterThan(300);
  });

  it("gives what is left over to the length that is furthest below its share", async () => {
    const lengths = [1, 1, 1, 1, 1, 1, 1, 2, 2, 2];
    const sample = await stratifiedSample(lengths, { count: 2, lengthOf: (length) => length });
    expect(sample).toEqual([1, 2]);
  });

  it("depends on the seed and on nothing else", async () => {
    const items = Array.from({ length: 500 }, (_, i) => sentence(1 + (i % 20), i));
    const sample = (seed: number) => stratifiedSample(items, { count: 40, lengthOf, seed });
    expect(await sample(7)).toEqual(await sample(7));
    expect(await sample(7)).not.toEqual(await sample(8));
  });

  it("gives exactly what was asked for, in order, each item once; all if there are fewer", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 70 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 60 }),
        async (lengths, count) => {
          const items = lengths.map((length, place) => ({ length, place }));
          const sample = await stratifiedSample(items, { count, lengthOf: ({ length }) => length });
          expect(sample).toHaveLength(Math.min(count, items.length));
          const places = sample.map(({ place }) => place);
          expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
        },
      ),
    );
  });

  it("reads a stream once and refuses a count that means nothing", async () => {
    async function* stream() {
      for (let i = 0; i < 1000; i++) yield sentence(5, i);
    }
    expect(await stratifiedSample(stream(), { count: 10, lengthOf })).toHaveLength(10);
    await expect(stratifiedSample([], { count: 0, lengthOf })).rejects.toMatchObject({
      code: "invalid-option",
      message: "calibrate: sample count: expected an integer of at least 1, got 0",
    });
  });
});
