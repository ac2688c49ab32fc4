import type { Tensor } from "@nasty/core";
import { hyphenated, type LabelForm, type LabelScheme, schemeName } from "@nasty/formats/iob";
import type { ModelProto } from "@nasty/formats/onnx";
import {
  entitiesInForm,
  type LabelledSentence,
  type LabelledSentences,
  labellingOf,
  languageTag,
  TaggerError,
  type Task,
  type TransformerSettings,
} from "@nasty/taggers";
import { familyTensors, labelledConfig } from "@nasty/taggers/encoders";
import { paddedTokenizerConfig } from "@nasty/taggers/node";
import { withRecord } from "../quantization-aware/quantization-aware.js";
import { type BaseModel, type OpenBase, openBase } from "./base-model.js";
import { addClassificationHead, withoutDropout } from "./classification-head.js";
import { chooseHead } from "./head-labels.js";
import { labelIndices, readSentences } from "./label-set.js";
import { runIdentity } from "./run-identity.js";
import {
  checkShare,
  type ClassifierTraining,
  type ClassifierTrainingOptions,
  taggerValidation,
  trainClassifier,
} from "./train-classifier.js";
import { transformerBatches } from "./transformer-batches.js";

/** Labelled sentences to learn from, and to choose the best epoch by. */
export interface FineTuneData {
  readonly train: LabelledSentences;
  readonly validation?: LabelledSentences;
}

/** What is learned, by the names of the guide or of the rest of the package. */
export type FineTuneTask = "pos_tagging" | "pos" | "ner";

export interface FineTuneOptions extends ClassifierTrainingOptions {
  /** Share of every label's probability that is spread over all of them. Default 0. */
  readonly labelSmoothing?: number;
  /**
   * Go on with the base's classification head: `true` needs one that has every label of the training text (labels that
   * the text lacks stay), `false` starts a fresh one. Left out, it is kept where both have the same labels.
   */
  readonly keepHead?: boolean;
  /** Probability that a word is hidden behind the unk token, drawn anew each epoch. Default 0. */
  readonly wordDropout?: number;
  /**
   * Scheme of the entity labels of the text; seen from them unless given. A kept head keeps its own scheme, a fresh one
   * learns IOB2.
   */
  readonly scheme?: LabelScheme | undefined;
  /** BCP 47 tag of the language of the text, by which raw text is cut; the base's unless given. */
  readonly language?: string | undefined;
}

/** What {@link fineTune} takes, as one object. */
export interface FineTuneJob {
  readonly base: string | BaseModel;
  readonly data: FineTuneData;
  readonly task: FineTuneTask;
  readonly options?: FineTuneOptions;
}

/** A fine-tuned tagger with everything that a Hugging Face directory holds. */
export interface FineTuned extends Omit<ClassifierTraining, "model"> {
  /** The token classifier without Dropout nodes: output `logits` [batch, sequence, labels]. */
  readonly model: ModelProto;
  readonly settings: TransformerSettings;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** Contents of `model.safetensors`; undefined for a graph whose weights do not have a known family's names. */
  readonly tensors: ReadonlyMap<string, Tensor> | undefined;
}

/**
 * Fine-tunes an encoder into a tagger of words.
 *
 * A base whose labels are those of the training sentences keeps its linear head; else a fresh one for their labels
 * replaces it (`keepHead` decides otherwise). A word's label is learned at its first subword. Loss: cross-entropy over
 * labelled words. AdamW, linear warm-up and decay; batches of like length.
 *
 * @param base a Hugging Face directory (BERT, RoBERTa, DistilBERT, ELECTRA from safetensors; any encoder from ONNX), or
 *   its parts
 * @param data words with a UPOS (`pos_tagging`) or chunk label (`ner`, any scheme) each; `_` is a word without a label
 * @param task what the labels are
 * @returns the weights of the best epoch by validation, or of the last one without it
 * @throws TaggerError `empty`, `misaligned`, `labels`, `unknown-label` (only in validation, with its place), `option`,
 *   `config`, `checkpoint`, `model-outputs`, `not-found`, `tokenizer`; TrainingError `non-finite-loss`,
 *   `checkpoint-mismatch`, `unsupported-operator`; FormatError.
 * @see J. Devlin et al., "BERT" (2019), section 5.3, for labels at first subwords; J. Howard and S. Ruder, "Universal
 *   Language Model Fine-tuning" (2018), section 3.2, for layerDecay
 * @example
 * ```ts
 * const tuned = await fineTune("models/bert", { train, validation }, "pos_tagging", { epochs: 3 });
 * await writeFineTuned("models/pos", tuned);
 * ```
 */
