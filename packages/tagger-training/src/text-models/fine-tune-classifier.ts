import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { checkLabels, TaggerError } from "@nasty/taggers";
import { familyOf, findSequenceHead, sequenceHeadOf } from "@nasty/taggers/encoders";
import { type ClassifierSettings, largestAt } from "@nasty/taggers/texts";
import type { TextRow } from "@nasty/taggers/transformer";
import type { Batch, Random } from "@nasty/training";
import { type BaseModel, type OpenBase, openBase } from "../fine-tuning/base-model.js";
import { checkBatchSize, identityOf } from "../fine-tuning/fine-tune.js";
import { runIdentity } from "../fine-tuning/run-identity.js";
import {
  checkShare,
  type ClassifierTrainingOptions,
  labelsInput,
  trainClassifier,
} from "../fine-tuning/train-classifier.js";
import { shuffledBatches } from "../fine-tuning/training-rows.js";
import { type ClassScores, classScores } from "./class-scores.js";
import {
  asSentences,
  collectTexts,
  type LabelledText,
  type LabelledTexts,
  placeOfText,
} from "./labelled-text.js";
import { addSequenceHead, type SequenceHeadOptions } from "./sequence-head.js";
import { answers, makeTextFeeder, type TextFeeder } from "./text-rows.js";
import {
  finishedTextModel,
  inputSettingsOf,
  simulated,
  type TrainedTextModel,
} from "./trained-text-model.js";

const operation = "fineTune";

/** Labelled texts to learn from, and to choose the best epoch by. */
export interface ClassifierData {
  readonly train: LabelledTexts;
  readonly validation?: LabelledTexts;
}

export interface FineTuneClassifierOptions extends ClassifierTrainingOptions {
  /** Share of every label's probability that is spread over all of them. Default 0. */
  readonly labelSmoothing?: number;
  /**
   * Go on with the base's classifier of texts: `true` needs one that has every label of the training texts, `false`
   * starts a fresh one. Left out, it is kept where both have the same labels.
   */
  readonly keepHead?: boolean;
}

/** A classifier of texts with everything that a Hugging Face directory holds. */
export interface FineTunedClassifier extends TrainedTextModel {
  /** In the order of the logits. */
  readonly labels: readonly string[];
  /** On the validation texts, with these weights; undefined without any. */
  readonly scores: ClassScores | undefined;
}

/**
 * Fine-tunes an encoder into a classifier of texts, or of pairs of texts.
 *
 * The head is that of the family in transformers, on the first token; a pretrained pooler is kept, and the whole head
 * of a base that classifies texts by the same labels. Loss: cross-entropy. AdamW, linear warm-up and decay; batches of
 * like length. Texts longer than the model are cut at their end.
 *
 * @param base a Hugging Face directory (BERT, RoBERTa, DistilBERT, ELECTRA from safetensors; any encoder from ONNX), or
 *   its parts
 * @returns the weights of the epoch with the highest accuracy on validation, or of the last one without it
 * @throws TaggerError `empty`, `misaligned` (pairs among single texts), `labels` (fewer than 2), `unknown-label` (only
 *   in validation, with its line), `option`, `config`, `checkpoint`, `model-outputs`, `not-found`, `tokenizer`;
 *   TrainingError `non-finite-loss`, `checkpoint-mismatch`, `unsupported-operator`; FormatError.
 * @see J. Devlin et al., "BERT" (2019), section 4.1
 * @example
 * ```ts
 * const tuned = await fineTuneClassifier("models/bert", { train, validation }, { epochs: 3 });
 * await writeTextModel("models/genre", tuned);
 * ```
 */
