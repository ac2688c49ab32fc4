import type { FeatureSettings } from "@nasty/taggers/neural";
import type { Architecture } from "../../src/neural/architecture.js";

export const tinyFeatures: FeatureSettings = {
  vocabulary: ["a", "like", "time"],
  prefixes: [1, 2],
  suffixes: [2],
  affixRows: 12,
  shapeRows: 31,
  characters: "aeiklmtT",
  longestWord: 8,
};

const characters = {
  width: 3,
  filters: [
    { size: 2, count: 2 },
    { size: 3, count: 2 },
  ],
};

export const tinyBilstm: Architecture = {
  kind: "bilstm",
  embedding: { join: "concat", word: 4, affix: 3, shape: 2, characters },
  layers: 2,
  hidden: 3,
  embeddingDropout: 0.2,
  layerDropout: 0.2,
  outputDropout: 0.2,
};

export const tinyCnn: Architecture = {
  kind: "cnn",
  embedding: { join: "sum", word: 4, affix: 4, shape: 4, characters },
  layers: 2,
  embeddingDropout: 0.2,
  layerDropout: 0.2,
  outputDropout: 0.2,
};

export const tinySentences = [
  ["Time", "flies", "like", "an", "arrow", "."],
  ["I", "like", "it"],
  ["No"],
  [],
  ["a", "time", "like", "Timetables", "like"],
];
