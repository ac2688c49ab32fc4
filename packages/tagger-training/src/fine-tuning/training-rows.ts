import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { inputsOf, TaggerError, type TransformerSettings } from "@nasty/taggers";
import {
  type Feeder,
  makeFeeder,
  makeWordEncoder,
  type SubwordRow,
  subwordRows,
  type WordEncoder,
} from "@nasty/taggers/transformer";
import { type Random, shuffled } from "@nasty/training";
import { ignoredLabel } from "./label-set.js";

/** A row of subwords with the label index of each word it owns. */
export interface TrainingRow extends SubwordRow {
  readonly labels: Int32Array;
}

/** Turns words into rows, and rows into the inputs of a model in training. */
export interface TrainingEncoder {
  readonly feeder: Feeder;
  /** Rows of one sentence: several where it is longer than the model. */
  encode(words: readonly string[], labels: Int32Array, sentence: number, options?: RowOptions): TrainingRow[];
}

export interface RowOptions {
  /** Asked once a word, in order: whether the unk token takes its place. */
  readonly hides?: (() => boolean) | undefined;
}

/** @throws TaggerError `tokenizer`, `model-inputs`, `window`, `tokenizer-mismatch`. */
export function makeTrainingEncoder(model: ModelProto, settings: TransformerSettings): TrainingEncoder {
  const encoder = makeWordEncoder(settings.tokenizer);
  const { special, padId, largestId } = encoder;
  const { vocabularySize } = settings;
  if (vocabularySize !== undefined && largestId >= vocabularySize) {
    throw new TaggerError(
      "tokenizer-mismatch",
      `fineTune: tokenizer: ids: expected an embedding of at least ${largestId + 1} rows, got ${vocabularySize} rows; is this the model's own tokenizer.json?`,
    );
  }
  const feeder = makeFeeder(
    { inputs: inputsOf(model) },
    { special, padId, positionOffset: settings.positionOffset },
  );
  const positions = Math.min(
    settings.maxPositions ?? Number.POSITIVE_INFINITY,
    feeder.fixedLength ?? Number.POSITIVE_INFINITY,
  );
  const capacity = positions - special.before.length - special.after.length;
  if (!(capacity >= 1)) {
    throw new TaggerError(
      "window",
      `fineTune: model: positions: expected room for a subword beside ${special.before.length + special.after.length} special tokens, got ${positions} positions`,
    );
  }
  return {
    feeder,
    encode: (words, labels, sentence, { hides } = {}) =>
      subwordRows(words, sentence, hides === undefined ? encoder : hiding(encoder, hides), capacity).map(
        (row) => ({
          ...row,
          labels: labels.subarray(row.firstOwned, row.firstOwned + row.positions.length),
        }),
      ),
  };
}

const hiding = (encoder: WordEncoder, hides: () => boolean): WordEncoder => ({
  ...encoder,
  encode: (word) => (hides() ? encoder.unknown : encoder.encode(word)),
});

/** int64 [rows, length] with the label of each word at its first subword, −100 elsewhere. */
export function labelTensor(rows: readonly TrainingRow[], shape: readonly number[]): Tensor<"int64"> {
  const [count = 0, length = 0] = shape;
  const data = new BigInt64Array(count * length).fill(BigInt(ignoredLabel));
  rows.forEach(({ positions, labels }, r) => {
    positions.forEach((position, i) => {
      data[r * length + position] = BigInt(labels[i] as number);
    });
  });
  return { dtype: "int64", shape: [count, length], data };
}

/**
 * How many batches are sorted by length together: enough that little is padding, few enough that batches stay mixed.
 */
const pool = 50;

/**
 * Cuts rows into batches of like length, in an order that depends on `random` alone.
 *
 * Rows are shuffled, sorted by length inside pools of 50 batches, and the batches are shuffled. There are ⌈rows /
 * batchSize⌉ of them.
 */
export function shuffledBatches<R extends Pick<SubwordRow, "ids">>(
  rows: readonly R[],
  batchSize: number,
  random: Random,
): R[][] {
  const order = shuffled(rows, random);
  const batches: R[][] = [];
  for (let start = 0; start < order.length; start += batchSize * pool) {
    const sorted = order.slice(start, start + batchSize * pool).sort((a, b) => a.ids.length - b.ids.length);
    for (let at = 0; at < sorted.length; at += batchSize) batches.push(sorted.slice(at, at + batchSize));
  }
  return shuffled(batches, random);
}
