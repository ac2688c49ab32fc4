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
  sets: { labels: ["X"], auxiliary: {}, corpora: [] },
  layout: "rows",
  batchSentences: 8,
  batchTokens: 24,
  dropout: { wordBase: 0, wordScale: 0, affix: 0 },
  counts: new Map([["time", 3]]),
};
const nothing = Object.fromEntries(Object.keys(defaultNoise).map((name) => [name, 0]));
const noise = { ...defaultNoise, ...nothing, share: 1 };
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

test("words say which corpus they are from, those of the task's own text none", () => {
  const of = (corpus: string | undefined, count: number) => ({
    words: Array.from({ length: count }, () => "time"),
    labels: Array.from({ length: count }, () => "X"),
    corpus,
  });
  const own = { labels: ["X"], auxiliary: {}, corpora: ["a", "b"] };
  const batches = epoch({
    sentences: [of(undefined, 3), of("a", 2), of("b", 1)],
    sets: own,
    layout: "masked-rows",
  });
  const [batch] = batches;
  expect(batches).toHaveLength(1);
  expect(batch?.["corpora"]?.shape).toEqual([3, 3, 2]);
  const rows = new Map<number, number[]>();
  const data = numbers(batches, "corpora");
  const mask = numbers(batches, "mask");
  for (const row of [0, 1, 2])
    rows.set(
      mask.slice(3 * row, 3 * row + 3).reduce((a, b) => a + b),
      data.slice(6 * row, 6 * row + 6),
    );
  expect(rows.get(3)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(rows.get(2)).toEqual([1, 0, 1, 0, 0, 0]);
  expect(rows.get(1)).toEqual([0, 1, 0, 0, 0, 0]);
  expect(epoch()[0]).not.toHaveProperty("corpora");
});

describe("what teachers think of words side by side", () => {
  const words = ["a", ",", "b"];
  const sentence = { words, labels: ["X", "Y", "X"] };
  // Probabilities of X: 0.9, 0.2, 0.6, and of what stands side by side.
  const targets = [Float32Array.of(0.9, 0.1, 0.2, 0.8, 0.6, 0.4).map(Math.log)];
  const pairs = [Float32Array.of(0.15, 0.75, 0.05, 0.05, 0.1, 0.1, 0.5, 0.3)];
  const soft = { labels: ["X", "Y"], targets, pairs, temperature: 1, alpha: 1 };
  const sets = { labels: ["X", "Y"], auxiliary: {}, corpora: [] };
  const fed = (changes: Partial<BatchSourceOptions>, name: string): number[] =>
    numbers(epoch({ sentences: [sentence], sets, soft, ownLabels: false, ...changes }, 3), name).map(
      (value) => Number(value.toFixed(5)),
    );

  test("is summed over the batch", () => {
    expect(fed({}, "logits/soft")).toEqual([0.9, 0.1, 0.2, 0.8, 0.6, 0.4]);
    expect(fed({}, "logits/pairs")).toEqual([0.25, 0.85, 0.55, 0.35]);
    const two = { sentences: [sentence, sentence] };
    const both = { ...soft, targets: [...targets, ...targets], pairs: [...pairs, ...pairs] };
    expect(fed({ ...two, soft: both }, "logits/pairs")).toEqual([0.5, 1.7, 1.1, 0.7]);
  });

  test("is mixed with the right labels", () => {
    const half = { ...soft, alpha: 0.5 };
    expect(fed({ soft: half }, "logits/soft")).toEqual([0.95, 0.05, 0.1, 0.9, 0.8, 0.2]);
    // X Y and Y X are right.
    expect(fed({ soft: half }, "logits/pairs")).toEqual([0.125, 0.925, 0.775, 0.175]);
    const unknown = [{ ...sentence, labels: ["_", "_", "_"] }];
    expect(fed({ sentences: unknown, soft: half }, "logits/pairs")).toEqual([0.25, 0.85, 0.55, 0.35]);
  });

  test("goes with the words that noise leaves", () => {
    const less = { noise: { ...noise, punctuation: 1 } };
    expect(fed(less, "logits/soft")).toEqual([0.9, 0.1, 0.6, 0.4]);
    expect(fed(less, "logits/pairs")).toEqual([0.54, 0.36, 0.06, 0.04]);
  });
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
    sets: { labels: names, auxiliary: {}, corpora: [] },
    soft: {
      labels: names,
      targets: taught.map((numbers) =>
        Float32Array.from(
          numbers.flatMap((number) => names.map((name) => (name === String(number) ? 5 : 0))),
        ),
      ),
      temperature: 1,
      alpha: 0.5,
    },
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
        sets: { labels: names, auxiliary: { same: names }, corpora: [] },
        soft: {
          labels: names,
          targets: [Float32Array.from(labels.flatMap(targetOf))],
          temperature: 1,
          alpha: 0.5,
        },
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