export async function fineTune(
  base: string | BaseModel,
  data: FineTuneData,
  task: FineTuneTask,
  options: FineTuneOptions = {},
): Promise<FineTuned> {
  return fineTuneAs("fineTune", { base, data, task, options });
}

/** {@link fineTune} as a step of another operation, which errors name. */
export async function fineTuneAs(
  operation: string,
  { base, data, task, options = {} }: FineTuneJob,
): Promise<FineTuned> {
  const kind: Task = task === "ner" ? "ner" : "pos";
  const { batchSize = 16, seed = 1, labelSmoothing = 0, wordDropout = 0 } = options;
  checkBatchSize(operation, batchSize);
  checkShare(operation, "wordDropout", wordDropout);
  checkShare(operation, "labelSmoothing", labelSmoothing);
  const { keepHead, scheme } = options;
  const language = options.language && languageTag(options.language, operation);
  const source = { operation, task: kind, scheme };
  const sources = {
    train: { ...source, name: "train" },
    validation: { ...source, name: "validation" },
  } as const;
  const read = await readSentences(data.train, sources.train);
  const validationRead =
    data.validation === undefined ? [] : await readSentences(data.validation, sources.validation);
  const opened = await openBase(base);
  const form = kind === "pos" ? undefined : formToLearn(opened, keepHead);
  const [train, validation] = [read, validationRead].map((sentences) =>
    form === undefined ? sentences : entitiesInForm(sentences, form, { where: operation }),
  ) as [LabelledSentence[], LabelledSentence[]];
  const { labels, head } = chooseHead(opened, train, { operation, task: kind, keepHead, form });
  const byLabel = new Map(labels.map((label, index) => [label, index]));
  validation.forEach((sentence, i) =>
    labelIndices(sentence, i, { labels: byLabel, source: sources.validation }),
  );

  const settings: TransformerSettings = {
    ...opened.settings,
    task: kind,
    labels,
    scheme: form && schemeName(form),
    ...(language === undefined ? {} : { language }),
    decidedBy: "choice",
  };
  const deviation = opened.config["initializer_range"];
  const model = addClassificationHead(opened, {
    labels: labels.length,
    dropout: opened.classifierDropout,
    seed,
    head,
    ...(typeof deviation === "number" ? { deviation } : {}),
  });
  const targets = train.map((sentence, i) =>
    labelIndices(sentence, i, { labels: byLabel, source: sources.train }),
  );
  const run = { model, sentences: train, targets, batchSize, labelSmoothing, wordDropout };
  const result = await trainClassifier({
    operation,
    model,
    ...transformerBatches(settings, run),
    validate: taggerValidation(settings, known(validation), options),
    identity: runIdentity({ ...identityOf(options), labels, config: opened.config }, train, model),
    options,
  });
  return finished(opened, settings, result);
}

/** Entities are learned in the scheme of a head that is kept, else in IOB2. */
function formToLearn(
  { head, labels }: Pick<OpenBase, "head" | "labels">,
  keepHead: boolean | undefined,
): LabelForm {
  const own = head === undefined || keepHead === false ? undefined : labellingOf(labels ?? []).form;
  return own ?? hyphenated("IOB2");
}

/** The trained model with its files: head named as its family has it, labels in config.json. */
export function finished(
  base: Pick<FineTuned, "config" | "tokenizerJson" | "tokenizerConfig">,
  settings: TransformerSettings,
  result: ClassifierTraining,
): FineTuned {
  const { tokenizerJson } = base;
  const tokenizerConfig = paddedTokenizerConfig(base.tokenizerConfig, settings);
  const config = labelledConfig(base.config, settings);
  const model = withRecord(withoutDropout(result.model), result.qat);
  return {
    ...result,
    model,
    settings,
    config,
    tokenizerJson,
    tokenizerConfig,
    tensors: familyTensors(config, model),
  };
}

/** Words without a label are learned around but cannot be scored. */
export function known(sentences: readonly LabelledSentence[]): LabelledSentence[] {
  return sentences.filter(({ labels }) => !labels.includes("_"));
}

/** The settings that change what is learned. */
export function identityOf(options: FineTuneOptions): object {
  const { checkpoint, checkpointEvery, signal, onEvent, eventEvery, threads, patience, modifiers, ...rest } =
    options;
  return { ...rest, ...(modifiers === undefined ? {} : { modifiers: modifiers.map(({ name }) => name) }) };
}

export function checkBatchSize(operation: string, batchSize: number): void {
  if (Number.isInteger(batchSize) && batchSize >= 1) return;
  throw new TaggerError("option", `${operation}: batchSize: expected a positive integer, got ${batchSize}`, {
    name: "batchSize",
  });
}
