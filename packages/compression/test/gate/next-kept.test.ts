import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextKept, type Tried } from "../../src/gate/next-kept.js";

function search(
  passesFrom: number,
  most: number,
): { readonly found: number | undefined; readonly tries: number } {
  const tried: Tried[] = [];
  for (let kept = nextKept(tried, most); kept !== undefined; kept = nextKept(tried, most)) {
    tried.push({ kept, passed: kept >= passesFrom });
  }
  const passing = tried.filter(({ passed }) => passed).map(({ kept }) => kept);
  return { found: passing.length === 0 ? undefined : Math.min(...passing), tries: tried.length };
}

describe("nextKept", () => {
  it("finds the smallest number that passes, in about 2·log2 attempts", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200 }), (passesFrom, most) => {
        const { found, tries } = search(passesFrom, most);
        expect(found).toBe(passesFrom <= most ? passesFrom : undefined);
        expect(tries).toBeLessThanOrEqual(3 + 2 * Math.ceil(Math.log2(most + 2)));
      }),
    );
  });

  it("doubles, then halves", () => {
    const failed = (...kept: number[]): Tried[] => kept.map((k) => ({ kept: k, passed: false }));
    expect(nextKept([], 20)).toBe(0);
    expect(nextKept(failed(0, 1), 20)).toBe(2);
    expect(nextKept(failed(0, 1, 2, 4), 20)).toBe(8);
    expect(nextKept([...failed(0, 1, 2, 4), { kept: 8, passed: true }], 20)).toBe(6);
    expect(nextKept([...failed(0, 1, 2, 4, 16)], 20)).toBe(20);
    expect(nextKept([...failed(20)], 20)).toBeUndefined();
  });
});
