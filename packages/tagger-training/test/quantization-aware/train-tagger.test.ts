import { getMetadata } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { evaluate, openNeuralTagger } from "@nasty/taggers";
import {
  parseQuantizationRecord,
  quantizationRecordKey,
  seededRandom,
  simulateQuantization,
} from "@nasty/training";
import { describe, expect, it } from "vitest";
import { trainTagger } from "../../src/neural/training/train-tagger.js";
import type { TrainTaggerOptions } from "../../src/neural/training/train-tagger-options.js";
import type { TrainingSentence } from "../../src/neural/training/training-sentence.js";
import { trainTransformer } from "../../src/subwords/train-transformer.js";
import { tinyBilstm, tinyCnn, tinyFeatures } from "../neural/tiny-neural.js";

const { vocabulary: _v, characters: _c, ...sizes } = tinyFeatures;
const features = { ...sizes, affixRows: 64, leastCount: 2 };

function corpus(count: number, seed: number): TrainingSentence[] {
  const random = seededRandom(seed);
  const pick = (items: readonly string[]): string => items[random.below(items.length)] as string;
  return Array.from({ length: count }, () => ({
    words: [
      pick(["the", "a"]),
      pick(["dog", "cat", "can"]),
      pick(["can", "will"]),
      pick(["jump", "run"]),
      ".",
    ],
    labels: ["DET", "NOUN", "AUX", "VERB", "PUNCT"],
  }));
}

const base: TrainTaggerOptions = {
  task: "pos",
  train: corpus(60, 1),
  validation: corpus(20, 2),
  recipe: { epochs: 4, batchSentences: 8, learningRate: 0.02, averageDecay: 0.9 },
  quantizationAware: true,
  qatOptions: { minimumElements: 16 },
};

describe("a tagger trained from nothing for quantization", () => {
  it.each([
    ["cnn", { architecture: tinyCnn, features }, "static"],
    ["bilstm", { architecture: { ...tinyBilstm, layers: 1, hidden: 8 }, features }, "dynamic"],
  ] as const)("%s", async (_, architecture, activationMode) => {
    const trained = await trainTagger({ ...base, architecture });
    expect(trained.qat).toMatchObject({ bits: 8, activationMode });
    expect(parseQuantizationRecord(getMetadata(trained.model, quantizationRecordKey) ?? "")).toEqual(
      trained.qat,
    );
    if (activationMode === "static")
      expect(Object.keys(trained.qat?.activations ?? {}).length).toBeGreaterThan(0);
    const initializers = new Set(trained.model.graph?.initializer.map(({ name }) => name));
    expect([...initializers].some((name) => name.startsWith("fake-quantization"))).toBe(false);
    // Only weights of the model that is shipped: no auxiliary heads.
    for (const { name } of trained.qat?.weights ?? []) expect(initializers).toContain(name);
    const simulated = simulateQuantization(trained.model, trained.qat as never);
    const tagger = await openNeuralTagger(simulated, trained.settings, (part) => openSession(part));
    expect((await evaluate(tagger, base.validation, { batchSize: 32 })).value).toBe(trained.value);
    await tagger.close();
  });

  it("learns step sizes without decaying them, and is another run than one without", async () => {
    const architecture = { architecture: tinyCnn, features };
    const learned = await trainTagger({
      ...base,
      architecture,
      qatOptions: { minimumElements: 16, ranges: "learned" },
    });
    const averaged = await trainTagger({ ...base, architecture });
    expect(learned.qat?.rangeMode).toBe("learned");
    expect(learned.qat?.activations).not.toEqual(averaged.qat?.activations);
  });

  it("transformer", async () => {
    const trained = await trainTransformer({
      ...base,
      size: { layers: 1, hidden: 16, heads: 2, intermediate: 32, vocabulary: 60 },
      recipe: { epochs: 1 },
      qatOptions: { bits: 4 },
    });
    expect(trained.qat).toMatchObject({ bits: 4, activationMode: "float", blockSize: 32 });
    expect(getMetadata(trained.model, quantizationRecordKey)).toBeDefined();
  });
});
