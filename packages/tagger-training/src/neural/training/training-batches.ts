import { type Tensor, tensor } from "@nasty/core";
import {
  auxiliaryOutput,
  logitsOutput,
  makeWordFeatures,
  makeWordStore,
  type Placement,
} from "@nasty/taggers/neural";
import type { Batch, Random } from "@nasty/training";
import { disturb } from "../../noise/disturb.js";
import type { Noise } from "../../noise/noise.js";
import { corporaInput } from "../graph/corpora.js";
import type { LabelSets } from "./label-sets.js";
import type { TrainingSentence } from "./training-sentence.js";
import { batchesOf, type BatchSize, shuffledBatches } from "./batches-of-like-length.js";
import { encodeWords, type WordEncoding } from "./encode-words.js";

/** Label of positions that do not count. */
export const ignoredLabel = -100;

/** Name of the input with the right labels of an output. */
export const labelsInput = (output: string): string => `${output}/labels`;

/** Names of the inputs with what the teachers think of each word, and with 1 where there is a word. */
export const softInputs = { targets: `${logitsOutput}/soft`, words: `${logitsOutput}/words` } as const;

export interface BatchSource {
  /** Batches of an epoch; the same for the same random numbers. */
  epoch(random: Random): Generator<Batch>;
  /** About how many there are. */
  readonly batchesPerEpoch: number;
}

export interface BatchSourceOptions extends BatchSize, Omit<WordEncoding, "store" | "random"> {
  readonly sentences: readonly TrainingSentence[];
  readonly sets: LabelSets;
  /** For each sentence float32 [words · labels] that goes out with it. */
  readonly targets?: readonly Float32Array[] | undefined;
  /** Whether the labels of the task's own head go out. Default true. */
  readonly ownLabels?: boolean;
  /** How sentences are disturbed, in another way each epoch; labels and targets stay those of the words. */
  readonly noise?: Noise | undefined;
  /** Whether noise may leave out a word with this label of the task's own. Default: any. */
  readonly mayDrop?: ((label: string) => boolean) | undefined;
}

interface Example {
  readonly words: readonly string[];
  /** Label numbers by output. */
  readonly labels: readonly Int32Array[];
  readonly target: Float32Array | undefined;
  readonly weight: number;
  /** Place of its corpus among those of the label sets, -1 for the task's own text. */
  readonly corpus: number;
  /** Whether noise may leave out the word at a place. */
  readonly mayDrop: (place: number) => boolean;
}

/** Hands out batches of sentences of like length, in another order each epoch. */
export function makeBatchSource(options: BatchSourceOptions): BatchSource {
  const { sentences, features, sets, noise, mayDrop = () => true } = options;
  const featuresOf = makeWordFeatures(features);
  const known = makeWordStore(featuresOf);
  const outputs = outputsOf(sets, options.ownLabels);
  const numbers = outputs.map(({ labels }) => new Map(labels.map((label, i) => [label, i])));
  const examples = sentences
    .map((sentence, i): Example => {
      const labels = outputs.map(({ head }, o) => {
        const given = head === undefined ? sentence.labels : sentence.auxiliary?.[head];
        return Int32Array.from(sentence.words, (_, w) => numbers[o]?.get(given?.[w] ?? "") ?? ignoredLabel);
      });
      return {
        words: sentence.words,
        labels,
        target: options.targets?.[i],
        weight: sentence.weight ?? 1,
        corpus: sentence.corpus === undefined ? -1 : sets.corpora.indexOf(sentence.corpus),
        mayDrop: (place) => mayDrop(sentence.labels[place] as string),
      };
    })
    .filter(({ words }) => words.length > 0);
  const expected = examples.reduce((sum, { weight }) => sum + weight, 0);
  const tokens = examples.reduce((sum, { weight, words }) => sum + weight * words.length, 0);
  return {
    batchesPerEpoch: batchesOf({ sentences: expected, words: tokens }, options),
    *epoch(random) {
      // What noise makes of words is forgotten after an epoch: most of it is never seen again.
      const store = noise === undefined ? known : makeWordStore(featuresOf);
      const drawn = draw(examples, random);
      const seen =
        noise === undefined
          ? drawn
          : drawn.map((example) => disturbed(example, { noise, random, labels: sets.labels.length }));
      for (const batch of shuffledBatches(seen, options, random)) {
        yield encode(batch, { ...options, outputs, store, random });
      }
    },
  };
}

