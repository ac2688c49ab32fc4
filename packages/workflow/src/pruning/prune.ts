import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import {
  pruner,
  type PruneOptions as ChosenPruning,
  type PruningPlan,
  pruningReference,
  withHistory,
} from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import { withTagger } from "@nasty/taggers";
import { checkDrift, type DriftJob } from "../drift/drift-check.js";
import { InputError } from "../errors.js";
import { writeCandidate } from "../files/candidate.js";
import { nameBeside, plannedSuffix, prunedSuffix } from "../files/output-name.js";
import { checkWritable } from "../files/output-path.js";
import { checkSeparate } from "../files/separate-paths.js";
import { type LoadedModel, loadForCompression, reasonOf } from "../models/load-model.js";
import type { ModelLike } from "../models/model-like.js";
import { provenanceOf } from "../models/provenance.js";
import { pruneOperation } from "../operations/prune.js";
import { perform } from "../perform.js";
import type { Reporter } from "../reporter.js";
import { parseSource } from "../texts/calibration-sources.js";
import { choiceForText, choiceOf } from "../texts/label-choice.js";
import { type PruneOptions, schemaOptions } from "./given-options.js";
import { importanceData } from "./importance-data.js";
import { pruningDrift } from "./pruning-drift.js";
import { figuresOf, type PruningResult } from "./pruning-result.js";
import { measureQuality } from "./quality.js";
import { type Pruning, pruneAndTrain, type Recovered } from "./recovery.js";
import { pathsOf, type PruneSettings, type PruningRequest, pruningRequest } from "./settings.js";
import { neededVocabulary } from "./vocabulary.js";

// What printing a result takes.
export type { PrunedModel } from "./pruning-result.js";
export { pruningRefusal, type PruningQuality } from "./quality.js";

async function pruneModel(model: ModelLike, options: PruneOptions): Promise<PruningResult> {
  return perform(pruneOperation, { ...schemaOptions(options), model }, (settings, reporter) =>
    runPruning(settings, reporter, options.plan),
  );
}

async function planOf(model: ModelLike, options: Omit<PruneOptions, "plan">): Promise<PruningPlan> {
  return perform(pruneOperation, { ...schemaOptions(options), model }, planPruning);
}

/**
 * Removes weights, attention heads, neurons, layers or vocabulary rows of a model, and writes what is left.
 *
 * `heads` and `neurons`, or `structured` with `sparsity`, remove whole units, by their importance on the text `on` or
 * else by magnitude; `sparsity` alone makes single elements zero. `recover` trains the model on its own text, or on all
 * of the text `on`; a training that was ended, by its signal or otherwise, goes on from `OUTPUT.checkpoint` when the
 * same call is made again. With `gate` the written file is measured: one that lost more than `maxLoss` is not kept, and
 * the result says so (`passed`). `prune.plan` says what would be removed, as plain data that `plan` takes.
 *
 * @throws UsageError for options that are unknown, wrong or contradict each other; InputError or CompressionError for a
 *   model or text that cannot be used so; GateError for outputs unlike the original's without what was pruned; the
 *   signal's reason. The output is then as it was.
 * @example
 * ```ts
 * const small = await prune("models/pos", { heads: 0.3, neurons: 0.3, on: text("train.conllu"), recover: { epochs: 2 } });
 * if (small.passed) await quantize(small, {});
 * ```
 */
export const prune = Object.assign(pruneModel, {
  /** What would be removed, and why the rest stays; nothing is written. */
  plan: planOf,
});

/** The plan from checked settings. */
export async function planPruning(settings: PruneSettings, reporter: Reporter): Promise<PruningPlan> {
  const request = pruningRequest(settings);
  const loaded = await opened(settings, request, reporter);
  reporter.progress.start("planning what to prune");
  const pruning = await pruningOf(loaded, settings, request, reporter);
  const plan = await pruning.planFor(loaded.model);
  reporter.progress.stop();
  return plan;
}

/**
 * {@link prune} from checked settings: plan, apply, train on if there is text for it, write beside the output, load and
 * measure what was written, then give it its name.
 *
 * @param plan says what goes in place of the settings
 */
export async function runPruning(
  settings: PruneSettings,
  reporter: Reporter,
  plan?: PruningPlan,
): Promise<PruningResult> {
  const request = pruningRequest(settings, plan);
  const loaded = await opened(settings, request, reporter);
  const output =
    settings.output ??
    nameBeside(settings.model, plan === undefined ? prunedSuffix(settings) : plannedSuffix(plan));
  await checkWritable("--output", output);
  await checkSeparate("prune", { "--output": output }, [settings.model, ...request.texts]);
  reporter.progress.start("planning what to prune");
  const pruning =
    plan === undefined
      ? await pruningOf(loaded, settings, request, reporter)
      : { planFor: () => Promise.resolve(plan) };
  const drifting = await pruningDrift(loaded, settings);
  const checkpoint = `${output}.checkpoint`;
  const job: PruningJob = { loaded, pruning, request, checkpoint, settings, reporter, drifting };
  return written(await pruned(job), output, job);
}

