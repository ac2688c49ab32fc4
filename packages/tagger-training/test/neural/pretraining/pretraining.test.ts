import type { Tensor } from "@nasty/core";
import { serializeModel } from "@nasty/formats/onnx";
import { onnxEngine, seededRandom, type TrainingEvent } from "@nasty/training";
import { describe, expect, test } from "vitest";
import { countWords, featureSettings } from "../../../src/neural/features/count-features.js";
import { maskedBatches } from "../../../src/neural/pretraining/masked-batches.js";
import { pretrain, type Pretraining } from "../../../src/neural/pretraining/pretrain.js";
import { targetWords } from "../../../src/neural/pretraining/target-words.js";
import { defaultRecipe } from "../../../src/neural/training/recipe.js";
import { trainTagger } from "../../../src/neural/training/train-tagger.js";
import type { TrainTaggerOptions } from "../../../src/neural/training/train-tagger-options.js";
import { tinyBilstm, tinyCnn, tinyFeatures } from "../tiny-neural.js";
import { memoryCheckpoint } from "../../memory-checkpoint.js";

const { vocabulary: _v, characters: _c, ...sizes } = tinyFeatures;
const sized = { ...sizes, affixRows: 512, leastCount: 2 };
const wide = { ...tinyCnn.embedding, word: 8, affix: 8, shape: 8, characters: undefined };
const dropouts = { embeddingDropout: 0, layerDropout: 0, outputDropout: 0 };
const bilstm = {
  architecture: { ...tinyBilstm, ...dropouts, embedding: wide, layers: 1, hidden: 12 },
  features: sized,
} as const;
const cnn = {
  architecture: { ...tinyCnn, ...dropouts, embedding: wide, layers: 1 },
  features: sized,
} as const;
const both = [
  ["bilstm", bilstm],
  ["cnn", cnn],
] as const;

const fruit = ["plum", "pear", "kiwi", "fig", "lime", "date"];
const tools = ["axe", "saw", "rake", "drill", "hoe", "vice"];

/** Fruit is eaten and tools are bought: who knows the text knows which word is what. */
function rawText(count: number): string[][] {
  const random = seededRandom(7);
  const pick = (items: readonly string[]): string => items[random.below(items.length)] as string;
  return Array.from({ length: count }, () =>
    random.below(2) === 0
      ? ["we", "ate", "a", pick(fruit), "raw"]
      : ["they", "bought", "the", pick(tools), "new"],
  );
}

const recipe = {
  ...defaultRecipe,
  batchSentences: 16,
  learningRate: 0.02,
  averageDecay: 0.9,
  dropout: { wordBase: 0, wordScale: 0, affix: 0 },
};
const labelled = (words: readonly string[], label: string) =>
  words.map((word) => ({ words: [word], labels: [label] }));

/** Two words of each kind have labels; the others are known from the raw text alone. */
const job = (architecture: NonNullable<TrainTaggerOptions["architecture"]>): TrainTaggerOptions => ({
  task: "pos",
  train: [...labelled(fruit.slice(0, 2), "FRUIT"), ...labelled(tools.slice(0, 2), "TOOL")],
  validation: [...labelled(fruit.slice(2), "FRUIT"), ...labelled(tools.slice(2), "TOOL")],
  architecture,
  recipe: { ...recipe, epochs: 30, learningRate: 0.01 },
});
const pretraining: Pretraining = {
  text: rawText(600),
  epochs: 6,
  negatives: 12,
  maskedShare: 0.3,
  dropout: 0,
};

describe.each(both)("%s", (_name, architecture) => {
  test("raw text tells what words are that no label tells of", async () => {
    const plain = await trainTagger(job(architecture));
    const knowing = await trainTagger({ ...job(architecture), pretraining });
    expect(knowing.value).toBeGreaterThan((plain.value ?? 1) + 0.2);
    expect(knowing.pretraining).toMatchObject({ sentences: 604, words: 3004, vocabulary: 20 });
    expect(plain.pretraining).toBeUndefined();
    // Only weights differ: what pretraining alone needs is gone.
    expect(knowing.model.graph?.node).toEqual(plain.model.graph?.node);
    expect(knowing.model.graph?.initializer.map(({ name }) => name)).toEqual(
      plain.model.graph?.initializer.map(({ name }) => name),
    );
  });

  test("words that follow from their neighbours are predicted, others are not", async () => {
    const options = { ...architecture, features: featuresOf(architecture, pretraining.text) };
    const run = {
      ...options,
      seed: 1,
      threads: 1,
      labelled: [],
      recipe,
      identity: "",
      engine: onnxEngine,
      loop: {},
    };
    const { report } = await pretrain(pretraining, run);
    expect(report.losses).toHaveLength(6);
    // Of ten places eight are certain, and two are one of six words.
    const certain = (2 / 10) * Math.log(6);
    expect(report.losses.at(-1)).toBeLessThan(0.4 * (report.losses[0] as number));
    expect(report.losses.at(-1)).toBeGreaterThan(certain / 2);
  });

  test.each(["in its pretraining", "after it"])(
    "interrupted %s it goes on to the same bytes",
    async (when) => {
      const [first, second] = [memoryCheckpoint(), memoryCheckpoint()];
      const short = { ...pretraining, epochs: 2 };
      const options = { ...job(architecture), recipe: { ...recipe, epochs: 4 } };
      const whole = await trainTagger({ ...options, pretraining: short });
      const abort = new AbortController();
      const phases = new Set<string | undefined>();
      const onEvent = (event: TrainingEvent): void => {
        phases.add(event.phase);
        const inTime = when === "after it" ? event.phase === undefined : event.phase === "pretraining";
        if (inTime && event.event === "checkpoint") abort.abort();
      };
      const kept = {
        ...options,
        pretraining: { ...short, checkpoint: first },
        checkpoint: second,
        checkpointEvery: 1,
      };
      const cut = await trainTagger({ ...kept, onEvent, signal: abort.signal });
      expect(cut.stopped).toBe("interrupted");
      expect([...phases]).toEqual(when === "after it" ? ["pretraining", undefined] : ["pretraining"]);
      const rest = await trainTagger(kept);
      expect(serializeModel(rest.model)).toEqual(serializeModel(whole.model));
      expect(rest.pretraining).toEqual(whole.pretraining);
      const other = { ...kept, pretraining: { ...kept.pretraining, text: rawText(500) } };
      await expect(trainTagger(other)).rejects.toMatchObject({ code: "checkpoint-mismatch" });
    },
  );
});

