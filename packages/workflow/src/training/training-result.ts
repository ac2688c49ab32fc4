import type { LabelChoice, Metric, TaggerSettings } from "@nasty/taggers";
import { labellingOfSettings } from "@nasty/taggers";
import type { WrittenFile } from "@nasty/formats/archive/node";
import type { EpochRecord, StopReason } from "@nasty/training";
import type { DriftCheck } from "../drift/drift-check.js";
import type { Written } from "../files/candidate.js";
import { type LabellingDocument, labellingDocument } from "../report/labelling-text.js";

/** What every training ends with: the model that was written, and how it was learned. */
export interface TrainingResult extends ModelOfTraining {
  readonly task: "pos" | "ner";
  /** How the labels mark entities; null for parts of speech. */
  readonly scheme: LabellingDocument["scheme"];
  readonly labelling: LabellingDocument;
  readonly output: Written | WrittenDirectory;
  readonly metric: Metric;
  /** Of the metric on the validation text, from 0 to 1; null without one. */
  readonly value: number | null;
  /** From 1; null without validation. */
  readonly bestEpoch: number | null;
  readonly epochs: readonly EpochRecord[];
  readonly stopped: StopReason;
  /** Of the training, reading its text included. */
  readonly seconds: number;
  /** How far the written file's outputs are from those of the model that training ended with. */
  readonly drift: DriftCheck;
}

/** What makes a result a model that the next operation can be given. */
export interface ModelOfTraining {
  /** Of the file or directory, absolute. */
  readonly path: string;
  /** Of the file, or of all files of the directory. */
  readonly bytes: number;
  /**
   * False where a quantized file was asked for and was not kept, because it was not what training had simulated; the
   * float model is written.
   */
  readonly passed: boolean;
}

/** A Hugging Face directory and what is in it. */
export interface WrittenDirectory {
  readonly path: string;
  /** Of all files. */
  readonly bytes: number;
  /** By path inside the directory. */
  readonly files: Readonly<Record<string, WrittenFile>>;
}

/** What the result says of a training itself. */
export interface Learned {
  readonly value: number | undefined;
  readonly bestEpoch: number | undefined;
  readonly history: readonly EpochRecord[];
  readonly stopped: StopReason;
  readonly seconds: number;
}

/** First part of a result: the model. */
export function describedModel<W extends Written | WrittenDirectory>(
  settings: TaggerSettings,
  output: W,
  passed: boolean,
) {
  const labelling = labellingDocument(labellingOfSettings(settings));
  const { path, bytes } = output;
  return { path, bytes, passed, task: settings.task, scheme: labelling.scheme, labelling, output };
}

/** Second part of a result: how it was learned. */
export function describedTraining(
  { value, bestEpoch, history, stopped, seconds }: Learned,
  task: NonNullable<LabelChoice["task"]>,
) {
  return {
    metric: task === "pos" ? ("accuracy" as const) : ("f1" as const),
    value: value ?? null,
    bestEpoch: bestEpoch ?? null,
    epochs: history,
    stopped,
    seconds,
  };
}
