import { parseConllu } from "@nasty/formats/conllu";
import { parseColumns } from "@nasty/formats/iob";
import { serializeModel } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { evaluate, openNeuralTagger, readTaggerSettings, type Task } from "@nasty/taggers";
import { seededRandom } from "@nasty/training";
import { describe, expect, test } from "vitest";
import type { Noise } from "../../../src/noise/noise.js";
import { type TrainedTagger, trainTagger } from "../../../src/neural/training/train-tagger.js";
import type { TrainTaggerOptions } from "../../../src/neural/training/train-tagger-options.js";
import {
  nerSentences,
  posSentences,
  type TrainingSentence,
  wnutTypes,
} from "../../../src/neural/training/training-sentence.js";
import { tinyBilstm, tinyCnn, tinyFeatures } from "../tiny-neural.js";
import { memoryCheckpoint } from "../../memory-checkpoint.js";

const { vocabulary: _v, characters: _c, ...sizes } = tinyFeatures;
const features = { ...sizes, affixRows: 64, leastCount: 2 };
const bilstm = {
  architecture: {
    ...tinyBilstm,
    layers: 1,
    hidden: 8,
    embeddingDropout: 0.1,
    layerDropout: 0.1,
    outputDropout: 0.1,
  },
  features,
} as const;
const cnn = { architecture: tinyCnn, features } as const;

/** A small language: "can" is a verb after a noun or pronoun and a noun after "the"; the rest is plain. */
function corpus(count: number, seed: number): TrainingSentence[] {
  const random = seededRandom(seed);
  const pick = (items: readonly string[]): string => items[random.below(items.length)] as string;
  return Array.from({ length: count }, () => {
    const noun = pick(["dog", "cat", "can", "house"]);
    const words = [pick(["the", "a"]), noun, pick(["can", "will"]), pick(["jump", "run", "walk"]), "."];
    const labels = ["DET", "NOUN", "AUX", "VERB", "PUNCT"];
    return { words, labels, auxiliary: { xpos: ["DT", "NN", "MD", "VB", undefined] } };
  });
}

const base = (architecture: NonNullable<TrainTaggerOptions["architecture"]>): TrainTaggerOptions => ({
  task: "pos",
  train: corpus(120, 1),
  validation: corpus(30, 2),
  architecture,
  recipe: { epochs: 12, batchSentences: 8, learningRate: 0.02, averageDecay: 0.9 },
});

describe.each([
  ["bilstm", bilstm],
  ["cnn", cnn],
])("%s", (_name, architecture) => {
  test("learns the conventions of its own text, not those of a larger corpus with a name", async () => {
    const own = base(architecture);
    const relabelled = (sentences: readonly TrainingSentence[], name?: string): TrainingSentence[] =>
      sentences.map(({ words, labels }) => ({
        words,
        labels: labels.map((label) => (label === "AUX" ? "VERB" : label)),
        corpus: name,
      }));
    const trained = (name?: string): Promise<TrainedTagger> => {
      const train = [...own.train.slice(0, 60), ...relabelled(corpus(240, 3), name)];
      return trainTagger({ ...own, train, recipe: { ...own.recipe, epochs: 10 } });
    };
    const named = await trained("more");
    expect(named.value).toBeGreaterThan(0.97);
    expect((await trained()).value).toBeLessThan(0.9);
    // What told the corpora apart is gone from the model.
    const { graph } = named.model;
    expect(graph?.input.map(({ name }) => name)).not.toContain("corpora");
    expect(graph?.initializer.filter(({ name }) => name.includes("corpora"))).toEqual([]);
  });

  test("learns a small language, the same twice", async () => {
    const first = await trainTagger(base(architecture));
    expect(first.value).toBeGreaterThan(0.97);
    expect(first.model.graph?.output.map(({ name }) => name)).toEqual(["logits"]);
    const tagger = await openNeuralTagger(first.model, first.settings, (part) => openSession(part));
    const { value } = await evaluate(tagger, base(architecture).validation);
    expect(value).toBe(first.value);
    await tagger.close();
    const again = await trainTagger(base(architecture));
    expect(serializeModel(again.model)).toEqual(serializeModel(first.model));
  });

  test("an interrupted training goes on to the same bytes", async () => {
    const checkpoint = memoryCheckpoint();
    const options = base(architecture);
    const whole = await trainTagger(options);
    const abort = new AbortController();
    const onEvent: TrainTaggerOptions["onEvent"] = (event) =>
      event.event === "checkpoint" && event.step >= 20 && abort.abort();
    const cut = await trainTagger({
      ...options,
      checkpoint,
      checkpointEvery: 5,
      onEvent,
      signal: abort.signal,
    });
    expect(cut.stopped).toBe("interrupted");
    const rest = await trainTagger({ ...options, checkpoint });
    expect(serializeModel(rest.model)).toEqual(serializeModel(whole.model));
    await expect(trainTagger({ ...options, seed: 2, checkpoint })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
    });
  });
});

