import { rm } from "node:fs/promises";
import {
  fineTuneClassifier,
  type FineTuneClassifierOptions,
  type FineTunedClassifier,
  type FineTunedEmbedder,
  fineTuneEmbedder,
  type BaseModel,
  writeTextModel,
} from "@nasty/tagger-training";
import type { EpochRecord, StopReason } from "@nasty/training";
import type { DriftCheck } from "../drift/drift-check.js";
import { driftSampleOf } from "../drift/drift-sample.js";
import { checkTrained } from "../drift/training-drift.js";
import { UsageError } from "../errors.js";
import type { Reporter } from "../reporter.js";
import { kindOf } from "../kinds/kind.js";
import { textKind } from "../kinds/text-kind.js";
import { networkOptions } from "./network-options.js";
import { firstTexts, labelledTexts, vectorTexts } from "./text-data.js";
import { withStep } from "./keep-trained.js";
import { directoryPlace } from "./place.js";
import { runOf } from "./run-settings.js";
import { chosenEngine, engineInHistory, type EngineName } from "./training-engine.js";
import type { ModelOfTraining, WrittenDirectory } from "./training-result.js";

/** What a model of whole texts learns: a label of each, or a vector of each. */
export const textTasks = ["classification", "embedding"] as const;
export type TextTask = (typeof textTasks)[number];

export const isTextTask = (task: string): task is TextTask => textTasks.some((one) => one === task);

/** A classifier or an encoder of whole texts that was trained and written. */
export interface TextTrainingResult extends ModelOfTraining {
  readonly task: TextTask;
  readonly output: WrittenDirectory;
  /** In the order of the classifier's outputs; null of an encoder. */
  readonly labels: readonly string[] | null;
  /** Numbers of a text's vector; null of a classifier. */
  readonly width: number | null;
  /** Share of texts whose label is right, or mean cosine between vectors. */
  readonly metric: "accuracy" | "cosine";
  /** Of the metric on the validation texts; null without any. */
  readonly value: number | null;
  /** Of a classifier on the validation texts: the mean over the labels, from 0 to 1. */
  readonly macroF1: number | null;
  /** From 1; null without validation. */
  readonly bestEpoch: number | null;
  readonly epochs: readonly EpochRecord[];
  readonly stopped: StopReason;
  /** Of the training, reading its texts included. */
  readonly seconds: number;
  /** How far the written file's outputs are from those of the model that training ended with. */
  readonly drift: DriftCheck;
  /** What computed losses and gradients. */
  readonly engine: EngineName;
}

/** The settings that trainings of whole texts share. */
export interface TextTrainingSettings {
  readonly task: TextTask;
  readonly train: string;
  readonly validation?: string;
  readonly output: string;
  readonly engine: EngineName;
  readonly threads: number;
  readonly patience?: number;
  readonly minCosine?: number;
}

export interface TextTrainingJob {
  readonly operation: "train" | "fine-tune";
  readonly settings: TextTrainingSettings;
  /** What training starts from; of a directory its path. */
  readonly base: string | BaseModel;
  /** What was given or is usual, as the history has it. */
  readonly recipe: FineTuneClassifierOptions;
}

/** Trains a model of whole texts and writes its directory, if the written file computes what training ended with. */
export async function runTextTraining(
  { operation, settings, base, recipe }: TextTrainingJob,
  reporter: Reporter,
): Promise<TextTrainingResult> {
  const { task, train, validation, engine } = settings;
  const directories = typeof base === "string" ? [base] : [];
  const place = await directoryPlace(settings.output, directories);
  const started = performance.now();
  const tuned = await learned(task, base, settings, {
    ...recipe,
    ...runOf(settings, place, reporter),
    ...(await chosenEngine(engine, reporter)),
  });
  const seconds = (performance.now() - started) / 1000;
  const model = await withStep({
    operation,
    trained: tuned,
    options: { task, ...recipe, ...engineInHistory(engine) },
    ...(typeof base === "string" && { base }),
    paths: { train, validation },
  });
  reporter.signal?.throwIfAborted();
  let drift: DriftCheck | undefined;
  const path = place.output;
  const files = await writeTextModel(
    path,
    { ...tuned, model },
    {
      async check({ modelPath }) {
        const { threads, minCosine } = settings;
        const kind = kindOf(textKind(tuned.settings, model));
        const samples = await firstTexts([validation, train]);
        const sample = (modelBytes: number) => driftSampleOf({ modelBytes, model, kind }, samples);
        const checked = { operation, output: place.named, model, sample, threads, minCosine };
        drift = await checkTrained(checked, modelPath);
      },
    },
  );
  if (drift === undefined) throw new TypeError("writeTextModel: check: expected a call, got none");
  await rm(place.checkpoint, { force: true });
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
  return {
    path,
    bytes,
    passed: true,
    task,
    output: { path, bytes, files: Object.fromEntries(files) },
    ...found(tuned),
    bestEpoch: tuned.bestEpoch ?? null,
    epochs: tuned.history,
    stopped: tuned.stopped,
    seconds,
    drift,
    engine,
  };
}

type Learned = FineTunedClassifier | FineTunedEmbedder;

function learned(
  task: TextTask,
  base: string | BaseModel,
  { train, validation }: TextTrainingSettings,
  options: FineTuneClassifierOptions,
): Promise<Learned> {
  switch (task) {
    case "classification": {
      const held = validation === undefined ? {} : { validation: labelledTexts(validation) };
      return fineTuneClassifier(base, { train: labelledTexts(train), ...held }, options);
    }
    case "embedding": {
      const held = validation === undefined ? {} : { validation: vectorTexts(validation) };
      return fineTuneEmbedder(base, { train: vectorTexts(train), ...held }, options);
    }
    default:
      return task satisfies never;
  }
}

function found(
  tuned: Learned,
): Pick<TextTrainingResult, "labels" | "width" | "metric" | "value" | "macroF1"> {
  if (!("labels" in tuned)) {
    const { width, cosine = null } = tuned;
    return { labels: null, width, metric: "cosine", value: cosine, macroF1: null };
  }
  const { labels, scores } = tuned;
  return {
    labels,
    width: null,
    metric: "accuracy",
    value: scores?.accuracy ?? null,
    macroF1: scores?.macroF1 ?? null,
  };
}

/** Options that say something of taggers alone, by their flags. */
const taggerOptions = {
  scheme: "--scheme",
  language: "--language",
  ...networkOptions,
  qat: "--qat",
  inputFormat: "--input-format",
} as const;

/**
 * Refuses options that a training of whole texts would pass over.
 *
 * @throws UsageError for the first
 */
export function checkTextOptions(
  operation: string,
  settings: { readonly task: string; readonly keepHead?: boolean } & {
    readonly [K in keyof typeof taggerOptions]?: unknown;
  },
): void {
  const { task, keepHead } = settings;
  const isGiven = (value: unknown): boolean =>
    value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  for (const [name, option] of Object.entries(taggerOptions)) {
    if (!isGiven(settings[name as keyof typeof taggerOptions])) continue;
    throw new UsageError(`${operation}: ${option}: expected --task pos or ner with it, got ${task}`);
  }
  if (task === "embedding" && keepHead !== undefined)
    throw new UsageError(
      `${operation}: --keep-head: expected --task pos, ner or classification with it, got embedding`,
    );
}
