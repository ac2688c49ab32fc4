import type { Task } from "@nasty/taggers";
import {
  type ArchitectureName,
  architectures,
  defaultTransformerRecipe,
  type PretrainingReport,
  trainTagger,
  trainTransformer,
} from "@nasty/tagger-training";
import { UsageError } from "../errors.js";
import type { Written } from "../files/candidate.js";
import { trainOperation } from "../operations/training.js";
import { type Given, perform } from "../perform.js";
import type { Reporter } from "../reporter.js";
import { given } from "../schema/given-settings.js";
import type { SettingsOf } from "../schema/option.js";
import { trainingSentences } from "../texts/training-sentences.js";
import { isKept, type TrainedExport } from "./export-trained.js";
import { keepFile } from "./keep-trained.js";
import { networkOptionOf } from "./network-options.js";
import { noiseSettings } from "./noise-settings.js";
import { filePlace } from "./place.js";
import { pretrainingOf } from "./pretraining.js";
import { qatSettings } from "./qat-settings.js";
import { randomTextEncoder } from "./random-text-base.js";
import { runOf } from "./run-settings.js";
import { wordCodesOf } from "./word-codes.js";
import {
  checkTextOptions,
  isTextTask,
  runTextTraining,
  type TextTask,
  type TextTrainingResult,
} from "./text-training.js";
import { chosenEngine, engineInHistory, type EngineName } from "./training-engine.js";
import { describedModel, describedTraining, type TrainingResult } from "./training-result.js";

export { checkAgreement, exportOf, type TrainedExport } from "./export-trained.js";
export type { TextTrainingResult } from "./text-training.js";

/** A tagger from random weights. */
export interface TrainResult extends TrainingResult {
  readonly output: Written;
  readonly architecture: ArchitectureName | "transformer";
  /** What computed losses and gradients. */
  readonly engine: EngineName;
  /** What the network was trained on before; only with a text for that. */
  readonly pretraining?: PretrainingReport;
  /** The quantized file beside the float one; only of a training for quantization. */
  readonly qat?: TrainedExport;
}

/**
 * Trains a tagger from random weights and writes it as a model file; a classifier or an encoder of whole texts as a
 * Hugging Face directory.
 *
 * A training that was ended, by its signal or otherwise, goes on from `OUTPUT.checkpoint` when the same call is made
 * again, and ends with the same bytes as one that was not.
 *
 * @throws UsageError for options that do not fit together; InputError for a place that cannot be written and texts that
 *   cannot be read; TaggerError for texts that cannot be learned from; GateError for a file that does not compute what
 *   was trained
 *
 * @example
 * ```ts
 * const model = await train({
 *   task: "pos",
 *   train: text("train.conllu"),
 *   validation: text("dev.conllu"),
 *   output: "pos.onnx",
 * });
 * ```
 */
export function train(options: TrainOptions & { readonly task: TextTask }): Promise<TextTrainingResult>;
export function train(options: TrainOptions & { readonly task: Task }): Promise<TrainResult>;
export function train(options: TrainOptions): Promise<TrainResult | TextTrainingResult>;
export function train(options: TrainOptions): Promise<TrainResult | TextTrainingResult> {
  return perform(trainOperation, { ...options }, runTraining);
}

type TrainOptions = Given<typeof trainOperation.options>;
type TrainSettings = SettingsOf<typeof trainOperation.options>;

/** {@link train} from checked settings. */
export async function runTraining(
  settings: TrainSettings,
  reporter: Reporter,
): Promise<TrainResult | TextTrainingResult> {
  const { task } = settings;
  return isTextTask(task)
    ? trainedTextModel({ ...settings, task }, reporter)
    : trainedTagger({ ...settings, task }, reporter);
}

/** A transformer of random weights that learns whole texts, by the recipe of one that learns words. */
async function trainedTextModel(
  settings: TrainSettings & { readonly task: TextTask },
  reporter: Reporter,
): Promise<TextTrainingResult> {
  const { task, architecture = "transformer", seed } = settings;
  if (architecture !== "transformer") {
    throw new UsageError(
      `train: --architecture: expected transformer for --task ${task}, got ${architecture}; leave it out`,
    );
  }
  checkTextOptions("train", settings);
  const { dropout: _, wordDropout: __, labelSmoothing, ...usual } = defaultTransformerRecipe;
  const recipe = {
    ...usual,
    ...(task === "classification" && { labelSmoothing }),
    ...given(settings, "epochs", "batchSize", "learningRate"),
    seed,
  };
  const base = await randomTextEncoder(settings.train, task, seed);
  return runTextTraining({ operation: "train", settings, base, recipe }, reporter);
}

async function trainedTagger(
  settings: TrainSettings & { readonly task: Task },
  reporter: Reporter,
): Promise<TrainResult> {
  const { task, architecture = "bilstm", train: text, validation, seed, batchSize, engine } = settings;
  const option = architecture === "transformer" ? networkOptionOf(settings) : undefined;
  if (option !== undefined) {
    throw new UsageError(
      `train: ${option}: expected it with --architecture bilstm or cnn, got it with transformer`,
    );
  }
  const quantization = qatSettings("train", settings);
  const place = await filePlace({
    operation: "train",
    output: settings.output,
    isQuantized: settings.qat === true,
    read: [text, validation, settings.vectors, settings.pretrain],
  });
  const recipe = {
    ...given(settings, "epochs", "learningRate"),
    ...noiseSettings(settings),
  };
  const started = performance.now();
  const job = {
    task,
    train: await trainingSentences(text, task),
    validation: await trainingSentences(validation, task),
    ...given(settings, "scheme", "language"),
    seed,
    ...runOf(settings, place, reporter),
    ...quantization,
    ...(await chosenEngine(engine, reporter)),
  };
  const sized = <K extends string>(name: K) =>
    (batchSize === undefined ? {} : { [name]: batchSize }) as { readonly [P in K]?: number };
  const trained =
    architecture === "transformer"
      ? await trainTransformer({ ...job, recipe: { ...recipe, ...sized("batchSize") } })
      : await trainTagger({
          ...job,
          ...(await wordCodesOf("train", settings, architectures[architecture])),
          ...(await pretrainingOf("train", settings, place, reporter)),
          architecture,
          recipe: { ...recipe, ...sized("batchSentences") },
        });
  const seconds = (performance.now() - started) / 1000;
  const { output, drift, exported } = await keepFile({
    operation: "train",
    place,
    trained,
    options: {
      task,
      architecture,
      seed,
      ...recipe,
      ...sized("batchSentences"),
      ...given(settings, "language"),
      ...quantization,
      ...engineInHistory(engine),
      ...given(settings, "vectorWords", "pretrainEpochs"),
    },
    paths: { train: text, validation, vectors: settings.vectors, pretrain: settings.pretrain },
    settings,
    signal: reporter.signal,
  });
  return {
    ...describedModel(trained.settings, output, isKept(exported)),
    architecture,
    engine,
    ...describedTraining({ ...trained, seconds }, task),
    ...("pretraining" in trained && { pretraining: trained.pretraining }),
    drift,
    ...(exported !== undefined && { qat: exported }),
  };
}