describe("noise", () => {
  const withNoise = (noise?: Partial<Noise>): TrainTaggerOptions => ({
    ...base(cnn),
    recipe: { ...base(cnn).recipe, ...(noise === undefined ? {} : { noise }) },
  });
  const shouted = corpus(60, 3).map((sentence) => ({
    ...sentence,
    words: sentence.words.map((word) => word.toUpperCase()),
  }));
  const valueOn = async ({ model, settings }: TrainedTagger): Promise<number> => {
    const tagger = await openNeuralTagger(model, settings, (part) => openSession(part));
    const { value } = await evaluate(tagger, shouted);
    await tagger.close();
    return value;
  };

  test("what is trained with noise holds up on it; without a share nothing changes", async () => {
    const plain = await trainTagger(withNoise());
    const none = await trainTagger(withNoise({ lower: 0 }));
    expect(serializeModel(none.model)).toEqual(serializeModel(plain.model));
    const noisy = await trainTagger(withNoise({ share: 0.5, lower: 0, upper: 1, title: 0 }));
    expect(noisy.value).toBeGreaterThan(0.97);
    expect(await valueOn(noisy)).toBeGreaterThan(Math.max(0.97, await valueOn(plain)));
  });

  test("an entity keeps its first word, and the interrupted training goes on to the same bytes", async () => {
    const checkpoint = memoryCheckpoint();
    const train = corpus(60, 1).map(({ words }) => ({
      words: ['"', ...words],
      labels: ["B-X", "I-X", "O", "O", "O", "O"],
    }));
    const options: TrainTaggerOptions = {
      ...withNoise({ share: 0.8, punctuation: 0.5 }),
      task: "ner",
      train,
      validation: train,
    };
    const whole = await trainTagger(options);
    expect(whole.value).toBeGreaterThan(0.9);
    const abort = new AbortController();
    const onEvent: TrainTaggerOptions["onEvent"] = (event) =>
      event.event === "checkpoint" && event.step >= 20 && abort.abort();
    await trainTagger({ ...options, checkpoint, checkpointEvery: 5, onEvent, signal: abort.signal });
    const rest = await trainTagger({ ...options, checkpoint });
    expect(serializeModel(rest.model)).toEqual(serializeModel(whole.model));
    await expect(
      trainTagger({ ...withNoise({ share: 0.7 }), task: "ner", train, validation: train, checkpoint }),
    ).rejects.toMatchObject({ code: "checkpoint-mismatch" });
  });

  test("a share that is none is refused before anything is learned", async () => {
    await expect(trainTagger(withNoise({ share: 2 }))).rejects.toMatchObject({
      code: "option",
      name: "TaggerError",
    });
  });
});