export async function fineTuneClassifier(
  base: string | BaseModel,
  data: ClassifierData,
  options: FineTuneClassifierOptions = {},
): Promise<FineTunedClassifier> {
  const { batchSize = 16, seed = 1, labelSmoothing = 0, threads } = options;
  checkBatchSize(operation, batchSize);
  checkShare(operation, "labelSmoothing", labelSmoothing);
  const train = await collectTexts(data.train, `${operation}: train`);
  const validation =
    data.validation === undefined
      ? []
      : await collectTexts(data.validation, `${operation}: validation`, train[0]);
  const opened = await openBase(base);
  const { labels, start, names } = chooseHead(opened, train, options.keepHead);
  const deviation = opened.config["initializer_range"];
  const model = addSequenceHead(opened, {
    names,
    labels: labels.length,
    dropout: opened.sequenceDropout,
    seed,
    start,
    ...(typeof deviation === "number" && { deviation }),
  });
  const settings: ClassifierSettings = {
    kind: "sequence-classification",
    labels,
    problem: "single-label",
    ...inputSettingsOf(opened),
  };
  const feeder = makeTextFeeder(model, settings);
  const rows = labelledRows(train, { name: "train", labels, feeder });
  const held = labelledRows(validation, { name: "validation", labels, feeder });

  const judged = async (trained: ModelProto): Promise<ClassScores> => {
    const predicted: number[] = [];
    for await (const scores of answers(trained, settings, validation, threads))
      predicted.push(largestAt(scores));
    return classScores(
      held.map(({ label }) => label),
      predicted,
    );
  };
  const identity = { ...identityOf(options), kind: "text classification", labels, config: opened.config };
  const result = await trainClassifier({
    operation,
    model,
    loss: { kind: "cross-entropy", logits: "logits", labels: labelsInput, labelSmoothing },
    batches: (random) => batchesOf(rows, { feeder, batchSize, random }),
    stepsPerEpoch: Math.ceil(rows.length / batchSize),
    validate: held.length === 0 ? undefined : async (trained) => (await judged(trained)).accuracy,
    identity: runIdentity(identity, asSentences(train), model),
    options,
  });
  return {
    ...finishedTextModel(opened, settings, result),
    labels,
    scores: held.length === 0 ? undefined : await judged(simulated(result)),
  };
}

interface ChosenTextHead extends Pick<SequenceHeadOptions, "names" | "start"> {
  readonly labels: readonly string[];
}

/** The labels of the texts, sorted, and what the head starts from; those of the base if its head is kept. */
function chooseHead(
  { config, tensors, labels: ofBase, width }: OpenBase,
  train: readonly LabelledText[],
  keepHead: boolean | undefined,
): ChosenTextHead {
  const own = [...new Set(train.map(({ label }) => label))].sort();
  checkLabels(own, `${operation}: train`);
  const modelType = String(config["model_type"]);
  const names = sequenceHeadOf(modelType);
  const prefix = familyOf(modelType)?.prefix ?? "";
  const found = findSequenceHead(tensors ?? new Map(), names, { prefix, width });
  const isOfTexts = !JSON.stringify(config["architectures"] ?? []).includes("ForTokenClassification");
  const hasOwnHead =
    isOfTexts && found.dense !== undefined && found.output?.bias.data.length === ofBase?.length;
  const kept = hasOwnHead ? ofBase : undefined;
  const missing = own.filter((label) => kept?.includes(label) !== true);
  const isKept = keepHead ?? (kept?.length === own.length && missing.length === 0);
  if (isKept && kept !== undefined && missing.length === 0) return { names, labels: kept, start: found };
  if (keepHead === true) {
    const got =
      kept === undefined
        ? "no classifier of texts in model.safetensors"
        : `${kept.join(", ")} (without ${missing.join(", ")})`;
    throw new TaggerError(
      "labels",
      `${operation}: keepHead: labels of the base: expected all of ${own.join(", ")}, got ${got}`,
      { name: "keepHead" },
    );
  }
  if (own.length < 2) {
    throw new TaggerError(
      "labels",
      `${operation}: train: labels: expected at least 2, got ${own.length} (${own.join(", ")})`,
    );
  }
  return { names, labels: own, start: { dense: found.dense, output: undefined } };
}

interface LabelledRow extends TextRow {
  /** Number of its label. */
  readonly label: number;
}

interface RowSource {
  readonly name: "train" | "validation";
  readonly labels: readonly string[];
  readonly feeder: TextFeeder;
}

/** @throws TaggerError `unknown-label` with the text's place. */
function labelledRows(texts: readonly LabelledText[], { name, labels, feeder }: RowSource): LabelledRow[] {
  const numbers = new Map(labels.map((label, number) => [label, number]));
  return texts.map((one, i) => {
    const label = numbers.get(one.label);
    if (label !== undefined) return { ...feeder.encode(one.text, one.pair), label };
    throw new TaggerError(
      "unknown-label",
      `${operation}: ${name}: ${placeOfText(one, i)}: label: expected one of those in training (${labels.join(", ")}), got "${one.label}"`,
      { name: one.label },
    );
  });
}

interface BatchOptions {
  readonly feeder: TextFeeder;
  readonly batchSize: number;
  readonly random: Random;
}

function* batchesOf(
  rows: readonly LabelledRow[],
  { feeder, batchSize, random }: BatchOptions,
): Generator<Batch> {
  for (const batch of shuffledBatches(rows, batchSize, random)) {
    const data = BigInt64Array.from(batch, ({ label }) => BigInt(label));
    const labels: Tensor = { dtype: "int64", shape: [batch.length], data };
    yield { ...feeder.feed(batch).feeds, [labelsInput]: labels };
  }
}
