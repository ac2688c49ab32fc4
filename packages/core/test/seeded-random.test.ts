import { describe, expect, test } from "vitest";
import { seededRandom, shuffled } from "../src/index.js";

const words = (random: () => number, count: number): number[] =>
  Array.from({ length: count }, () => random() * 2 ** 32);

describe("seededRandom", () => {
  test("gives the same words in every version", () => {
    const random = seededRandom(1);
    expect([random.uint32(), random.uint32(), random.uint32()]).toEqual([1007482288, 3188616875, 2743274444]);
    expect(random.state()).toEqual([2048502218, 3047944536, 358517000, 3186291519]);
  });

  test("goes on from a saved state", () => {
    const random = seededRandom(5);
    random.normal();
    const restored = seededRandom(random.state());
    expect(words(restored.uniform, 20)).toEqual(words(random.uniform, 20));
  });

  test("shuffles to the same order by the same seed, and loses nothing", () => {
    const items = Array.from({ length: 20 }, (_, at) => at);
    const once = shuffled(items, seededRandom(2));
    expect(shuffled(items, seededRandom(2))).toEqual(once);
    expect(shuffled(items, seededRandom(3))).not.toEqual(once);
    expect(once.toSorted((a, b) => a - b)).toEqual(items);
  });
});
