import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { TaggerError } from "@nasty/taggers";
import type { EmbedderSettings } from "@nasty/taggers/texts";
import type { TextRow } from "@nasty/taggers/transformer";
import type { Batch, Random } from "@nasty/training";
import { type BaseModel, openBase } from "../fine-tuning/base-model.js";
import { checkBatchSize, identityOf } from "../fine-tuning/fine-tune.js";
import { runIdentity } from "../fine-tuning/run-identity.js";
import { type ClassifierTrainingOptions, trainClassifier } from "../fine-tuning/train-classifier.js";
import { shuffledBatches } from "../fine-tuning/training-rows.js";
import { asSentences, collectTexts, placeOfText } from "./labelled-text.js";
import { addMeanPooling, pooledOutput, withoutPooling } from "./mean-pooling.js";
import { answers, makeTextFeeder, type TextFeeder } from "./text-rows.js";
import {
  finishedTextModel,
  inputSettingsOf,
  simulated,
  type TrainedTextModel,
} from "./trained-text-model.js";

/** A text and the vector that it should get. */
export interface TextVector {
  readonly text: string;
  /** As many numbers as the encoder is wide; its length does not matter, its direction does. */
  readonly vector: readonly number[] | Float32Array;
  /** Where it stands in its file, for messages: `line 12`. */
  readonly place?: string | undefined;
}

export type TextVectors = Iterable<TextVector> | AsyncIterable<TextVector>;

/** Texts with their vectors to learn from, and to choose the best epoch by. */
export interface EmbedderData {
  readonly train: TextVectors;
  readonly validation?: TextVectors;
}

/** An encoder of texts with everything that a Hugging Face directory holds. */
export interface FineTunedEmbedder extends TrainedTextModel {
  /** Mean cosine on the validation texts, with these weights; undefined without any. */
  readonly cosine: number | undefined;
}

const operation = "fineTune";
/** Name of the input with the vectors to learn, in training alone. */
const vectorsInput = "vectors";

/**
 * Fine-tunes an encoder so that the mean of a text's hidden states points where a given vector does.
 *
 * Loss: 1 − cosine, averaged over the texts. AdamW, linear warm-up and decay; batches of like length. Texts longer than
 * the model are cut at their end.
 *
 * @param base a Hugging Face directory (BERT, RoBERTa, DistilBERT, ELECTRA from safetensors; any encoder from ONNX), or
 *   its parts
 * @returns the weights of the epoch with the highest mean cosine on validation, or of the last one without it
 * @throws TaggerError `empty`, `misaligned` (a vector of another width than the encoder's, or one of zeros, with its
 *   line), `option`, `config`, `checkpoint`, `model-inputs`, `model-outputs`, `not-found`, `tokenizer`; TrainingError
 *   `non-finite-loss`, `checkpoint-mismatch`, `unsupported-operator`; FormatError.
 * @see N. Reimers and I. Gurevych, "Sentence-BERT" (2019), section 3, for the mean
 * @example
 * ```ts
 * const tuned = await fineTuneEmbedder("models/bert", { train: [{ text: "a dog", vector }] }, { epochs: 3 });
 * await writeTextModel("models/sentences", tuned);
 * ```
 */
export async function fineTuneEmbedder(
  base: string | BaseModel,
  data: EmbedderData,
  options: ClassifierTrainingOptions = {},
): Promise<FineTunedEmbedder> {
  const { batchSize = 16, threads } = options;
  checkBatchSize(operation, batchSize);
  const train = await collectTexts(data.train, `${operation}: train`);
  const validation =
    data.validation === undefined ? [] : await collectTexts(data.validation, `${operation}: validation`);
  const opened = await openBase(base);
  const { width } = opened;
  const model = addMeanPooling(opened);
  const settings: EmbedderSettings = {
    kind: "feature-extraction",
    pooling: ["mean"],
    normalize: false,
    ...inputSettingsOf(opened),
  };
  const feeder = makeTextFeeder(model, settings);
  const rows = vectorRows(train, { where: `${operation}: train`, width, feeder });
  const held = vectorRows(validation, { where: `${operation}: validation`, width, feeder });

  const judged = async (trained: ModelProto): Promise<number> => {
    let sum = 0;
    let row = 0;
    for await (const found of answers(trained, settings, validation, threads)) {
      const { vector } = held[row++] as VectorRow;
      for (let i = 0; i < width; i++) sum += (found[i] as number) * (vector[i] as number);
    }
    return sum / held.length;
  };
  const texts = train.map((one) => ({ text: one.text, label: one.vector.join(" ") }));
  const result = await trainClassifier({
    operation,
    model,
    // Of unit vectors |x − t|² is 2 − 2·cosine, and the mean over width takes the width's part of it.
    loss: { kind: "mse", name: "cosine", weight: width / 2, prediction: pooledOutput, target: vectorsInput },
    batches: (random) => batchesOf(rows, { feeder, width, batchSize, random }),
    stepsPerEpoch: Math.ceil(rows.length / batchSize),
    validate: held.length === 0 ? undefined : judged,
    identity: runIdentity(
      { ...identityOf(options), kind: "embedding", config: opened.config },
      asSentences(texts),
      model,
    ),
    options,
  });
  const cosine = held.length === 0 ? undefined : await judged(simulated(result));
  const encoder = { ...result, model: withoutPooling(result.model, opened) };
  return { ...finishedTextModel(opened, settings, encoder), cosine };
}

interface VectorRow extends TextRow {
  /** Of length 1. */
  readonly vector: Float32Array;
}

interface RowSource {
  readonly where: string;
  readonly width: number;
  readonly feeder: TextFeeder;
}

function vectorRows(texts: readonly TextVector[], { where, width, feeder }: RowSource): VectorRow[] {
  return texts.map((one, i) => {
    const refuse = (expected: string, got: string): TaggerError =>
      new TaggerError(
        "misaligned",
        `${where}: ${placeOfText(one, i)}: vector: expected ${expected}, got ${got}`,
      );
    const { length } = one.vector;
    if (length !== width) throw refuse(`${width} numbers (the width of the encoder)`, String(length));
    const size = Math.hypot(...one.vector);
    if (!(size > 0 && Number.isFinite(size)))
      throw refuse("finite numbers that are not all 0", `length ${size}`);
    return { ...feeder.encode(one.text, undefined), vector: Float32Array.from(one.vector, (x) => x / size) };
  });
}

interface BatchOptions {
  readonly feeder: TextFeeder;
  readonly width: number;
  readonly batchSize: number;
  readonly random: Random;
}

function* batchesOf(
  rows: readonly VectorRow[],
  { feeder, width, batchSize, random }: BatchOptions,
): Generator<Batch> {
  for (const batch of shuffledBatches(rows, batchSize, random)) {
    const data = new Float32Array(batch.length * width);
    batch.forEach(({ vector }, row) => data.set(vector, row * width));
    const vectors: Tensor = { dtype: "float32", shape: [batch.length, width], data };
    yield { ...feeder.feed(batch).feeds, [vectorsInput]: vectors };
  }
}
