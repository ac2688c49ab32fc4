import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { convertLabels, labelsOf, type PositionScheme, type Span, spansOf } from "../../src/iob/index.js";

const say = (labels: string): string =>
  spansOf(labels.split(" "))
    .map(({ type, start, end }) => `${type}[${start},${end})`)
    .join(" ");

describe("spansOf", () => {
  // Expected: what conlleval.pl (CoNLL-2000) counts, worked out by its startOfChunk and endOfChunk.
  it.each([
    ["O O", ""],
    ["B-PER I-PER O", "PER[0,2)"],
    ["O I-PER I-PER", "PER[1,3)"],
    ["I-PER I-LOC", "PER[0,1) LOC[1,2)"],
    ["B-PER I-LOC I-LOC", "PER[0,1) LOC[1,3)"],
    ["B-PER B-PER I-PER", "PER[0,1) PER[1,3)"],
    ["I-PER B-PER", "PER[0,1) PER[1,2)"],
    ["B-PER O I-PER", "PER[0,1) PER[2,3)"],
    ["B-creative-work I-creative-work", "creative-work[0,2)"],
    ["S-LOC S-LOC B-PER I-PER E-PER", "LOC[0,1) LOC[1,2) PER[2,5)"],
    ["B-PER E-PER I-PER", "PER[0,2) PER[2,3)"],
    ["S-PER I-PER", "PER[0,1) PER[1,2)"],
    ["U-LOC B-PER L-PER", "LOC[0,1) PER[1,3)"],
    ["B-PER [SEP] I-PER X-PER I-PER", "PER[0,1) PER[2,3) PER[4,5)"],
  ])("of %s is %s", (labels, spans) => expect(say(labels)).toBe(spans));

  it("of no labels is nothing", () => expect(spansOf([])).toEqual([]));

  it.each(["", "PER", "o", "X-PER", "BPER", "B", "PER-B", "B_PER"])("takes %j for no entity", (label) => {
    expect(spansOf(["B-PER", label, "I-PER"])).toEqual([
      { type: "PER", start: 0, end: 1 },
      { type: "PER", start: 2, end: 3 },
    ]);
  });
});

describe("convertLabels", () => {
  it.each([
    ["IOB1", "I-PER I-PER B-PER O I-LOC I-PER"],
    ["IOB2", "B-PER I-PER B-PER O B-LOC B-PER"],
    ["BIOES", "B-PER E-PER S-PER O S-LOC S-PER"],
  ] as const)("writes %s", (scheme, labels) => {
    for (const from of ["I-PER I-PER B-PER O I-LOC I-PER", "B-PER E-PER S-PER O U-LOC S-PER"]) {
      expect(convertLabels(from.split(" "), scheme).join(" ")).toBe(labels);
    }
  });

  it("keeps the entities of any labels in every scheme", () => {
    const label = fc.constantFrom("O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B", "S-B");
    const scheme = fc.constantFrom<PositionScheme>("IOB1", "IOB2", "BIOES");
    fc.assert(
      fc.property(fc.array(label), scheme, (labels, to) => {
        expect(spansOf(convertLabels(labels, to))).toEqual(spansOf(labels));
      }),
    );
  });
});

describe("labelsOf", () => {
  it.each<[string, Span[], string, string]>([
    [
      "overlap",
      [
        { type: "A", start: 0, end: 2 },
        { type: "B", start: 1, end: 3 },
      ],
      "[2, 3)",
      "[1, 3)",
    ],
    ["out-of-range", [{ type: "B", start: 1, end: 4 }], "[0, 3)", "[1, 4)"],
    ["out-of-range", [{ type: "B", start: 1, end: 1 }], "[0, 3)", "[1, 1)"],
  ])("refuses %s", (code, spans, free, got) => {
    const message = `labelsOf: entity B: words: expected a part of ${free}, got ${got}`;
    expect(() => labelsOf(spans, 3, "IOB2")).toThrow(expect.objectContaining({ code, message }));
  });
});
