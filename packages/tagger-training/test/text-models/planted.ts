import { randomTextBase } from "../../src/text-models/random-text-base.js";
import type { LabelledText } from "../../src/text-models/labelled-text.js";

const fillers = ["the", "a", "door", "river", "stone", "walks", "sees", "green", "slowly"];

/** Texts whose label is told by one word of them: a planted rule that a classifier can learn. */
export const plantedTexts: readonly LabelledText[] = Array.from({ length: 24 }, (_, i) => {
  const word = (k: number): string => fillers[(i * 5 + k * 7) % fillers.length] as string;
  const [marker = "", label = ""] = [
    ["sun", "warm"],
    ["snow", "cold"],
  ][i % 2] as [string, string];
  const words = [word(1), word(2), marker, word(3)];
  return {
    text: `${[...words.slice(i % 4), ...words.slice(0, i % 4)].join(" ")}.`,
    label,
    place: `line ${i + 1}`,
  };
});

/** Pairs whose label is told by the second text alone: the first ones are all alike. */
export const plantedPairs: readonly LabelledText[] = plantedTexts.map(({ text, label }) => ({
  text: "what is the weather?",
  pair: text,
  label,
}));

const size = { layers: 2, hidden: 16, heads: 2, intermediate: 32, positions: 24, vocabulary: 120 };

/** A tiny BERT of random weights whose pieces are those of these texts. */
export const tinyBase = (texts: readonly LabelledText[], dropout = 0) =>
  randomTextBase(
    texts.flatMap(({ text, pair }) => [text, pair ?? ""]),
    { size, dropout },
  );
