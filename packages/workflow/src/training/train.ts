import { type ArchitectureName, trainTagger, trainTransformer } from "@nasty/tagger-training";
import type { Written } from "../files/candidate.js";
import { trainOperation } from "../operations/training.js";
import { type Given, perform } from "../perform.js";
import type { Reporter } from "../reporter.js";
import { given } from "../schema/given-settings.js";
import type { SettingsOf } from "../schema/option.js";
import { trainingSentences } from "../texts/training-sentences.js";
import { isKept, type TrainedExport } from "./export-trained.js";
import { keepFile } from "./keep-trained.js";
import { filePlace } from "./place.js";
import { qatSettings } from "./qat-settings.js";
import { runOf } from "./run-settings.js";
import { chosenEngine, engineInHistory, type EngineName } from "./training-engine.js";
import { describedModel, describedTraining, type TrainingResult } from "./training-result.js";

export { checkAgreement, type TrainedExport } from "./export-trained.js";

/** A tagger from random weights. */
export interface TrainResult extends TrainingResult {
  readonly output: Written;
  readonly architecture: ArchitectureName | "transformer";
  /** What computed losses and gradients. */
  readonly engine: EngineName;
  /** The quantized file beside the float one; only of a training for quantization. */
  readonly qat?: TrainedExport;
}

/**
 * Trains a tagger from random weights and writes it as a model file.
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
export function train(options: Given<typeof trainOperation.options>): Promise<TrainResult> {
  return perform(trainOperation, { ...options }, runTraining);
}

/** {@link train} from checked settings. */
export async function runTraining(
  settings: SettingsOf<typeof trainOperation.options>,
  reporter: Reporter,
): Promise<TrainResult> {
  const { task, architecture, train: text, validation, seed, batchSize, engine } = settings;
  const quantization = qatSettings("train", settings);
  const place = await filePlace({
    operation: "train",
    output: settings.output,
    isQuantized: settings.qat === true,
    read: [text, validation],
  });
  const recipe = given(settings, "epochs", "learningRate");
  const started = performance.now();
  const job = {
    task,
    train: await trainingSentences(text, task),
    validation: await trainingSentences(validation, task),
    ...given(settings, "scheme"),
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
      : await trainTagger({ ...job, architecture, recipe: { ...recipe, ...sized("batchSentences") } });
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
      ...quantization,
      ...engineInHistory(engine),
    },
    paths: { train: text, validation },
    settings,
    signal: reporter.signal,
  });
  return {
    ...describedModel(trained.settings, output, isKept(exported)),
    architecture,
    engine,
    ...describedTraining({ ...trained, seconds }, task),
    drift,
    ...(exported !== undefined && { qat: exported }),
  };
}
