import type { ModelProto } from "@nasty/formats/onnx";
import { evaluate, type LabelledSentence, TaggerError, type TaggerSettings } from "@nasty/taggers";
import { openTaggerModel } from "@nasty/taggers/node";
import {
  type Batch,
  buildTrainingGraph,
  type CheckpointStore,
  type Engine,
  type EpochRecord,
  type Loss,
  type Modifier,
  type ModifierState,
  onnxEngine,
  type QuantizationRecord,
  type Random,
  type StopReason,
  type TrainingEvent,
  trainLoop,
} from "@nasty/training";
import { type QuantizationAware, quantizationOf } from "../quantization-aware/quantization-aware.js";
import { type Freeze, weightGroups } from "./weight-groups.js";

/** Settings of training that fine-tuning, further training and distillation share. */
export interface ClassifierTrainingOptions extends QuantizationAware {
  /** Default 5. */
  readonly epochs?: number;
  /** Rows of a batch (sentences, or windows of a long one). Default 16. */
  readonly batchSize?: number;
  /** Peak of the learning rate. Default 5e-5, which suits pretrained encoders. */
  readonly learningRate?: number;
  /** Default 0.01; biases and normalisation are not decayed. */
  readonly weightDecay?: number;
  /** Share of the steps over which the learning rate rises; then it falls linearly to 0. Default 0.1. */
  readonly warmUp?: number;
  /** Factor of the learning rate from one layer to the one below it. Default 1. */
  readonly layerDecay?: number;
  readonly freeze?: Freeze;
  /** Default 1. */
  readonly clipNorm?: number;
  /** Trains a running average of the weights, which is what is validated and kept. Off unless given; 0.999 is usual. */
  readonly averageDecay?: number;
  /** Ratio of all Dropout nodes, instead of those of config.json. */
  readonly dropout?: number;
  /** Stops after this many epochs without a better validation. */
  readonly patience?: number;
  /** Default 1. The same seed, data and number of threads give the same weights. */
  readonly seed?: number;
  /** Default 1. */
  readonly threads?: number;
  /** What computes losses and gradients. Default: ONNX Runtime. */
  readonly engine?: Engine;
  /** What works on the model while it trains. Checkpoints know them by their names. */
  readonly modifiers?: readonly Modifier[];
  /** Where the run is kept for an interruption. */
  readonly checkpoint?: CheckpointStore;
  /** Steps between checkpoints, beside those at the end of each epoch. */
  readonly checkpointEvery?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainingEvent) => void;
  /** Steps between `step` events. Default 50. */
  readonly eventEvery?: number;
}

/** What happened in training. */
export interface ClassifierTraining {
  /** The forward model with the best weights, Dropout nodes included. */
  readonly model: ModelProto;
  readonly bestEpoch: number | undefined;
  /** State of the modifiers with these weights. */
  readonly modifiers: ModifierState;
  /** How the model was trained to be quantized, if it was. */
  readonly qat?: QuantizationRecord;
  /** Of the task's metric on the validation data. */
  readonly bestMetric: number | undefined;
  readonly history: readonly EpochRecord[];
  readonly steps: number;
  readonly stopped: StopReason;
}

export interface ClassifierJob {
  readonly operation: string;
  readonly model: ModelProto;
  readonly loss: Loss | readonly Loss[];
  readonly batches: (random: Random) => Iterable<Batch> | AsyncIterable<Batch>;
  readonly stepsPerEpoch: number;
  /** How good a forward model is, higher being better; undefined where nothing is there to tell. */
  readonly validate: ((model: ModelProto) => Promise<number>) | undefined;
  /** Tells this data and these settings from others in checkpoints. */
  readonly identity: string;
  readonly options: ClassifierTrainingOptions;
}

/** Name of the input with the labels: of each subword, or of each text. */
export const labelsInput = "labels";

/** Trains an encoder with its head: AdamW, warm-up and linear decay, validation after each epoch. */
export async function trainClassifier(job: ClassifierJob): Promise<ClassifierTraining> {
  const { model, loss, validate, stepsPerEpoch, options } = job;
  const { epochs = 5, learningRate = 5e-5, warmUp = 0.1, seed = 1, threads = 1 } = options;
  checkShare(job.operation, "warmUp", warmUp);
  const dropout = options.dropout === undefined ? [] : [{ node: "*", ratio: options.dropout }];
  if (options.dropout !== undefined) checkShare(job.operation, "dropout", options.dropout);
  // Which weights the loss depends on is known once the graph has been differentiated.
  const { weights } = buildTrainingGraph(model, { loss });
  const { trainable, groups } = weightGroups(model, weights, {
    weightDecay: options.weightDecay ?? 0.01,
    layerDecay: options.layerDecay ?? 1,
    freeze: options.freeze ?? {},
  });
  const totalSteps = stepsPerEpoch * epochs;
  const qat = quantizationOf(job.operation, options, totalSteps);
  const modifiers = [...(options.modifiers ?? []), ...(qat === undefined ? [] : [qat])];
  const trainer = await (options.engine ?? onnxEngine).load(model, {
    loss,
    trainable: [...trainable, ...(qat?.trained ?? [])],
    dropout,
    seed,
    threads,
    ...(modifiers.length === 0 ? {} : { modifiers }),
    optimizer: {
      kind: "adamw",
      learningRate,
      groups,
      clipNorm: options.clipNorm ?? 1,
      schedule: {
        kind: "linear",
        totalSteps: totalSteps + 1,
        warmUpSteps: Math.floor(totalSteps * warmUp),
      },
      ...(options.averageDecay === undefined ? {} : { averageDecay: options.averageDecay }),
    },
  });
  try {
    const { weights: _, ...result } = await trainLoop({
      trainer,
      epochs,
      seed,
      stepsPerEpoch,
      batches: ({ random }) => job.batches(random),
      identity: job.identity,
      ...(validate !== undefined && {
        validate: ({ model: trained }) => validate(qat?.simulate(trained) ?? trained),
      }),
      ...definedOnly({
        patience: options.patience,
        checkpoint: options.checkpoint,
        checkpointEvery: options.checkpointEvery,
        signal: options.signal,
        onEvent: options.onEvent,
        eventEvery: options.eventEvery,
      }),
    });
    if (qat === undefined) return result;
    return { ...result, qat: qat.record(result.model, result.modifiers) };
  } finally {
    await trainer.close();
  }
}

/**
 * Validation of a tagger by its task's metric.
 *
 * @returns undefined without a sentence
 */
export function taggerValidation(
  settings: TaggerSettings,
  sentences: readonly LabelledSentence[],
  { threads = 1 }: Pick<ClassifierTrainingOptions, "threads">,
): ClassifierJob["validate"] {
  if (sentences.length === 0) return undefined;
  return async (model) => {
    const tagger = await openTaggerModel(model, settings, { threads });
    try {
      return (await evaluate(tagger, sentences, { batchSize: 16 })).value;
    } finally {
      await tagger.close();
    }
  };
}

export function checkShare(operation: string, name: string, value: number): void {
  if (value >= 0 && value < 1) return;
  throw new TaggerError("option", `${operation}: ${name}: expected a number in [0, 1), got ${value}`, {
    name,
  });
}

/** An object without its undefined values: they are not the same as absent ones to exact optional properties. */
function definedOnly<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