/** Writes a pruned model beside its output, judges the file, and gives it its name if it may have it. */
async function written(
  { model, report, reference }: Recovered,
  output: string,
  { loaded, request, settings, reporter, drifting, checkpoint }: PruningJob,
): Promise<PruningResult> {
  const { train, validation, targetAccuracyLoss: target, threads, seed } = settings;
  const { schedule, recovery } = request;
  const training = train === undefined ? null : { schedule, epochs: recovery.epochs };
  const { path, modelBytes } = loaded;
  const candidate = await writeCandidate(
    output,
    loaded.tagger === undefined ? model : await withTagger(model, loaded.tagger),
  );
  try {
    reporter.progress.stop();
    const gate =
      validation === undefined
        ? null
        : await measureQuality(
            [settings.model, candidate.path],
            { validation, target, threads, seed, ...choiceForText(settings) },
            reporter,
          );
    if (gate?.passed === false) {
      await candidate.discard();
      const nothing = { path: resolve(output), bytes: 0, passed: false } as const;
      const given = { model: path, modelBytes, output: null, training, gate, drift: null };
      return { ...given, ...figuresOf(report), ...nothing };
    }
    const drift = await checkDrift(drifting(reference), candidate.path);
    reporter.signal?.throwIfAborted();
    const file = await candidate.commit();
    await rm(checkpoint, { force: true });
    const made = { path: resolve(file.path), bytes: file.bytes, passed: true } as const;
    const given = { model: path, modelBytes, output: file, training, gate, drift };
    return { ...given, ...figuresOf(report), ...made };
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

async function opened(
  settings: PruneSettings,
  { isJudged }: PruningRequest,
  reporter: Reporter,
): Promise<LoadedModel> {
  const choice = isJudged ? choiceForText(settings) : choiceOf(settings);
  const loaded = await loadForCompression(settings.model, choice);
  for (const note of loaded.notes) reporter.note(note);
  return loaded;
}

interface PruningJob {
  readonly loaded: LoadedModel;
  readonly pruning: Pruning;
  readonly request: PruningRequest;
  readonly checkpoint: string;
  readonly settings: PruneSettings;
  readonly reporter: Reporter;
  readonly drifting: (reference: ModelProto) => DriftJob;
}

/** The pruned model, trained on if there is text for it; the history says both. */
async function pruned(job: PruningJob): Promise<Recovered> {
  const { loaded, pruning, request, checkpoint, settings, reporter, drifting } = job;
  const { train, validation, vocabulary, scheme, seed, threads } = settings;
  const { recovery, schedule } = request;
  const data = pathsOf(settings.data);
  const provenance = {
    provenance: await provenanceOf(await loaded.sha256(), { data, vocabulary }),
  };
  if (train === undefined) {
    const plan = await pruning.planFor(loaded.model);
    return {
      ...(await pruner.apply(loaded.model, plan, provenance)),
      reference: pruningReference(loaded.model, plan),
    };
  }
  if (loaded.tagger === undefined) {
    throw new InputError(
      `prune: --train: ${loaded.path}: tagger: expected labels and a tokenizer in the file or beside it, got none${reasonOf(loaded)}; leave --train out, or give the model's directory`,
    );
  }
  reporter.progress.stop();
  const { model, report, reference } = await pruneAndTrain(
    { model: loaded.model, settings: loaded.tagger, pruning, provenance, drifting },
    { train, validation, ...recovery, schedule, checkpoint, seed, threads, scheme },
    reporter,
  );
  const step = {
    step: "recovery",
    options: { schedule, ...recovery, seed },
    ...(await provenanceOf(undefined, { train, validation })),
  };
  return { report, reference, model: withHistory(model, step) };
}

/** What the settings want removed. */
async function pruningOf(
  loaded: LoadedModel,
  settings: PruneSettings,
  { isStructured }: PruningRequest,
  { signal }: Reporter,
): Promise<Pruning> {
  const { sparsity, scope, heads, neurons, layers, skipLayers, data, vocabulary, threads } = settings;
  const chosen: ChosenPruning = {
    scope,
    skipLayers,
    ...(sparsity !== undefined && { sparsity }),
    ...(isStructured && {
      structured: { ...(heads !== undefined && { heads }), ...(neurons !== undefined && { neurons }) },
    }),
    ...(data.length > 0 && {
      data: importanceData(loaded, data.map(parseSource), { ...choiceOf(settings), threads, signal }),
    }),
    ...(layers !== undefined && { layers }),
    ...(vocabulary !== undefined && {
      vocabulary: await neededVocabulary(loaded, vocabulary, { threads, signal }),
    }),
  };
  return {
    scope,
    ...(sparsity !== undefined && { sparsity }),
    planFor: (model) => pruner.plan(model, chosen),
  };
}
