import { expect, test } from "vitest";
import { countWords, featureSettings } from "../../../src/neural/features/count-features.js";
import { tinyFeatures } from "../tiny-neural.js";

test("the vocabulary has lower-cased words that are frequent enough, and whole characters", () => {
  const counts = countWords([
    ["The", "the", "cat"],
    ["THE", "😀😀😀😀😀", "eeee"],
  ]);
  const { vocabulary: _v, characters: _c, ...sizes } = tinyFeatures;
  const settings = featureSettings(counts, { ...sizes, leastCount: 2, hasCharacters: true });
  expect(settings.vocabulary).toEqual(["the"]);
  expect(settings.characters).toBe("e");
  expect(featureSettings(counts, { ...sizes, leastCount: 1, hasCharacters: false })).toMatchObject({
    vocabulary: ["cat", "eeee", "the", "😀😀😀😀😀"],
    characters: "",
  });
});
