import { pruner, pruningReference, withHistory, type PruneOptions as Pruning } from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import { type LabelChoice, withTagger } from "@nasty/taggers";
import { rm } from "node:fs/promises";
import { checkDrift, type DriftJob } from "@nasty/workflow/drift/drift-check";
import { GateError, InputError, UsageError } from "@nasty/workflow/errors";
import { parseSource } from "@nasty/workflow/texts/calibration-sources";
import { choiceForText, choiceOf } from "@nasty/workflow/texts/label-choice";
import { type LoadedModel, loadForCompression, reasonOf } from "@nasty/workflow/models/load-model";
import { checkWritable } from "@nasty/workflow/files/output-path";
import { provenanceOf } from "@nasty/workflow/models/provenance";
import { checkSeparate } from "@nasty/workflow/files/separate-paths";
import { importanceData } from "@nasty/workflow/pruning/importance-data";
import { pruningDrift } from "@nasty/workflow/pruning/pruning-drift";
import { measureQuality, pruningRefusal } from "@nasty/workflow/pruning/quality";
import { pruneAndTrain, type Recovered } from "@nasty/workflow/pruning/recovery";
import { pruningPlanText, pruningText, type PruningResultDocument } from "../pruning/pruning-text.js";
import { neededVocabulary } from "@nasty/workflow/pruning/vocabulary";
import { nameBeside, prunedSuffix } from "@nasty/workflow/files/output-name";
import { writeCandidate } from "@nasty/workflow/files/candidate";
import type { CommonOptions, Terminal } from "../terminal/console.js";

export interface PruneCommandOptions extends CommonOptions, LabelChoice {
  readonly model: string;
  readonly sparsity?: number;
  readonly structured?: boolean;
  readonly scope: "global" | "layer";
  readonly heads?: number;
  readonly neurons?: number;
  readonly layers?: number | readonly number[];
  readonly data: readonly string[];
  readonly vocabulary?: string;
  readonly skipLayers: readonly string[];
  readonly train?: string;
  readonly validation?: string;
  readonly targetAccuracyLoss?: number;
  readonly schedule?: "gradual" | "one-shot";
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly minCosine?: number;
  readonly dryRun?: boolean;
  readonly output?: string;
}

/**
 * `nasty prune`: plan, apply, train on if there is text for it, write beside the output, load and measure what was written, then give it
 * its name. An interrupted training goes on from `OUTPUT.checkpoint` when the same command is given again.
 */
