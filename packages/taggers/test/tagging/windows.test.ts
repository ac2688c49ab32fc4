import { array, assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { windowsOf } from "../../src/tagging/windows.js";

const offsetsOf = (lengths: readonly number[]): number[] => {
  const offsets = [0];
  for (const length of lengths) offsets.push((offsets.at(-1) as number) + length);
  return offsets;
};

describe("windowsOf", () => {
  test("a sentence that fits is one window, an empty one none", () => {
    expect(windowsOf([0, 2, 4], 4)).toEqual([{ firstWord: 0, wordsEnd: 2, firstOwned: 0, ownedEnd: 2 }]);
    expect(windowsOf([0], 4)).toEqual([]);
  });

  test("ten words through six positions: each word is owned where it has most context", () => {
    expect(windowsOf(offsetsOf(Array(10).fill(1)), 6)).toEqual([
      { firstWord: 0, wordsEnd: 6, firstOwned: 0, ownedEnd: 5 },
      { firstWord: 3, wordsEnd: 9, firstOwned: 5, ownedEnd: 7 },
      { firstWord: 4, wordsEnd: 10, firstOwned: 7, ownedEnd: 10 },
    ]);
  });

  test("windows fit, owned words cover the sentence once, and no other window gives a word more context", () => {
    assert(
      property(
        array(integer({ min: 1, max: 5 }), { maxLength: 80 }),
        integer({ min: 5, max: 30 }),
        (lengths, capacity) => {
          const offsets = offsetsOf(lengths);
          const at = (word: number): number => offsets[word] as number;
          const windows = windowsOf(offsets, capacity);
          let owned = 0;
          const contextIn = (first: number, end: number, word: number): number =>
            Math.min(
              first === 0 ? Number.POSITIVE_INFINITY : at(word) - at(first),
              end === lengths.length ? Number.POSITIVE_INFINITY : at(end) - at(word + 1),
            );
          for (const { firstWord, wordsEnd, firstOwned, ownedEnd } of windows) {
            expect(at(wordsEnd) - at(firstWord)).toBeLessThanOrEqual(capacity);
            expect(firstOwned).toBe(owned);
            expect(firstOwned).toBeGreaterThanOrEqual(firstWord);
            expect(ownedEnd).toBeLessThanOrEqual(wordsEnd);
            for (let word = firstOwned; word < ownedEnd; word++) {
              const best = Math.max(
                ...windows
                  .filter((w) => w.firstWord <= word && word < w.wordsEnd)
                  .map((w) => contextIn(w.firstWord, w.wordsEnd, word)),
              );
              expect(contextIn(firstWord, wordsEnd, word)).toBe(best);
            }
            owned = ownedEnd;
          }
          expect(owned).toBe(lengths.length);
        },
      ),
      { seed: 1 },
    );
  });
});
