import { rm } from "node:fs/promises";
import { historyOf, type HistoryStep, withEarlierHistory, withHistory } from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import type { TaggerSettings } from "@nasty/taggers";
import { type FineTuned, writeFineTuned } from "@nasty/tagger-training";
import type { DriftCheck } from "../drift/drift-check.js";
import { driftSample, firstSentences } from "../drift/drift-sample.js";
import { checkTrained, type TrainedModel, writeTrained } from "../drift/training-drift.js";
import type { Written } from "../files/candidate.js";
import { sha256OfFile } from "../files/file-hash.js";
import { historyOfBase, type NamedPaths, provenanceOf, weightsFileOf } from "../models/provenance.js";
import { exportTrained, type TrainedExport } from "./export-trained.js";
import type { TrainingPlace } from "./place.js";
import type { WrittenDirectory } from "./training-result.js";

/** A model that training ended with, and what is to be said of it in its file. */
export interface Keeping<T> {
  readonly operation: string;
  readonly place: TrainingPlace;
  readonly trained: T;
  /** Options of its step in the history. */
  readonly options: HistoryStep["options"];
  /** What was read, by what it was for. */
  readonly paths: NamedPaths;
  /** Model that the training began with, where it began with one. */
  readonly base?: string;
  readonly settings: {
    readonly train: string;
    readonly validation?: string;
    readonly threads: number;
    readonly minCosine?: number;
  };
  readonly signal: AbortSignal | undefined;
}

/** What was written. */
export interface Kept<W> {
  readonly output: W;
  readonly drift: DriftCheck;
  /** The quantized file of a quantization-aware training. */
  readonly exported: TrainedExport | undefined;
}

/**
 * Writes a trained model file, with its history, if it computes what the model in memory does; beside it the quantized
 * one that it was trained to become, if it was. The checkpoints go when both are there.
 *
 * @throws GateError for a float file that computes something else: nothing is written, and the checkpoint stays
 */
export function keepFile(job: Keeping<Trained>): Promise<Kept<Written>> {
  return keep(job, async (trained) => {
    const { drift, ...output } = await writeTrained(job.place.output, trained);
    return { drift, output, sha256: output.sha256 };
  });
}

/** {@link keepFile} as a Hugging Face directory. */
export function keepDirectory(job: Keeping<FineTuned>): Promise<Kept<WrittenDirectory>> {
  return keep(job, async (trained) => {
    let drift: DriftCheck | undefined;
    const path = job.place.output;
    const files = await writeFineTuned(
      path,
      { ...job.trained, model: trained.model },
      {
        async check(staged) {
          drift = await checkTrained(trained, staged.modelPath);
        },
      },
    );
    if (drift === undefined) throw new TypeError("writeFineTuned: check: expected a call, got none");
    const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
    const output = { path, bytes, files: Object.fromEntries(files) };
    return { drift, output, sha256: files.get("onnx/model.onnx")?.sha256 };
  });
}

interface Trained extends Pick<FineTuned, "model" | "qat"> {
  readonly settings: TaggerSettings;
}

async function keep<W>(
  job: Keeping<Trained>,
  write: (trained: TrainedModel) => Promise<{ drift: DriftCheck; output: W; sha256: string | undefined }>,
): Promise<Kept<W>> {
  const { operation, place, signal } = job;
  const { settings } = job.trained;
  const { validation, train, threads, minCosine } = job.settings;
  const model = await withStep(job);
  const words = await firstSentences([validation, train], settings.task);
  const checked = { model, settings, words, threads, minCosine };
  signal?.throwIfAborted();
  const { drift, output, sha256 } = await write({
    operation,
    output: place.named,
    model,
    threads,
    minCosine,
    sample: (modelBytes) => driftSample({ modelBytes, model, tagger: settings }, words),
  });
  const exported = await exportTrained({
    ...checked,
    output: place.quantized(job.trained.qat?.bits ?? 8),
    validation,
    provenance: await provenanceOf(sha256),
    signal,
  });
  for (const path of [place.checkpoint, place.pretrainingCheckpoint]) await rm(path, { force: true });
  return { output, drift, exported };
}

/** The model with what was done in its history, behind what was done to the model that it was made of. */
export async function withStep({
  trained,
  base,
  operation,
  options,
  paths,
}: Pick<
  Keeping<Pick<FineTuned, "model">>,
  "trained" | "base" | "operation" | "options" | "paths"
>): Promise<ModelProto> {
  const step = {
    step: operation,
    options,
    ...(await provenanceOf(base && (await sha256OfFile(await weightsFileOf(base))), paths)),
  };
  // A graph that was taken over has its history in it, one that was built from weights has none.
  const isNew = base !== undefined && historyOf(trained.model).length === 0;
  return withHistory(
    isNew ? withEarlierHistory(trained.model, await historyOfBase(base)) : trained.model,
    step,
  );
}