export async function prune(options: PruneCommandOptions, terminal: Terminal): Promise<void> {
  const isStructured =
    options.structured === true || options.heads !== undefined || options.neurons !== undefined;
  if (options.data.length > 0 && !isStructured) {
    throw new UsageError("prune: --data: expected --structured with it (magnitudes need no data), got none");
  }
  if (options.targetAccuracyLoss !== undefined && options.validation === undefined) {
    throw new UsageError("prune: --target-accuracy-loss: expected --validation with it, got none");
  }
  checkPruning(options, isStructured);
  const training = trainingOf(options);
  const schedule = scheduleOf(options, isStructured);
  const isJudged = options.validation !== undefined || options.train !== undefined || options.data.length > 0;
  const choice = isJudged ? choiceForText(options) : choiceOf(options);
  const loaded = await loadForCompression(options.model, choice);
  for (const note of loaded.notes) terminal.note(note);
  const output = options.output ?? nameBeside(options.model, prunedSuffix(options));
  if (!options.dryRun) {
    await checkWritable("--output", output);
    const { train, validation, vocabulary } = options;
    const texts = options.data.map((text) => parseSource(text).path);
    await checkSeparate("prune", { "--output": output }, [
      options.model,
      train,
      validation,
      vocabulary,
      ...texts,
    ]);
  }
  terminal.progress.start("planning what to prune");
  const pruning = await pruningOf(loaded, options, isStructured);
  if (options.dryRun) {
    const plan = await pruner.plan(loaded.model, pruning);
    terminal.progress.stop();
    terminal.result({ model: options.model, output: null, plan }, () => pruningPlanText(plan));
    return;
  }
  const checkpoint = `${output}.checkpoint`;
  const drifting = await pruningDrift(loaded, options);
  const { model, report, reference } = await pruned({
    loaded,
    pruning,
    schedule,
    training,
    checkpoint,
    options,
    terminal,
    drifting,
  });
  const candidate = await writeCandidate(
    output,
    loaded.tagger === undefined ? model : await withTagger(model, loaded.tagger),
  );
  try {
    terminal.progress.stop();
    const { validation, targetAccuracyLoss: target, threads, seed } = options;
    const quality =
      validation === undefined
        ? null
        : await measureQuality(
            [options.model, candidate.path],
            { validation, target, threads, seed, ...choiceForText(options) },
            terminal,
          );
    if (quality?.passed === false) throw new GateError(pruningRefusal(options.model, quality));
    const drift = await checkDrift(drifting(reference), candidate.path);
    const written = await candidate.commit();
    await rm(checkpoint, { force: true });
    const { vocabulary, tensors } = report;
    const [zeros, elements] = tensors.reduce(([z, e], one) => [z + one.zeros, e + one.elements], [0, 0]);
    const result: PruningResultDocument = {
      model: options.model,
      modelBytes: loaded.modelBytes,
      output: written,
      training: options.train === undefined ? null : { schedule, epochs: training.epochs },
      gate: quality,
      drift,
      ...report,
      sparsity: tensors.length === 0 ? null : zeros / elements,
      vocabulary:
        vocabulary === undefined
          ? null
          : { table: vocabulary.table, before: vocabulary.before, after: vocabulary.after },
    };
    terminal.result(result, () => pruningText(result));
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

interface PruningJob {
  readonly loaded: LoadedModel;
  readonly pruning: Pruning;
  readonly schedule: "gradual" | "one-shot";
  readonly training: Training;
  readonly checkpoint: string;
  readonly options: PruneCommandOptions;
  readonly terminal: Terminal;
  readonly drifting: (reference: ModelProto) => DriftJob;
}

/** The pruned model, trained on if there is text for it; the history says both. */
async function pruned({
  loaded,
  pruning,
  schedule,
  training,
  checkpoint,
  options,
  terminal,
  drifting,
}: PruningJob): Promise<Recovered> {
  const { train, validation, seed, threads } = options;
  const data = options.data.map((text) => parseSource(text).path);
  const provenance = {
    provenance: await provenanceOf(await loaded.sha256(), { data, vocabulary: options.vocabulary }),
  };
  if (train === undefined) {
    const plan = await pruner.plan(loaded.model, pruning);
    return {
      ...pruner.apply(loaded.model, plan, provenance),
      reference: pruningReference(loaded.model, plan),
    };
  }
  if (loaded.tagger === undefined) {
    throw new InputError(
      `prune: --train: ${loaded.path}: tagger: expected labels and a tokenizer in the file or beside it, got none${reasonOf(loaded)}; leave --train out, or give the model's directory`,
    );
  }
  terminal.progress.stop();
  const { model, report, reference } = await pruneAndTrain(
    { model: loaded.model, settings: loaded.tagger, pruning, provenance, drifting },
    { train, validation, ...training, schedule, checkpoint, seed, threads, scheme: options.scheme },
    terminal,
  );
  const step = {
    step: "recovery",
    options: { schedule, ...training, seed },
    ...(await provenanceOf(undefined, { train, validation })),
  };
  return { report, reference, model: withHistory(model, step) };
}

interface Training {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** How to train on, if there is text for it; settings of a training that does not happen would do nothing. */
function trainingOf({ train, epochs, batchSize, learningRate }: PruneCommandOptions): Training {
  const given = { "--epochs": epochs, "--batch-size": batchSize, "--learning-rate": learningRate };
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined || train !== undefined) continue;
    throw new UsageError(`prune: ${option}: expected --train with it, got none`);
  }
  return { epochs: epochs ?? 2, batchSize: batchSize ?? 16, learningRate: learningRate ?? 3e-4 };
}

/** What to remove must be said. */
function checkPruning(options: PruneCommandOptions, isStructured: boolean): void {
  const { sparsity, heads, neurons, layers, vocabulary } = options;
  if ([sparsity, heads, neurons, layers, vocabulary].some((value) => value !== undefined)) return;
  const where = isStructured ? "--structured: expected --sparsity, --heads or --neurons with it" : undefined;
  throw new UsageError(
    `prune: ${where ?? "expected --sparsity, --heads, --neurons, --layers or --vocabulary"}, got none`,
  );
}

/** Single elements go while the model trains, what changes shapes goes before it. */
function scheduleOf(
  { schedule, train, sparsity, layers, vocabulary }: PruneCommandOptions,
  isStructured: boolean,
): "gradual" | "one-shot" {
  if (schedule !== undefined && train === undefined) {
    throw new UsageError("prune: --schedule: expected --train with it, got none");
  }
  const changesShapes =
    isStructured || layers !== undefined || vocabulary !== undefined || sparsity === undefined;
  if (schedule === "gradual" && changesShapes) {
    throw new UsageError(
      "prune: --schedule gradual: expected --sparsity of single elements alone, got --structured, --layers or --vocabulary",
    );
  }
  return schedule ?? (changesShapes ? "one-shot" : "gradual");
}

async function pruningOf(
  loaded: LoadedModel,
  options: PruneCommandOptions,
  isStructured: boolean,
): Promise<Pruning> {
  const { sparsity, scope, heads, neurons, layers, skipLayers, threads } = options;
  return {
    scope,
    skipLayers,
    ...(sparsity !== undefined && { sparsity }),
    ...(isStructured && {
      structured: { ...(heads !== undefined && { heads }), ...(neurons !== undefined && { neurons }) },
    }),
    ...(options.data.length > 0 && {
      data: importanceData(
        loaded,
        options.data.map((text) => parseSource(text)),
        options,
      ),
    }),
    ...(layers !== undefined && { layers }),
    ...(options.vocabulary !== undefined && {
      vocabulary: await neededVocabulary(loaded, options.vocabulary, threads),
    }),
  };
}
