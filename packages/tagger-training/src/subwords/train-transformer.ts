import { type LabelledSentence, type Task, withTagger } from "@nasty/taggers";
import type { CheckpointStore, Engine, TrainingEvent } from "@nasty/training";
import { fineTuneAs, type FineTuned } from "../fine-tuning/fine-tune.js";
import type { QuantizationAware } from "../quantization-aware/quantization-aware.js";
import { bertConfig, defaultTransformerSize, randomEncoder, type TransformerSize } from "./random-encoder.js";
import { trainVocabulary } from "./train-vocabulary.js";
import { wordPieceTokenizer } from "./word-piece-tokenizer.js";

/** Numbers of the recipe. */
export interface TransformerRecipe {
  readonly epochs: number;
  /** Sentences of a batch. */
  readonly batchSize: number;
  /** At its highest. */
  readonly learningRate: number;
  /** Share of the steps over which the learning rate rises. */
  readonly warmUp: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  /** Of the running average of the weights. */
  readonly averageDecay: number;
  readonly labelSmoothing: number;
  /** Of hidden values and attention. */
  readonly dropout: number;
  /** Probability that a word is hidden behind `[UNK]`. */
  readonly wordDropout: number;
}

export const defaultTransformerRecipe: TransformerRecipe = {
  epochs: 20,
  batchSize: 16,
  learningRate: 7e-4,
  warmUp: 0.06,
  weightDecay: 0.05,
  clipNorm: 1,
  averageDecay: 0.998,
  labelSmoothing: 0.05,
  dropout: 0.1,
  wordDropout: 0.05,
};

export interface TrainTransformerOptions extends QuantizationAware {
  readonly task: Task;
  readonly train: readonly LabelledSentence[];
  readonly validation: readonly LabelledSentence[];
  readonly size?: Partial<TransformerSize>;
  readonly recipe?: Partial<TransformerRecipe>;
  /** BCP 47 tag of the language of the text, by which raw text is cut; English unless given. */
  readonly language?: string | undefined;
  /** Default 1. The same seed, data, options and number of threads give the same model. */
  readonly seed?: number;
  readonly threads?: number;
  /** What computes losses and gradients. Default: ONNX Runtime. */
  readonly engine?: Engine;
  /** Stops after this many epochs without a better value on validation. */
  readonly patience?: number;
  /** Where to keep what an interrupted training goes on from. */
  readonly checkpoint?: CheckpointStore;
  /** Steps between checkpoints, beside those after every epoch. */
  readonly checkpointEvery?: number;
  readonly onEvent?: (event: TrainingEvent) => void;
  /** Steps between `step` events. Default 50. */
  readonly eventEvery?: number;
  readonly signal?: AbortSignal;
}

/** A trained tagger; `writeFineTuned` writes it as a Hugging Face directory. */
export interface TrainedTransformer extends FineTuned {
  /** Accuracy or F1 on validation of the weights returned. */
  readonly value: number | undefined;
}

/**
 * Trains a subword transformer from random weights.
 *
 * The pieces of words are learned from the training words ({@link trainVocabulary}), a BERT encoder starts from
 * {@link randomEncoder}, and both go through the steps of {@link fineTuneAs}: a word's label is learned at its first
 * piece, AdamW with linear warm-up and decay, cross-entropy with label smoothing, averaged weights. Auxiliary labels
 * and weights of sentences are not used.
 *
 * @returns a float32 model that carries its tagger, with the weights of the best epoch by validation
 * @throws TaggerError `empty`, `labels`, `misaligned`, `unknown-label`, `option`, `config` (a form that does not fit
 *   together); TrainingError `non-finite-loss`, `checkpoint-mismatch`, `checkpoint-format`.
 *
 * @example
 * ```ts
 * const { model, value } = await trainTransformer({ task: "pos", train, validation, recipe: { epochs: 10 } });
 * await writeModelFile("pos.onnx", model);
 * ```
 */
export async function trainTransformer(options: TrainTransformerOptions): Promise<TrainedTransformer> {
  const { task, train, validation, size: givenSize, recipe: givenRecipe, ...run } = options;
  const size = { ...defaultTransformerSize, ...givenSize };
  const { dropout, ...recipe } = { ...defaultTransformerRecipe, ...givenRecipe };
  const { seed = 1 } = run;
  const pieces = trainVocabulary(countOf(train), { size: size.vocabulary });
  const config = bertConfig({ ...size, vocabulary: pieces.length }, dropout);
  const tuned = await fineTuneAs("trainTransformer", {
    base: { model: randomEncoder(config, seed), config, ...wordPieceTokenizer(pieces, size.positions) },
    data: { train, validation },
    task,
    options: { ...recipe, ...run },
  });
  return { ...tuned, model: await withTagger(tuned.model, tuned.settings), value: tuned.bestMetric };
}

function countOf(sentences: readonly LabelledSentence[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { words } of sentences) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