test("words are hidden, replaced or left, and compared with the words of the batch and with others", () => {
  const sentences = rawText(400);
  const counts = countWords(sentences).words;
  const targets = targetWords(counts, 100);
  const features = featuresOf({ ...cnn, features: { ...sized, leastCount: 1 } }, sentences);
  const source = maskedBatches({
    sentences,
    targets,
    features,
    layout: "rows",
    dropout: { wordBase: 0, wordScale: 0, affix: 0 },
    counts,
    batchSentences: 40,
    batchTokens: 400,
    maskedShare: 0.15,
    negatives: 3,
  });
  let [words, hidden, kept, other] = [0, 0, 0, 0];
  for (const batch of source.epoch(seededRandom(1))) {
    const numbers = (name: string): number[] =>
      Array.from((batch[name] as Tensor).data as Int32Array, Number);
    const [index, ids, places, labels] = [
      "word_index",
      "word_ids",
      "masked_places",
      "masked_words/labels",
    ].map(numbers) as [number[], number[], number[], number[]];
    const candidates = numbers("candidate_words");
    const [rows = 0, length = 0] = (batch["word_index"] as Tensor).shape;
    words += rows * length;
    expect(new Set(candidates).size).toBe(candidates.length);
    expect(candidates.length).toBeLessThanOrEqual(places.length + 3);
    places.forEach((place, i) => {
      // Places are those of [length, batch].
      const at = (place % rows) * length + Math.floor(place / rows);
      const id = ids[index[at] as number] as number;
      const target = candidates[labels[i] as number] as number;
      if (id === 0) hidden++;
      else if (targets.placeOf(features.vocabulary[id - 1] as string) === target) kept++;
      else other++;
    });
  }
  const masked = hidden + kept + other;
  expect(words).toBe(2000);
  expect(masked / words).toBeCloseTo(0.15, 1);
  expect(hidden / masked).toBeCloseTo(0.8, 1);
  expect(kept / masked).toBeCloseTo(0.1, 1);
  expect(other).toBeGreaterThan(0);
});

test("candidates are drawn by their frequency to the power 3/4, the rare ones left out", () => {
  const targets = targetWords(new Map(Object.entries({ rare: 1, b: 16, a: 16, often: 81 })), 3);
  expect(["often", "a", "b", "rare"].map(targets.placeOf)).toEqual([0, 1, 2, undefined]);
  expect([...targets.shares]).toEqual([81 / 113, 16 / 113, 16 / 113]);
  expect([...targets.drawn].map((share) => Math.round(share * 43))).toEqual([27, 8, 8]);
  const random = seededRandom(3);
  const times = [0, 0, 0];
  for (let i = 0; i < 43_000; i++) {
    const word = targets.draw(random);
    times[word] = (times[word] as number) + 1;
  }
  expect((times[0] as number) / 1000).toBeCloseTo(27, 0);
});

test.each<[string, Partial<Pretraining>, string]>([
  [
    "a share of all words",
    { maskedShare: 1 },
    "pretraining: maskedShare: expected a number in (0, 1), got 1",
  ],
  ["no epochs", { epochs: 0 }, "pretraining: epochs: expected a positive integer, got 0"],
  ["no text", { text: [[]] }, "pretraining: text: words: expected at least 1, got 0"],
  [
    "a text in which no word is there twice",
    { text: [["one", "two", "three"]] },
    "pretraining: text: words that are there more than once: expected at least 2, got 0",
  ],
])("%s is refused", async (_name, given, message) => {
  await expect(trainTagger({ ...job(cnn), pretraining: { ...pretraining, ...given } })).rejects.toMatchObject(
    {
      message,
      name: "TaggerError",
    },
  );
});

test("options of the training are checked before the pretraining", async () => {
  const events: TrainingEvent[] = [];
  const options = { ...job(cnn), pretraining, onEvent: (event: TrainingEvent) => void events.push(event) };
  const refused = trainTagger({ ...options, quantizationAware: true, qatOptions: { start: 2 } });
  await expect(refused).rejects.toThrow("start");
  expect(events).toEqual([]);
});

function featuresOf({ features }: typeof bilstm | typeof cnn, text: readonly (readonly string[])[]) {
  return featureSettings(countWords(text), { ...features, hasCharacters: false });
}
