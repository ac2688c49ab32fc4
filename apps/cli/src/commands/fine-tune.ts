import { type LabelChoice, labellingOfSettings } from "@nasty/taggers";
import { labellingDocument } from "@nasty/workflow/report/labelling-text";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { historyOf, withEarlierHistory, withHistory } from "@nasty/compression";
import type { Task } from "@nasty/taggers";
import {
  type ClassifierTrainingOptions,
  type FineTuned,
  fineTune,
  writeFineTuned,
} from "@nasty/taggers/training";
import { fileCheckpoint } from "@nasty/training/node";
import { type DriftCheck, driftLine } from "@nasty/workflow/drift/drift-check";
import { firstSentences } from "@nasty/workflow/drift/drift-sample";
import { checkTrained } from "@nasty/workflow/drift/training-drift";
import { InputError, UsageError } from "@nasty/workflow/errors";
import { sha256OfFile } from "@nasty/workflow/files/file-hash";
import { readLabelled } from "@nasty/workflow/texts/labelled-text";
import { checkFolder, isSameFile } from "@nasty/workflow/files/output-path";
import {
  historyOfBase,
  type NamedPaths,
  provenanceOf,
  weightsFileOf,
} from "@nasty/workflow/models/provenance";
import {
  chosenEngine,
  defaultEngine,
  engineInHistory,
  type EngineName,
} from "@nasty/workflow/training/training-engine";
import { type QatArguments, qatSettings } from "@nasty/workflow/training/qat-settings";
import { checkAgreement, exportText, exportTrained } from "@nasty/workflow/training/export-trained";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes, formatPercent } from "@nasty/workflow/report/format";

/** Options that `fine-tune` and `distill` share. */
export interface ClassifierOptions extends CommonOptions, Pick<LabelChoice, "scheme"> {
  readonly task: Task;
  readonly train: string;
  readonly validation?: string;
  readonly output: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly patience?: number;
  readonly minCosine?: number;
}

interface FineTuneOptions extends ClassifierOptions, QatArguments {
  readonly model: string;
  readonly layerDecay?: number;
  readonly freezeLayers?: number;
  readonly freezeEmbeddings?: boolean;
  readonly keepHead?: boolean;
  readonly engine?: EngineName;
}

/**
 * `nasty fine-tune`: a pretrained encoder becomes a tagger, written as a Hugging Face directory. An interrupted run goes on from
 * `checkpoint` in the output directory when the same command is given again.
 */
export async function fineTuneModel(options: FineTuneOptions, terminal: Terminal): Promise<void> {
  const { output, checkpoint } = await outputFolder(options.output, [options.model]);
  const freeze = {
    ...(options.freezeLayers === undefined ? {} : { layers: options.freezeLayers }),
    ...(options.freezeEmbeddings === undefined ? {} : { embeddings: options.freezeEmbeddings }),
  };
  const recipe = {
    ...recipeOf(options),
    ...(options.layerDecay === undefined ? {} : { layerDecay: options.layerDecay }),
    ...(options.keepHead === undefined ? {} : { keepHead: options.keepHead }),
    ...qatSettings("fine-tune", options),
    freeze,
  };
  const started = performance.now();
  const tuned = await fineTune(options.model, dataOf(options), options.task, {
    ...recipe,
    ...runOf(options, checkpoint, terminal),
    ...(await chosenEngine(options.engine, terminal)),
  });
  const seconds = (performance.now() - started) / 1000;
  const { model, train, validation } = options;
  await finish(tuned, {
    options,
    output,
    checkpoint,
    terminal,
    seconds,
    step: "fine-tune",
    recipe: { ...recipe, ...engineInHistory(options.engine) },
    more: { engine: options.engine ?? defaultEngine },
    base: model,
    paths: { train, validation },
  });
}

/** Checks the output folder, which must not be that of a model that is read. It is made with the first file in it. */
export async function outputFolder(
  path: string,
  models: readonly string[],
): Promise<{ readonly output: string; readonly checkpoint: string }> {
  const output = resolve(path);
  for (const model of models) {
    if (await isSameFile(output, model))
      throw new InputError(
        `--output ${path}: expected another folder than the model's, got the same; name a new one`,
      );
  }
  await checkFolder("--output", output);
  return { output, checkpoint: join(output, "checkpoint") };
}

export function dataOf({ train, validation, task }: ClassifierOptions) {
  return {
    train: readLabelled(train, task),
    ...(validation === undefined ? {} : { validation: readLabelled(validation, task) }),
  };
}