test.each([
  ["bilstm", bilstm],
  ["cnn", cnn],
])("%s: entities with a conditional random field", async (_name, architecture) => {
  const sentence = (name: string, type: string): TrainingSentence => ({
    words: ["I", "met", name, "Smith", "in", "May"],
    labels: ["O", "O", `B-${type}`, `I-${type}`, "O", "O"],
  });
  const train = Array.from({ length: 60 }, (_, i) =>
    sentence(["Ann", "Bob", "Oslo"][i % 3] as string, i % 3 === 2 ? "LOC" : "PER"),
  );
  const { value, model, settings } = await trainTagger({
    task: "ner",
    train,
    validation: train.slice(0, 6),
    architecture,
    recipe: { epochs: 16, batchSentences: 8, learningRate: 0.02, averageDecay: 0.9 },
  });
  expect(settings.labels).toEqual(["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]);
  expect(value).toBe(1);
  expect(model.graph?.output.map(({ name }) => name)).toEqual(["logits", "transitions", "start", "end"]);
});

test("one sentence is enough, though no character is frequent in it", async () => {
  const train = [{ words: ["a", "b"], labels: ["X", "Y"] }];
  const { model } = await trainTagger({
    task: "pos",
    train,
    validation: train,
    architecture: cnn,
    recipe: { epochs: 1 },
  });
  expect(model.graph?.input.map(({ name }) => name)).not.toContain("character_ids");
});

const one: TrainingSentence = { words: ["a"], labels: ["X"], line: 4 };
test.each<[string, Task, TrainingSentence[], TrainingSentence[], string, string]>([
  [
    "no training text",
    "pos",
    [],
    [one],
    "empty",
    "trainTagger: training sentences: words: expected at least 1, got 0",
  ],
  [
    "no validation text",
    "pos",
    [one],
    [],
    "empty",
    "trainTagger: validation sentences: words: expected at least 1, got 0",
  ],
  [
    "a label that only validation has",
    "pos",
    [one],
    [{ words: ["a", "b"], labels: ["X", "Y"], line: 7 }],
    "unknown-label",
    'trainTagger: validation: line 8: label: expected one of those in training (X), got "Y"',
  ],
  [
    "an entity type that only validation has",
    "ner",
    [{ words: ["a"], labels: ["B-PER"] }],
    [{ words: ["a"], labels: ["B-DOG"] }],
    "unknown-label",
    'trainTagger: validation: sentence 1 word 1: label: expected one of those in training (O, B-PER, I-PER), got "B-DOG"',
  ],
  [
    "a sentence without its labels",
    "pos",
    [{ words: ["a", "b"], labels: ["X"], line: 2 }],
    [one],
    "misaligned",
    "trainTagger: train: line 2: labels: expected 2 (one a word), got 1",
  ],
  [
    "labels of no entity",
    "ner",
    [{ ...one, labels: ["NOUN"] }],
    [one],
    "labels",
    'trainTagger: train: line 4: label of "a": expected O or an entity label such as B-PER, got "NOUN"',
  ],
  [
    "text without an entity",
    "ner",
    [one],
    [one],
    "labels",
    "trainTagger: train: labels: expected those of at least 1 entity, such as B-PER, got none",
  ],
  [
    "a label with a tab in it",
    "pos",
    [{ ...one, labels: ["A\tB"] }],
    [one],
    "labels",
    'trainTagger: training sentences: label 0: expected text without control characters, got "A\\tB"; give it another name',
  ],
  [
    "a sentence beyond the limit",
    "pos",
    [{ words: Array<string>(600).fill("a"), labels: Array<string>(600).fill("X"), line: 9 }],
    [one],
    "window",
    "trainTagger: train: line 9: words of the sentence: expected at most 512 (longestSentence), got 600",
  ],
])("%s is refused", async (_name, task, train, validation, code, message) => {
  await expect(trainTagger({ task, train, validation, architecture: bilstm })).rejects.toMatchObject({
    code,
    message,
    kind: "input",
  });
});

test("CoNLL-U gives words, UPOS, and auxiliary labels", async () => {
  const row = (id: number, form: string, upos: string, xpos: string, feats: string): string =>
    `${id}\t${form}\t_\t${upos}\t${xpos}\t${feats}\t0\troot\t_\t_\n`;
  const text = `# sent_id = s1\n1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n${row(1, "do", "AUX", "VBP", "Mood=Ind")}${row(2, "n't", "PART", "_", "_")}\n`;
  const [sentence] = await posSentences(parseConllu(text));
  expect(sentence).toMatchObject({
    words: ["do", "n't"],
    labels: ["AUX", "PART"],
    lines: [3, 4],
    auxiliary: { xpos: ["VBP", undefined], feats: ["Mood=Ind", "_"] },
  });
  const columns = parseColumns("# sent_id = s1\n1\tdo\tO\n2\tn't\tB-PER\n\n# sent_id = s2\n1\tdo\tO\n\n");
  const joined = nerSentences(columns, { partsOfSpeech: parseConllu(text), weight: 0.5 });
  expect(joined[0]).toMatchObject({
    labels: ["O", "B-PER"],
    weight: 0.5,
    auxiliary: { upos: ["AUX", "PART"], xpos: ["VBP", undefined] },
  });
  expect(joined[1]?.auxiliary).toBeUndefined();
});

test("types of WNUT-17 become PER, LOC and ORG", () => {
  const labels = [
    "B-person",
    "I-person",
    "B-corporation",
    "B-group",
    "B-location",
    "B-product",
    "I-product",
    "O",
  ];
  const words = labels.map((_, i) => `w${i}`);
  const [sentence] = nerSentences([{ comments: [], words, labels }], { types: wnutTypes });
  expect(sentence?.labels).toEqual(["B-PER", "I-PER", "B-ORG", "B-ORG", "B-LOC", "O", "O", "O"]);
});

test("a model keeps the language of its text, and has none where none is said", async () => {
  const options = { ...base(cnn), recipe: { epochs: 1, batchSentences: 8 } };
  const [danish, unsaid] = [await trainTagger({ ...options, language: "da" }), await trainTagger(options)];
  expect((await readTaggerSettings(danish.model))?.language).toBe("da");
  expect(await readTaggerSettings(unsaid.model)).not.toHaveProperty("language");
  const tagger = await openNeuralTagger(danish.model, danish.settings, (part) => openSession(part));
  expect(tagger.language).toBe("da");
  await tagger.close();
  await expect(trainTagger({ ...options, language: "no tag" })).rejects.toMatchObject({ code: "option" });
});
