import {
  gradualPruning,
  keepZeros,
  type PruneOptions,
  pruner,
  type PruningPlan,
  pruningReference,
  type PruningResult,
} from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import type { LabelChoice, LabelledSentence, TaggerSettings } from "@nasty/taggers";
import { type FurtherTrainingOptions, trainFurther } from "@nasty/tagger-training";
import { fileCheckpoint } from "@nasty/training/node";
import { checkDrift, type DriftJob } from "../drift/drift-check.js";
import { collectAll } from "../texts/collect-all.js";
import { readLabelled } from "../texts/labelled-text.js";
import type { Reporter } from "../reporter.js";
import type { PruningSchedule, Recovery } from "./settings.js";

/** How a pruned model is trained on. */
export interface RecoveryRequest extends Recovery, Pick<LabelChoice, "scheme"> {
  readonly train: string;
  readonly validation?: string | undefined;
  readonly schedule: PruningSchedule;
  readonly checkpoint: string;
  readonly seed: number;
  readonly threads: number;
}

/** What to remove of a model: chosen by options, or planned before. */
export interface Pruning extends Pick<PruneOptions, "sparsity" | "scope"> {
  planFor(model: ModelProto): Promise<PruningPlan>;
}

export interface RecoveryJob {
  readonly model: ModelProto;
  readonly settings: TaggerSettings;
  readonly pruning: Pruning;
  readonly provenance: Parameters<typeof pruner.apply>[2];
  /** How the pruned model is compared with one that cuts nothing, before it is trained on. */
  readonly drifting: (reference: ModelProto) => DriftJob;
}

/** A pruned model, and what its file must be like. */
export interface Recovered extends PruningResult {
  readonly reference: ModelProto;
}

/** Share of the training after which nothing more is pruned: the rest is recovery. */
const pruningShare = 0.6;
/** A finished model knows its training text by heart: hidden words and soft labels leave it something to learn. */
const regularisation = { wordDropout: 0.2, labelSmoothing: 0.05, averageDecay: 0.998 } as const;
/** How often the sparsity is raised. */
const raises = 20;

/** Prunes and trains, so that what is left takes over what is gone. */
export async function pruneAndTrain(
  job: RecoveryJob,
  request: RecoveryRequest,
  reporter: Reporter,
): Promise<Recovered> {
  const train = await collectAll(readLabelled(request.train, job.settings.task));
  return request.schedule === "gradual"
    ? whileTraining(job, train, request, reporter)
    : beforeTraining(job, train, request, reporter);
}

async function beforeTraining(
  { model, settings, pruning, provenance, drifting }: RecoveryJob,
  train: readonly LabelledSentence[],
  request: RecoveryRequest,
  reporter: Reporter,
): Promise<Recovered> {
  const plan = await pruning.planFor(model);
  const pruned = await pruner.apply(model, plan, provenance);
  // Training changes all values: whether the right weights are left is seen before it.
  await checkDrift(drifting(pruningReference(model, plan)), pruned.model);
  const { validation } = request;
  const trained = await trainFurther(
    { model: pruned.model, settings },
    {
      train,
      ...(validation === undefined ? {} : { validation: readLabelled(validation, settings.task) }),
    },
    { ...optionsOf(request, reporter), modifiers: [keepZeros(pruned.model)] },
  );
  return { ...pruned, model: trained.model, reference: trained.model };
}

/**
 * The best epoch by validation would be one in which little was pruned: the weights of the last step are taken, and
 * pruned once more, which finds the zeros that are there.
 */
async function whileTraining(
  { model, settings, pruning, provenance }: RecoveryJob,
  train: readonly LabelledSentence[],
  request: RecoveryRequest,
  reporter: Reporter,
): Promise<Recovered> {
  const plan = await pruning.planFor(model);
  const steps = Math.ceil(train.length / request.batchSize) * request.epochs;
  const trained = await trainFurther(
    { model, settings },
    { train },
    {
      ...optionsOf(request, reporter),
      modifiers: [
        gradualPruning(model, {
          schedule: {
            final: pruning.sparsity ?? 0,
            begin: 1,
            times: raises,
            every: Math.max(1, Math.floor((pruningShare * steps) / raises)),
          },
          weights: plan.tensors.map(({ name }) => name),
          ...(pruning.scope === undefined ? {} : { scope: pruning.scope }),
        }),
      ],
    },
  );
  const last = await pruning.planFor(trained.model);
  return {
    ...(await pruner.apply(trained.model, last, provenance)),
    reference: pruningReference(trained.model, last),
  };
}

function optionsOf(
  { epochs, batchSize, learningRate, checkpoint, seed, threads, scheme }: RecoveryRequest,
  reporter: Reporter,
): FurtherTrainingOptions {
  return {
    ...regularisation,
    epochs,
    batchSize,
    learningRate,
    seed,
    threads,
    scheme,
    checkpoint: fileCheckpoint(checkpoint),
    checkpointEvery: 200,
    ...reporter.training,
  };
}
