import { auxiliaryOutput } from "@nasty/taggers/neural";
import { seededRandom } from "@nasty/training";
import { describe, expect, test } from "vitest";
import { defaultNoise } from "../../../src/noise/noise.js";
import { type BatchSourceOptions, makeBatchSource } from "../../../src/neural/training/training-batches.js";
import { hidingProbability } from "../../../src/neural/training/word-dropout.js";
import { tinyFeatures } from "../tiny-neural.js";

const sentences = Array.from({ length: 50 }, (_, i) => ({
  words: Array.from({ length: 1 + (i % 5) }, () => "time"),
  labels: Array.from({ length: 1 + (i % 5) }, () => "X"),
}));
const options: BatchSourceOptions = {
  sentences,
  features: tinyFeatures,
  sets: { labels: ["X"], auxiliary: {} },
  layout: "rows",
  batchSentences: 8,
  batchTokens: 24,
  dropout: { wordBase: 0, wordScale: 0, affix: 0 },
  counts: new Map([["time", 3]]),
};
const epoch = (changes: Partial<BatchSourceOptions> = {}, seed = 1) => [
  ...makeBatchSource({ ...options, ...changes }).epoch(seededRandom(seed)),
];
const numbers = (batches: ReturnType<typeof epoch>, name: string): number[] =>
  batches.flatMap((batch) => Array.from(batch[name]?.data as Iterable<number | bigint>, Number));

test("every word is in one batch, within the limits, and padding has no label", () => {
  const batches = epoch();
  const labels = numbers(batches, "logits/labels");
  expect(labels.filter((label) => label === 0).length).toBe(150);
  expect(labels.every((label) => label === 0 || label === -100)).toBe(true);
  for (const batch of batches) {
    const [rows = 0, length = 0] = batch["word_index"]?.shape ?? [];
    expect(rows).toBeLessThanOrEqual(8);
    expect(rows * length).toBeLessThanOrEqual(24);
    expect(batch["word_ids"]?.shape).toEqual([1]);
  }
});

test("the order depends on the seed", () => {
  expect(epoch()).toEqual(epoch());
  expect(epoch()).not.toEqual(epoch({}, 2));
});

test("hidden words and affixes come as often as asked", () => {
  expect(hidingProbability(3, { wordBase: 0.05, wordScale: 0.6, affix: 0 })).toBeCloseTo(
    0.05 + 0.6 / 3.6,
    12,
  );
  expect(
    numbers(epoch({ dropout: { wordBase: 1, wordScale: 0, affix: 1 } }), "word_ids").every((id) => id === 0),
  ).toBe(true);
  expect(
    numbers(epoch({ dropout: { wordBase: 0, wordScale: 0, affix: 1 } }), "affix_ids").every((id) => id === 0),
  ).toBe(true);
  expect(numbers(epoch(), "affix_ids").every((id) => id > 0)).toBe(true);
  // Hidden and seen occurrences of one word are two distinct words of a batch.
  const half = epoch({ dropout: { wordBase: 0.5, wordScale: 0, affix: 0 } });
  expect(half.some((batch) => batch["word_ids"]?.shape[0] === 2)).toBe(true);
});

test("codes are left out as often as asked", () => {
  const { vocabulary } = tinyFeatures;
  const codes = { words: vocabulary, books: 2, codes: new Uint8Array(2 * vocabulary.length).fill(5) };
  const ids = (share: number | undefined): number[] =>
    numbers(
      epoch({
        features: { ...tinyFeatures, codes },
        dropout: { wordBase: 0.5, wordScale: 0, affix: 0, ...(share === undefined ? {} : { codes: share }) },
      }),
      "code_ids",
    );
  expect(new Set(ids(1))).toEqual(new Set([0]));
  expect(new Set(ids(0))).toEqual(new Set([6, 262]));
  expect(new Set(ids(undefined))).toEqual(new Set([0, 6, 262]));
});

