import type { LabelScheme } from "@nasty/formats/iob";
import type { ModelProto } from "@nasty/formats/onnx";
import { labellingOfSettings, TaggerError, type TaggerSettings, withTagger } from "@nasty/taggers";
import { checkBatchSize, type FineTuneData, identityOf, known } from "../fine-tuning/fine-tune.js";
import { labelIndices, readSentences, type SentenceSource } from "../fine-tuning/label-set.js";
import type { LabelledRun, RunBatches } from "../fine-tuning/run-batches.js";
import { runIdentity } from "../fine-tuning/run-identity.js";
import {
  checkShare,
  type ClassifierTraining,
  type ClassifierTrainingOptions,
  taggerValidation,
  trainClassifier,
} from "../fine-tuning/train-classifier.js";
import { transformerBatches } from "../fine-tuning/transformer-batches.js";
import { neuralBatches } from "./neural-batches.js";

/** A float32 tagger: a graph and what it needs beside it. */
export interface TaggerModel {
  readonly model: ModelProto;
  readonly settings: TaggerSettings;
}

export interface FurtherTrainingOptions extends ClassifierTrainingOptions {
  /** Share of every label's probability that is spread over all of them. Default 0. */
  readonly labelSmoothing?: number;
  /**
   * Probability that a word of a transformer is hidden behind the unk token, drawn anew each epoch. Default 0; other
   * taggers hide words as they were trained.
   */
  readonly wordDropout?: number;
  /** Scheme of the entity labels of the text; seen from them unless given. */
  readonly scheme?: LabelScheme | undefined;
}

const operation = "trainFurther";

/**
 * Goes on training a tagger of any kind, with its own labels, features and tokenizer: to recover from pruning, or on
 * new text.
 *
 * Loss: cross-entropy over labelled words at first subwords, or the negative log-likelihood of the label sequence where
 * the model has scores of label sequences. AdamW, linear warm-up and decay.
 *
 * @param tagger weights in float32; not changed
 * @param data words with a label each of the tagger's task, entities in any scheme; `_` is a word without a label
 * @returns the model of the best epoch by validation, or of the last one without it, with its settings in its metadata
 * @throws TaggerError `empty`, `misaligned`, `labels`, `unknown-label` for a label that the tagger does not have,
 *   `option` (also for a tagger of kind `sequence`, which another framework trained), `model-inputs`, `window`;
 *   TrainingError `non-finite-loss`, `checkpoint-mismatch`, `unsupported-operator`.
 * @example
 * ```ts
 * const pruned = await pruner.prune(model, { sparsity: 0.3, structured: true });
 * const recovered = await trainFurther({ model: pruned, settings }, { train, validation }, { epochs: 2 });
 * ```
 */
export async function trainFurther(
  { model, settings }: TaggerModel,
  data: FineTuneData,
  options: FurtherTrainingOptions = {},
): Promise<ClassifierTraining> {
  const { batchSize = 16, labelSmoothing = 0, wordDropout = 0 } = options;
  checkBatchSize(operation, batchSize);
  checkShare(operation, "labelSmoothing", labelSmoothing);
  checkShare(operation, "wordDropout", wordDropout);
  const { labels } = settings;
  const { task, form, types } = labellingOfSettings(settings);
  const byLabel = new Map(labels.map((label, index) => [label, index]));
  const read = async (name: SentenceSource["name"], sentences: FineTuneData["train"]) => {
    const source: SentenceSource = { operation, name, task, scheme: options.scheme, form, types };
    const found = await readSentences(sentences, source);
    return { found, targets: found.map((s, i) => labelIndices(s, i, { labels: byLabel, source })) };
  };
  const { found: train, targets } = await read("train", data.train);
  const validation = data.validation === undefined ? [] : (await read("validation", data.validation)).found;

  const run: LabelledRun = { model, sentences: train, targets, batchSize, labelSmoothing, wordDropout };
  const { loss, batches, stepsPerEpoch } = batchesOf(settings, run);
  const result = await trainClassifier({
    operation,
    model,
    loss,
    batches,
    stepsPerEpoch,
    validate: taggerValidation(settings, known(validation), options),
    identity: runIdentity({ ...identityOf(options), labels }, train, model),
    options,
  });
  return { ...result, model: await withTagger(result.model, settings) };
}

function batchesOf(settings: TaggerSettings, run: LabelledRun): RunBatches {
  switch (settings.kind) {
    case "transformer":
      return transformerBatches(settings, run);
    case "neural":
      return neuralBatches(settings, run);
    case "sequence":
      throw new TaggerError(
        "option",
        `${operation}: model: kind: expected a transformer or neural tagger, got a sequence tagger (imported from another framework); train it there`,
      );
    default:
      return settings satisfies never;
  }
}
