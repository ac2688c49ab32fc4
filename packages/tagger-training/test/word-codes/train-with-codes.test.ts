import { getMetadata } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { evaluate, openNeuralTagger, readTaggerSettings } from "@nasty/taggers";
import { seededRandom } from "@nasty/training";
import { expect, test } from "vitest";
import { distill } from "../../src/distillation/distill.js";
import { trainTagger, type TrainedTagger } from "../../src/neural/training/train-tagger.js";
import type { TrainingSentence } from "../../src/neural/training/training-sentence.js";
import { encodeVectors } from "../../src/word-codes/encode-vectors.js";
import { tinyBilstm, tinyCnn, tinyFeatures } from "../neural/tiny-neural.js";

const { vocabulary: _v, characters: _c, ...sizes } = tinyFeatures;
const features = { ...sizes, affixRows: 64, leastCount: 1 };
const bilstm = {
  architecture: { ...tinyBilstm, layers: 1, hidden: 8, embeddingDropout: 0.1, layerDropout: 0 },
  features,
} as const;
const cnn = { architecture: tinyCnn, features } as const;

/** Words whose spelling says nothing, of two kinds that only their vectors tell apart. */
const words = Array.from({ length: 200 }, (_, i) => `${(i * 48271) % 65521}x${(i * 16807) % 32749}`);
const kindOf = (word: string): string => (words.indexOf(word) % 2 === 0 ? "NOUN" : "VERB");
const random = seededRandom(9);
const vectors = {
  words,
  width: 4,
  values: Float32Array.from({ length: 800 }, (_, i) => {
    const isNoun = Math.floor(i / 4) % 2 === 0;
    return (isNoun ? 1 : -1) * (i % 4 < 2 ? 1 : 0.2) + 0.3 * random.normal();
  }),
};

function sentences(count: number, from: readonly string[], seed: number): TrainingSentence[] {
  const chance = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const drawn = Array.from({ length: 5 }, () => from[chance.below(from.length)] as string);
    return { words: drawn, labels: drawn.map(kindOf) };
  });
}

const data = {
  train: sentences(120, words.slice(0, 60), 1),
  validation: sentences(30, words.slice(0, 60), 2),
};
/** Of words that training never sees. */
const unseen = sentences(40, words.slice(60), 3);

async function accuracyOn({ model, settings }: TrainedTagger): Promise<number> {
  const tagger = await openNeuralTagger(model, settings, (part) => openSession(part));
  try {
    return (await evaluate(tagger, unseen)).value;
  } finally {
    await tagger.close();
  }
}

const recipe = { epochs: 8, batchSentences: 8, learningRate: 0.02, averageDecay: 0.9 };

test.each([
  ["bilstm", bilstm],
  ["cnn", cnn],
])("%s: a word that training never saw is known by its vector", async (_name, architecture) => {
  const options = { task: "pos", ...data, architecture, recipe } as const;
  const wordCodes = encodeVectors(vectors, { books: 2 });
  const trained = await trainTagger({ ...options, wordCodes });
  expect(await accuracyOn(trained)).toBeGreaterThan(0.85);
  expect(await accuracyOn(await trainTagger(options))).toBeLessThan(0.75);
  // The file carries the codes.
  expect(getMetadata(trained.model, "nasty.codes")).toBeTypeOf("string");
  expect(await readTaggerSettings(trained.model)).toEqual(trained.settings);
  const again = await trainTagger({ ...options, wordCodes });
  expect(again.history).toEqual(trained.history);
});

test("a student reads word codes too", async () => {
  const teacher = await trainTagger({ task: "pos", ...data, architecture: bilstm, recipe });
  const student = await distill(teacher, {
    student: cnn,
    data,
    recipe,
    wordCodes: encodeVectors(vectors, { books: 2 }),
  });
  expect(await accuracyOn(student)).toBeGreaterThan(0.85);
});

test("parts that are added up want codes of their width", async () => {
  const wordCodes = encodeVectors(vectors, { width: 3, books: 2 });
  await expect(trainTagger({ task: "pos", ...data, architecture: cnn, recipe, wordCodes })).rejects.toThrow(
    "embedding: widths: expected equal ones to add, got 4, 4, 4, 4, 3",
  );
});