/** The settings of a recipe that were given. */
export function recipeOf({
  epochs,
  batchSize,
  learningRate,
  seed,
  scheme,
}: ClassifierOptions): ClassifierTrainingOptions & Pick<LabelChoice, "scheme"> {
  return {
    seed,
    ...(scheme === undefined ? {} : { scheme }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(learningRate === undefined ? {} : { learningRate }),
  };
}

/** What a run needs beside its recipe. */
export function runOf(
  { threads, patience, validation }: ClassifierOptions,
  checkpoint: string,
  terminal: Terminal,
): ClassifierTrainingOptions {
  if (patience !== undefined && validation === undefined) {
    throw new UsageError("--patience: expected --validation to find the best epoch on, got none");
  }
  const store = fileCheckpoint(checkpoint);
  return {
    threads,
    checkpoint: {
      load: store.load,
      async save(chunks) {
        await mkdir(dirname(checkpoint), { recursive: true });
        await store.save(chunks);
      },
    },
    checkpointEvery: 200,
    ...terminal.training,
    ...(patience === undefined ? {} : { patience }),
  };
}

interface Finished {
  readonly options: ClassifierOptions;
  readonly output: string;
  readonly checkpoint: string;
  readonly terminal: Terminal;
  readonly seconds: number;
  readonly step: string;
  readonly recipe: object;
  /** Model that the work began with, where it began with one. */
  readonly base?: string;
  /** What else was read. */
  readonly paths: NamedPaths;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Writes the directory, opens what was written, and says what was done. */
export async function finish(tuned: FineTuned, job: Finished): Promise<void> {
  const { options, output, checkpoint, terminal } = job;
  const earlier = job.base === undefined ? [] : await historyOfBase(job.base);
  // A graph that was taken over has its history in it, one that was built from weights has none.
  const isNew = historyOf(tuned.model).length === 0;
  const model = withHistory(isNew ? withEarlierHistory(tuned.model, earlier) : tuned.model, {
    step: job.step,
    options: { task: tuned.settings.task, ...job.recipe },
    ...(await provenanceOf(job.base && (await sha256OfFile(await weightsFileOf(job.base))), job.paths)),
  });
  const words = await firstSentences([options.validation, options.train], tuned.settings.task);
  const { threads, minCosine } = options;
  const { settings } = tuned;
  const trained = { operation: job.step, output: options.output, model, settings, words, threads, minCosine };
  let drift: DriftCheck | undefined;
  const files = await writeFineTuned(
    output,
    { ...tuned, model },
    {
      async check(staged) {
        drift = await checkTrained(trained, staged.modelPath, staged.directory);
      },
    },
  );
  const exported = await exportTrained({
    model,
    settings: tuned.settings,
    output: join(output, "onnx", `model_${tuned.qat?.bits === 4 ? "q4" : "quantized"}.onnx`),
    validation: options.validation,
    threads: options.threads,
    words,
    minCosine: options.minCosine,
    provenance: await provenanceOf(files.get("onnx/model.onnx")?.sha256),
  });
  await rm(checkpoint, { force: true });
  const metric = tuned.settings.task === "pos" ? "accuracy" : "f1";
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
  const labelling = labellingDocument(labellingOfSettings(tuned.settings));
  const result = {
    task: tuned.settings.task,
    scheme: labelling.scheme,
    labelling,
    output: { path: output, bytes, files: Object.fromEntries(files) },
    labels: tuned.settings.labels,
    metric,
    value: tuned.bestMetric ?? null,
    bestEpoch: tuned.bestEpoch ?? null,
    epochs: tuned.history,
    stopped: tuned.stopped,
    seconds: job.seconds,
    drift: drift ?? null,
    ...(exported === undefined ? {} : { qat: exported }),
    ...job.more,
  };
  const measured =
    tuned.bestMetric === undefined
      ? `${metric}: not measured (no --validation)`
      : `${metric} on ${options.validation}: ${formatPercent(tuned.bestMetric)} (epoch ${tuned.bestEpoch})`;
  terminal.result(result, () =>
    [
      `Wrote ${output} (${formatBytes(bytes)})`,
      `  ${measured}`,
      ...(drift === undefined ? [] : [driftLine(drift, "the trained model's")]),
      ...(exported === undefined ? [`Next: nasty quantize --model ${options.output}`] : exportText(exported)),
    ].join("\n"),
  );
  checkAgreement(job.step, exported);
}
