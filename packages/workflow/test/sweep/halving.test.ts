import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beats, endingsOf, type Standing } from "../../src/sweep/halving.js";
import { ladderOf, samplesOfRung } from "../../src/sweep/ladder.js";

const standing = (name: string, bytes: number, loss: number, more: Partial<Standing> = {}): Standing => ({
  name,
  place: name.charCodeAt(0),
  group: "static",
  bytes,
  loss,
  low: loss - 0.001,
  flips: 0,
  ...more,
});

const going = { maxLoss: 0.1, isLast: false };

describe("endingsOf", () => {
  it("ends the worse half, and names what beats it", () => {
    const endings = endingsOf(
      [
        standing("a", 5e6, 0.001),
        standing("b", 5e6, 0.004),
        standing("c", 5e6, 0.002),
        standing("d", 5e6, 0.003),
      ],
      going,
    );
    expect([...endings]).toEqual([
      ["d", { reason: "beaten", by: "a" }],
      ["b", { reason: "beaten", by: "a" }],
    ]);
  });

  it("keeps what none beats, however many, until the end", () => {
    const all = [1, 2, 3, 4].map((size) => standing(String(size), size * 1e6, 0.05 - size / 100));
    expect(endingsOf(all, going).size).toBe(0);
    expect(endingsOf(all, { ...going, isLast: true }).size).toBe(0);
  });

  it("leaves only what none beats at the last rung", () => {
    const all = [standing("a", 5e6, 0.001), standing("b", 5e6, 0.002), standing("c", 5e6, 0.003)];
    expect([...endingsOf(all, going).keys()]).toEqual(["c"]);
    expect([...endingsOf(all, { ...going, isLast: true }).keys()]).toEqual(["b", "c"]);
  });

  it("compares within a mode: another one may be larger and faster", () => {
    const all = [standing("a", 3e6, 0, { group: "int4" }), standing("b", 5e6, 0.01)];
    expect(endingsOf(all, { ...going, isLast: true }).size).toBe(0);
  });

  it("ends what surely loses too much, even if it is the smallest", () => {
    const all = [standing("a", 1e6, 0.5, { low: 0.4 }), standing("b", 1e6, 0.11, { low: 0.09 })];
    expect([...endingsOf(all, going)]).toEqual([["a", { reason: "lossy" }]]);
  });

  it("does not let a few bytes of metadata decide", () => {
    expect(beats(standing("a", 5_531_571, 0.001), standing("b", 5_531_560, 0.002))).toBe(true);
    expect(beats(standing("a", 5_541_571, 0.001), standing("b", 5_531_560, 0.002))).toBe(false);
  });

  it("of two alike leaves that with fewer changed labels, else one", () => {
    const [a, b] = [standing("a", 5e6, 0, { flips: 3 }), standing("b", 5e6, 0, { flips: 2 })];
    expect([beats(a, b), beats(b, a)]).toEqual([false, true]);
    const same = { ...a, name: "c", place: 200 };
    expect([beats(a, same), beats(same, a)]).toEqual([true, false]);
  });

  it("never cuts the frontier, whatever the order, and says who beats whom", () => {
    const one = fc.record({
      group: fc.constantFrom("static", "int4"),
      bytes: fc.integer({ min: 1, max: 9 }),
      loss: fc.integer({ min: 0, max: 9 }).map((loss) => loss / 1000),
      flips: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 20 }), fc.boolean(), (given, isLast) => {
        const all = given.map((figures, i) => ({ ...figures, low: figures.loss, name: `r${i}`, place: i }));
        const endings = endingsOf(all, { maxLoss: 0.1, isLast });
        const reversed = endingsOf(all.toReversed(), { maxLoss: 0.1, isLast });
        expect(new Map([...reversed].sort())).toEqual(new Map([...endings].sort()));
        for (const a of all) {
          const ending = endings.get(a.name);
          const isBeaten = all.some((b) => b.group === a.group && beats(b, a));
          if (isLast) expect(ending !== undefined).toBe(isBeaten);
          if (ending?.reason !== "beaten") continue;
          const by = all.find(({ name }) => name === ending.by) as Standing;
          expect(endings.has(by.name)).toBe(false);
          expect([by.group, beats(by, a)]).toEqual([a.group, true]);
        }
      }),
    );
  });
});

describe("ladderOf", () => {
  it("doubles up to all samples, beginning with 50 or more", () => {
    expect(ladderOf(2001).map(({ samples }) => samples)).toEqual([251, 501, 1001, 2001]);
    expect(ladderOf(130).map(({ samples }) => samples)).toEqual([65, 130]);
    expect(ladderOf(8).map(({ samples }) => samples)).toEqual([8]);
    expect(ladderOf(8, 3).map(({ stride }) => stride)).toEqual([4, 2, 1]);
    expect(() => ladderOf(8, 5)).toThrow(
      "sweep: --rungs 5: expected at most 4 for 8 samples of validation text",
    );
  });

  it("has in each rung what the one before has", () => {
    const all = Array.from({ length: 37 }, (_, i) => i);
    const rungs = ladderOf(37, 4).map((rung) => samplesOfRung(all, rung));
    expect(rungs.map(({ length }) => length)).toEqual(ladderOf(37, 4).map(({ samples }) => samples));
    for (const [at, samples] of rungs.slice(1).entries())
      expect(samples).toEqual(expect.arrayContaining(rungs[at]!));
  });
});
