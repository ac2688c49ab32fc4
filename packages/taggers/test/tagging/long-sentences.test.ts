import { parseModelConfig, parseTokenizerConfig } from "@nasty/formats/hf";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession, type Session } from "@nasty/runtime";
import { expect, test } from "vitest";
import {
  type BatchOptions,
  makeSequenceTagger,
  makeTransformerTagger,
  openNeuralTagger,
  settingsFromHf,
  type Tagger,
} from "../../src/index.js";
import { tinyFeatures, tinyNeural } from "../neural/tiny-neural.js";
import { settings as sequenceSettings, table, tinySequence } from "../sequence/tiny-sequence.js";
import { tinyModel } from "../transformer/tiny-model.js";
import { wordPiece } from "../transformer/tiny-tokenizers.js";

/** Sizes of the runs of a model (rows × positions), and what happens when one begins. */
interface Runs {
  readonly sizes: number[];
  onRun?: () => void;
}

async function observed(model: ModelProto, runs: Runs): Promise<Session> {
  const session = await openSession(model);
  return {
    ...session,
    inputs: session.inputs,
    outputs: session.outputs,
    run(feeds, outputs) {
      const placed = feeds["word_index"] ?? feeds["ids"] ?? feeds["input_ids"];
      if (placed !== undefined) {
        runs.sizes.push(placed.shape.reduce((product, size) => product * size, 1));
        runs.onRun?.();
      }
      return session.run(feeds, outputs);
    },
    close: () => session.close(),
  };
}

const labels = ["O", "B-PER", "I-PER"];
const transformerSettings = settingsFromHf({
  config: parseModelConfig(
    JSON.stringify({ model_type: "bert", id2label: { 0: "L0", 1: "L1", 2: "L2", 3: "L3" }, pad_token_id: 0 }),
  ),
  tokenizerJson: wordPiece(["a", "b", "c", "d", "e", "##x"]),
  tokenizerConfig: parseTokenizerConfig(JSON.stringify({ pad_token: "[PAD]", unk_token: "[UNK]" })),
});
const openers: Readonly<Record<string, (runs: Runs) => Promise<Tagger>>> = {
  bilstm: (runs) =>
    openNeuralTagger(
      tinyNeural({ places: "lengths" }),
      { kind: "neural", task: "pos", labels, features: tinyFeatures },
      (part) => observed(part, runs),
    ),
  cnn: (runs) =>
    openNeuralTagger(
      tinyNeural({ places: "mask", seed: 12 }),
      { kind: "neural", task: "ner", labels, features: tinyFeatures },
      (part) => observed(part, runs),
    ),
  sequence: async (runs) =>
    makeSequenceTagger(await observed(tinySequence({ table }), runs), sequenceSettings),
  transformer: async (runs) =>
    makeTransformerTagger(
      await observed(tinyModel({ vocabulary: 11, labels: 4, positions: 1024 }), runs),
      transformerSettings,
    ),
};
const kinds = Object.keys(openers);
const open = (kind: string, runs: Runs = { sizes: [] }): Promise<Tagger> =>
  (openers[kind] as (typeof openers)[string])(runs);

const vocabulary = ["a", "like", "time", "the", "cat", "sat", "b", "c", "Time"];
const word = (i: number): string => vocabulary[(i * i + (i >> 4)) % vocabulary.length] as string;

test.each(kinds)("%s: a sentence of 5,000 words is tagged in runs of bounded size", async (kind) => {
  const runs: Runs = { sizes: [] };
  const tagger = await open(kind, runs);
  const long = Array.from({ length: 5000 }, (_, i) => word(i));
  const tagged: (readonly string[])[] = [];
  for await (const found of tagger.tag([["a", "cat"], long, [], ["sat"]])) tagged.push(found);
  expect(tagged.map(({ length }) => length)).toEqual([2, 5000, 0, 1]);
  expect(Math.max(...runs.sizes)).toBeLessThanOrEqual(1024);

  // The words around a border of windows get the labels that they get with 100 words of context on each side.
  const around: number[] = [256, 383, 384, 385, 511, 512, 513, 640, 2500, 4999];
  for (const at of around) {
    const first = Math.max(0, at - 100);
    for await (const found of tagger.tag([long.slice(first, at + 101)])) {
      expect(found[at - first]).toBe(tagged[1]?.[at]);
    }
  }
  let words = 0;
  for await (const batch of tagger.feedsOf([long])) words += batch.words;
  expect(words).toBe(5000);
  await tagger.close();
});

test.each(kinds)("%s: what is no list of texts is refused by both methods", async (kind) => {
  const tagger = await open(kind);
  const refusal = {
    code: "words",
    message: "tag: sentence 0: word 0: expected a string, got 1 (number)",
  };
  const wrong = [[1, 2]] as unknown as string[][];
  for (const results of [tagger.tag(wrong), tagger.feedsOf(wrong)]) {
    await expect(results[Symbol.asyncIterator]().next()).rejects.toMatchObject(refusal);
  }
  await tagger.close();
});

test.each(kinds)("%s: a signal ends the call between two runs", async (kind) => {
  const runs: Runs = { sizes: [] };
  const tagger = await open(kind, runs);
  const abortedAt = async (options: BatchOptions, controller: AbortController): Promise<void> => {
    const before = runs.sizes.length;
    const sentences = Array.from({ length: 200 }, () => ["a", "cat"]);
    const consumed = (async () => {
      for await (const _ of tagger.tag(sentences, { ...options, signal: controller.signal })) {
        if (options.batchSize === 1) controller.abort(new Error("enough"));
      }
    })();
    await expect(consumed).rejects.toThrow("enough");
    expect(runs.sizes.length - before).toBe(1);
  };
  await abortedAt({ batchSize: 1 }, new AbortController());
  // Within one block of sentences too.
  const inside = new AbortController();
  runs.onRun = () => inside.abort(new Error("enough"));
  await abortedAt({ batchSize: 4, batchTokens: 8 }, inside);
  await tagger.close();
});
