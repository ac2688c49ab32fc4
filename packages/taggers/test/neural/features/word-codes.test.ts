import fc from "fast-check";
import { expect, test } from "vitest";
import { makePlaceOf } from "../../../src/neural/features/word-codes.js";

test("a word's place is where it stands in the list, whatever it begins with", () => {
  const word = fc.string({ unit: "binary", maxLength: 3 });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), fc.array(word, { maxLength: 20 }), (words, others) => {
      const placeOf = makePlaceOf(words);
      for (const one of [...others, ...words]) {
        const place = words.lastIndexOf(one);
        expect(placeOf(one)).toBe(place < 0 ? undefined : place);
      }
    }),
  );
});
