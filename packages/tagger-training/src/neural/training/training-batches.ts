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
import { expectedLabels, type SoftTargets } from "./soft-targets.js";
import type { TrainingSentence } from "./training-sentence.js";
import { batchesOf, type BatchSize, shuffledBatches } from "./batches-of-like-length.js";
import { encodeWords, type WordEncoding } from "./encode-words.js";

/** Label of positions that do not count. */
export const ignoredLabel = -100;

/** Name of the input with the right labels of an output. */
export const labelsInput = (output: string): string => `${output}/labels`;

/** Names of the inputs with what the teachers think of each word, and with 1 where there is a word. */
export const softInputs = {
  targets: `${logitsOutput}/soft`,
  words: `${logitsOutput}/words`,
  /** Probabilities of a label behind another one, summed over the batch. */
  pairs: `${logitsOutput}/pairs`,
} as const;

export interface BatchSource {
  /** Batches of an epoch; the same for the same random numbers. */
  epoch(random: Random): Generator<Batch>;
  /** About how many there are. */
  readonly batchesPerEpoch: number;
}

export interface BatchSourceOptions extends BatchSize, Omit<WordEncoding, "store" | "random"> {
  readonly sentences: readonly TrainingSentence[];
  readonly sets: LabelSets;
  /** What teachers think of the sentences. Without `pairs`, targets go out as they are. */
  readonly soft?: SoftTargets | undefined;
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
  /** Float32 [(words − 1) · labels · labels]: see {@link SoftTargets.pairs}. */
  readonly pairs: Float32Array | undefined;
  readonly weight: number;
  /** Place of its corpus among those of the label sets, -1 for the task's own text. */
  readonly corpus: number;
  /** Whether noise may leave out the word at a place. */
  readonly mayDrop: (place: number) => boolean;
}

/** Hands out batches of sentences of like length, in another order each epoch. */
export function makeBatchSource(options: BatchSourceOptions): BatchSource {
  const { sentences, features, sets, soft, noise, mayDrop = () => true } = options;
  const featuresOf = makeWordFeatures(features);
  const known = makeWordStore(featuresOf);
  const all = outputsOf(sets);
  const outputs = options.ownLabels === false ? all.slice(1) : all;
  const numbers = all.map(({ labels }) => new Map(labels.map((label, i) => [label, i])));
  const examples = sentences
    .map((sentence, i): Example => {
      const [right, ...others] = all.map(({ head }, o) => {
        const given = head === undefined ? sentence.labels : sentence.auxiliary?.[head];
        return Int32Array.from(sentence.words, (_, w) => numbers[o]?.get(given?.[w] ?? "") ?? ignoredLabel);
      }) as [Int32Array, ...Int32Array[]];
      return {
        words: sentence.words,
        labels: options.ownLabels === false ? others : [right, ...others],
        ...softOf(soft, i, right),
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
  const { target, pairs } = example;
  return {
    ...example,
    words,
    labels: example.labels.map((labels) => Int32Array.from(places, (place) => labels[place] as number)),
    target: target && pickRows(target, places, count),
    pairs: target && pairs && pickPairs({ target, pairs }, places, count),
  };
}

/** What goes out of what teachers think of a sentence. */
function softOf(
  soft: SoftTargets | undefined,
  sentence: number,
  right: Int32Array,
): Pick<Example, "target" | "pairs"> {
  const [target, pairs] = [soft?.targets[sentence], soft?.pairs?.[sentence]];
  if (soft === undefined || target === undefined || pairs === undefined) return { target, pairs: undefined };
  const expected = expectedLabels(soft, { targets: target, pairs, right });
  return { target: expected.targets, pairs: expected.pairs };
}

/** Pairs of the words that are left; those that stood apart are taken to know nothing of each other. */
function pickPairs(
  { target, pairs }: { readonly target: Float32Array; readonly pairs: Float32Array },
  places: readonly number[],
  count: number,
): Float32Array {
  const size = count * count;
  const out = new Float32Array(Math.max(0, places.length - 1) * size);
  for (let i = 0; i < places.length - 1; i++) {
    const [place, next] = [places[i] as number, places[i + 1] as number];
    if (next === place + 1) {
      out.set(pairs.subarray(place * size, next * size), i * size);
      continue;
    }
    for (let cell = 0; cell < size; cell++) {
      const from = target[place * count + Math.floor(cell / count)] as number;
      out[i * size + cell] = from * (target[next * count + (cell % count)] as number);
    }
  }
  return out;
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

/** The task's own head, then the others. */
function outputsOf({ labels, auxiliary }: LabelSets): Output[] {
  const heads = Object.entries(auxiliary).map(([head, names]) => ({
    name: auxiliaryOutput(head),
    head,
    labels: names,
  }));
  return [{ name: logitsOutput, head: undefined, labels }, ...heads];
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
  readonly soft?: SoftTargets | undefined;
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
  const { soft, sets } = encoding;
  if (soft !== undefined) {
    const { length } = sets.labels;
    feeds[softInputs.targets] = targetTensor(batch, placed, length);
    if (soft.pairs === undefined) feeds[softInputs.words] = wordTensor(placed);
    else feeds[softInputs.pairs] = pairTensor(batch, length);
  }
  return feeds;
}

const wordTensor = ({ mask }: Placement): Tensor =>
  tensor("float32", mask.shape, Float32Array.from(mask.data));

function targetTensor(batch: readonly Example[], { starts, mask }: Placement, labels: number): Tensor {
  const data = new Float32Array(mask.data.length * labels);
  batch.forEach(({ target }, r) => data.set(target as Float32Array, (starts[r] as number) * labels));
  return tensor("float32", [...mask.shape, labels], data);
}

function pairTensor(batch: readonly Example[], labels: number): Tensor {
  const data = new Float32Array(labels * labels);
  for (const { pairs = [] } of batch)
    for (let i = 0; i < pairs.length; i++)
      data[i % data.length] = (data[i % data.length] as number) + (pairs[i] as number);
  return tensor("float32", [labels, labels], data);
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