/** The example with noise; the labels and targets of the words that are left go with them. */
function disturbed(
  example: Example,
  {
    noise,
    random,
    labels: count,
  }: { readonly noise: Noise; readonly random: Random; readonly labels: number },
): Example {
  const found = disturb(example.words, noise, random, example.mayDrop);
  if (found === undefined) return example;
  const { words, places } = found;
  const { target } = example;
  return {
    ...example,
    words,
    labels: example.labels.map((labels) => Int32Array.from(places, (place) => labels[place] as number)),
    target: target && pickRows(target, places, count),
  };
}

function pickRows(values: Float32Array, rows: readonly number[], width: number): Float32Array {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => out.set(values.subarray(row * width, (row + 1) * width), i * width));
  return out;
}

interface Output {
  readonly name: string;
  readonly head: string | undefined;
  readonly labels: readonly string[];
}

function outputsOf({ labels, auxiliary }: LabelSets, ownLabels = true): Output[] {
  const heads = Object.entries(auxiliary).map(([head, names]) => ({
    name: auxiliaryOutput(head),
    head,
    labels: names,
  }));
  return ownLabels ? [{ name: logitsOutput, head: undefined, labels }, ...heads] : heads;
}

/** Each sentence as often as its weight says, on average. */
function draw(examples: readonly Example[], random: Random): Example[] {
  return examples.flatMap((example) => {
    const whole = Math.floor(example.weight);
    const times = whole + (random.uniform() < example.weight - whole ? 1 : 0);
    return Array.from({ length: times }, () => example);
  });
}

interface Encoding extends WordEncoding {
  readonly outputs: readonly Output[];
  readonly targets?: readonly Float32Array[] | undefined;
  readonly sets: LabelSets;
}

function encode(batch: readonly Example[], encoding: Encoding): Batch {
  const { outputs } = encoding;
  const placed = encodeWords(
    batch.map(({ words }) => words),
    encoding,
  );
  const feeds: Record<string, Tensor> = { ...placed.feeds };
  outputs.forEach(({ name }, o) => {
    feeds[labelsInput(name)] = labelTensor(
      batch.map(({ labels }) => labels[o] as Int32Array),
      placed,
    );
  });
  const corpora = encoding.sets.corpora.length;
  if (corpora > 0) feeds[corporaInput] = corporaTensor(batch, placed, corpora);
  if (encoding.targets !== undefined)
    Object.assign(
      feeds,
      softTensors(
        batch.map(({ target }) => target as Float32Array),
        placed,
        encoding.sets.labels.length,
      ),
    );
  return feeds;
}

function softTensors(
  targets: readonly Float32Array[],
  { starts, mask }: Placement,
  labels: number,
): Record<string, Tensor> {
  const data = new Float32Array(mask.data.length * labels);
  targets.forEach((values, r) => data.set(values, (starts[r] as number) * labels));
  return {
    [softInputs.targets]: tensor("float32", [...mask.shape, labels], data),
    [softInputs.words]: tensor("float32", mask.shape, Float32Array.from(mask.data)),
  };
}

/** 1 at the corpus of each word's sentence, 0 elsewhere. */
function corporaTensor(batch: readonly Example[], { starts, mask }: Placement, corpora: number): Tensor {
  const data = new Float32Array(mask.data.length * corpora);
  batch.forEach(({ words, corpus }, r) => {
    if (corpus < 0) return;
    const start = starts[r] as number;
    for (let i = start; i < start + words.length; i++) data[i * corpora + corpus] = 1;
  });
  return tensor("float32", [...mask.shape, corpora], data);
}

function labelTensor(labels: readonly Int32Array[], { starts, mask }: Placement): Tensor {
  const data = new BigInt64Array(mask.data.length).fill(BigInt(ignoredLabel));
  labels.forEach((values, r) => {
    const start = starts[r] as number;
    for (let i = 0; i < values.length; i++) data[start + i] = BigInt(values[i] as number);
  });
  return tensor("int64", mask.shape, data);
}
