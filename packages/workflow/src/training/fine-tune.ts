import { stat } from "node:fs/promises";
import { fineTune as fineTuneTagger } from "@nasty/tagger-training";
import { InputError } from "../errors.js";
import type { Task } from "@nasty/taggers";
import type { ModelLike } from "../models/model-like.js";
import { fineTuneOperation } from "../operations/training.js";
import { type GivenBeside, perform } from "../perform.js";
import type { Reporter } from "../reporter.js";
import { given } from "../schema/given-settings.js";
import type { SettingsOf } from "../schema/option.js";
import { classifierRecipe, labelledData } from "./classifier-settings.js";
import { isKept, type TrainedExport } from "./export-trained.js";
import { keepDirectory } from "./keep-trained.js";
import { directoryPlace } from "./place.js";
import { qatSettings } from "./qat-settings.js";
import { runOf } from "./run-settings.js";
import {
  checkTextOptions,
  isTextTask,
  runTextTraining,
  type TextTask,
  type TextTrainingResult,
} from "./text-training.js";
import { chosenEngine, engineInHistory, type EngineName } from "./training-engine.js";
import {
  describedModel,
  describedTraining,
  type TrainingResult,
  type WrittenDirectory,
} from "./training-result.js";

export { checkAgreement, exportOf, exportTrained, type TrainedExport } from "./export-trained.js";
export type { TextTrainingResult } from "./text-training.js";

/** An encoder that became a tagger. */
export interface FineTuneResult extends TrainingResult {
  readonly output: WrittenDirectory;
  /** In the order of the classifier's outputs. */
  readonly labels: readonly string[];
  /** The quantized file in the directory; only of a training for quantization. */
  readonly qat?: TrainedExport;
  /** What computed losses and gradients. */
  readonly engine: EngineName;
}

/**
 * Turns a pretrained encoder into a tagger, a classifier of whole texts or an encoder of whole texts, written as a
 * Hugging Face directory.
 *
 * A training that was ended, by its signal or otherwise, goes on from `OUTPUT/checkpoint` when the same call is made
 * again.
 *
 * @param model a Hugging Face directory: configuration, tokenizer, safetensors or ONNX weights
 * @throws UsageError for options that do not fit together; InputError for a place that cannot be written and texts that
 *   cannot be read; TaggerError for a model or texts that cannot be learned from; GateError for a file that does not
 *   compute what was trained
 *
 * @example
 * ```ts
 * const tagger = await fineTune("bert-tiny", { task: "pos", train: text("train.conllu"), output: "pos", qat: { bits: 4 } });
 * ```
 */
export function fineTune(
  model: ModelLike,
  options: FineTuneOptions & { readonly task: TextTask },
): Promise<TextTrainingResult>;
export function fineTune(
  model: ModelLike,
  options: FineTuneOptions & { readonly task: "pos" | "ner" },
): Promise<FineTuneResult>;
export function fineTune(
  model: ModelLike,
  options: FineTuneOptions,
): Promise<FineTuneResult | TextTrainingResult>;
export function fineTune(
  model: ModelLike,
  options: FineTuneOptions,
): Promise<FineTuneResult | TextTrainingResult> {
  return perform(fineTuneOperation, { model, ...options }, runFineTuning);
}

type FineTuneOptions = GivenBeside<typeof fineTuneOperation.options, "model">;
type FineTuneSettings = SettingsOf<typeof fineTuneOperation.options>;

/** {@link fineTune} from checked settings. */
export async function runFineTuning(
  settings: FineTuneSettings,
  reporter: Reporter,
): Promise<FineTuneResult | TextTrainingResult> {
  const { model, task } = settings;
  await checkBase(model);
  if (!isTextTask(task)) return tunedTagger({ ...settings, task }, reporter);
  checkTextOptions("fine-tune", settings);
  const recipe = {
    ...classifierRecipe(settings),
    ...given(settings, "layerDecay", "keepHead", "language"),
    freeze: freezeOf(settings),
  };
  const job = { operation: "fine-tune", settings: { ...settings, task }, base: model, recipe } as const;
  return runTextTraining(job, reporter);
}

async function tunedTagger(
  settings: FineTuneSettings & { readonly task: Task },
  reporter: Reporter,
): Promise<FineTuneResult> {
  const { model, task, train, validation, engine } = settings;
  const place = await directoryPlace(settings.output, [model]);
  const recipe = {
    ...classifierRecipe(settings),
    ...given(settings, "layerDecay", "keepHead"),
    ...qatSettings("fine-tune", settings),
    freeze: freezeOf(settings),
  };
  const started = performance.now();
  const tuned = await fineTuneTagger(model, labelledData(settings, task), task, {
    ...recipe,
    ...runOf(settings, place, reporter),
    ...(await chosenEngine(engine, reporter)),
  });
  const seconds = (performance.now() - started) / 1000;
  const { output, drift, exported } = await keepDirectory({
    operation: "fine-tune",
    place,
    trained: tuned,
    options: { task: tuned.settings.task, ...recipe, ...engineInHistory(engine) },
    base: model,
    paths: { train, validation },
    settings,
    signal: reporter.signal,
  });
  return {
    ...describedModel(tuned.settings, output, isKept(exported)),
    labels: tuned.settings.labels,
    ...describedTraining({ ...tuned, value: tuned.bestMetric, seconds }, tuned.settings.task),
    drift,
    ...(exported !== undefined && { qat: exported }),
    engine,
  };
}

/** A model file lacks what the directory that is written needs. */
async function checkBase(model: string): Promise<void> {
  const found = await stat(model).catch(() => undefined);
  if (found?.isFile() !== true) return;
  throw new InputError(
    `fine-tune: --model ${model}: expected a Hugging Face directory, got a file; export the model, which makes one of it`,
  );
}

function freezeOf({ freezeLayers, freezeEmbeddings }: FineTuneSettings) {
  return {
    ...(freezeLayers !== undefined && { layers: freezeLayers }),
    ...(freezeEmbeddings !== undefined && { embeddings: freezeEmbeddings }),
  };
}
