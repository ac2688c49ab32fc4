import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { convertLabels, spansOf } from "../../src/iob/index.js";

// The rules of conlleval.pl (CoNLL-2000), written down once more: a chunk ends before, and begins at, a word by a table
// over the tags of two neighbours, and by a change of type.
const endsBefore = (previous: string, tag: string): boolean =>
  (previous === "B" && (tag === "B" || tag === "O")) ||
  (previous === "I" && (tag === "B" || tag === "O")) ||
  (previous === "E" && (tag === "E" || tag === "I" || tag === "O" || tag === "B"));
const beginsAt = (previous: string, tag: string): boolean =>
  tag === "B" ||
  (previous === "O" && tag === "I") ||
  (previous === "E" && (tag === "E" || tag === "I")) ||
  (previous === "O" && tag === "E");

function conllevalChunks(labels: readonly string[]): string[] {
  const chunks: string[] = [];
  let [previousTag, previousType] = ["O", ""];
  let start = -1;
  [...labels, "O"].forEach((label, at) => {
    const [tag = "", type = ""] = label.split(/-(.*)/s);
    const changed = previousType !== type;
    if (start >= 0 && (endsBefore(previousTag, tag) || (previousTag !== "O" && changed))) {
      chunks.push(`${previousType} ${start} ${at}`);
      start = -1;
    }
    if (beginsAt(previousTag, tag) || (tag !== "O" && changed)) start = at;
    [previousTag, previousType] = [tag, type];
  });
  return chunks;
}

const label = fc.oneof(
  fc.constant("O"),
  fc
    .tuple(fc.constantFrom("B", "I", "E"), fc.constantFrom("PER", "LOC", "a-b"))
    .map((parts) => parts.join("-")),
);

describe("spansOf and conlleval", () => {
  it("cut every sequence of labels alike", () => {
    fc.assert(
      fc.property(fc.array(label, { maxLength: 12 }), (labels) => {
        expect(spansOf(labels).map(({ type, start, end }) => `${type} ${start} ${end}`)).toEqual(
          conllevalChunks(labels),
        );
      }),
      { seed: 2000, numRuns: 3000 },
    );
  });

  it("whatever the scheme that the same entities are written in", () => {
    fc.assert(
      fc.property(fc.array(label, { maxLength: 12 }), (labels) => {
        for (const scheme of ["IOB1", "IOB2", "BIOES"] as const) {
          expect(spansOf(convertLabels(labels, scheme))).toEqual(spansOf(labels));
        }
      }),
      { seed: 2003, numRuns: 1000 },
    );
  });
});