test("a sentence of weight w is seen w times an epoch on average", () => {
  const weighted = sentences.map((sentence) => ({ ...sentence, weight: 2.5 }));
  const seen = numbers(epoch({ sentences: weighted }), "logits/labels").filter((label) => label === 0).length;
  expect(seen).toBeGreaterThan(150 * 2);
  expect(seen).toBeLessThan(150 * 3);
  expect(epoch({ sentences: sentences.map((sentence) => ({ ...sentence, weight: 0 })) })).toEqual([]);
});

test.each(["rows", "masked-rows", "stream"] as const)("targets stand where their words do (%s)", (layout) => {
  // Labels and targets say the same: which sentence, which word.
  const taught = Array.from({ length: 9 }, (_, i) => Array.from({ length: i % 4 }, (_w, w) => 10 * i + w));
  const names = Array.from({ length: 100 }, (_, i) => String(i));
  const batches = epoch({
    layout,
    sentences: taught.map((numbers) => ({ words: numbers.map(() => "time"), labels: numbers.map(String) })),
    sets: { labels: names, auxiliary: {} },
    targets: taught.map((numbers) =>
      Float32Array.from(numbers.flatMap((number) => names.map((name) => (name === String(number) ? 5 : 0)))),
    ),
  });
  let seen = 0;
  for (const batch of batches) {
    const labels = Array.from(batch["logits/labels"]?.data as BigInt64Array, Number);
    const words = batch["logits/words"]?.data as Float32Array;
    const soft = batch["logits/soft"]?.data as Float32Array;
    expect(batch["logits/soft"]?.shape).toEqual([...(batch["word_index"]?.shape ?? []), 100]);
    labels.forEach((label, at) => {
      expect(words[at]).toBe(label < 0 ? 0 : 1);
      expect(soft.subarray(at * 100, at * 100 + 100).indexOf(5)).toBe(label < 0 ? -1 : label);
      seen += label < 0 ? 0 : 1;
    });
  }
  expect(seen).toBe(taught.flat().length);
});

describe("noise", () => {
  const nothing = Object.fromEntries(Object.keys(defaultNoise).map((name) => [name, 0]));
  const noise = { ...defaultNoise, ...nothing, share: 1 };

  test("words change, another way each epoch, and are the same for the same seed", () => {
    const typing = { ...noise, typing: 1, typingPerWord: 0.5 };
    const affixes = (seed: number, changes: Partial<BatchSourceOptions> = { noise: typing }) =>
      numbers(epoch(changes, seed), "affix_ids");
    expect(affixes(1)).not.toEqual(affixes(1, {}));
    expect(affixes(1)).toEqual(affixes(1));
    const source = makeBatchSource({ ...options, noise: typing });
    const random = seededRandom(1);
    expect([...source.epoch(random)]).not.toEqual([...source.epoch(random)]);
  });

  test("labels and targets of words that are left out go with them, those of the others stay with theirs", () => {
    const names = ["comma", "word", "kept"];
    const targetOf = (label: string): number[] => names.map((name) => (name === label ? 5 : 0));
    const labels = ["comma", "word", "comma", "kept", "word"];
    const batches = epoch(
      {
        sentences: [{ words: [",", "time", ",", ",", "a"], labels, auxiliary: { same: labels } }],
        sets: { labels: names, auxiliary: { same: names } },
        targets: [Float32Array.from(labels.flatMap(targetOf))],
        noise: { ...noise, punctuation: 1 },
        mayDrop: (label) => label !== "kept",
      },
      3,
    );
    expect(batches).toHaveLength(1);
    expect(numbers(batches, "logits/labels")).toEqual([1, 2, 1]);
    expect(numbers(batches, `${auxiliaryOutput("same")}/labels`)).toEqual([1, 2, 1]);
    expect(numbers(batches, "logits/soft")).toEqual(["word", "kept", "word"].flatMap(targetOf));
  });
});

test("labels that no loss reads do not go out", () => {
  for (const batch of epoch({ ownLabels: false })) expect(batch["logits/labels"]).toBeUndefined();
  expect(epoch()[0]?.["logits/soft"]).toBeUndefined();
});
