import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import type { TrainingGraphOptions } from "../gradient/training-graph-options.js";
import type { OptimizerOptions } from "../optimizers/optimizer-options.js";
import type { OptimizerState } from "../optimizers/optimizer.js";
import type { Batch } from "./batch.js";
import type { Modifier, ModifierState } from "./modifier.js";

export interface EngineOptions extends TrainingGraphOptions {
  readonly optimizer: OptimizerOptions;
  /** What works on the model while it trains; `rewrite` of the options comes first, then theirs, in this order. */
  readonly modifiers?: readonly Modifier[];
  /** Seeds the dropout masks; the same seed and batches give the same weights. Default 0. */
  readonly seed?: number;
  /** Threads inside one operator. Default 1. Results may differ in the last bits between numbers of threads. */
  readonly threads?: number;
}

/** Something that trains: ONNX Runtime by default. */
export interface Engine {
  readonly name: string;
  /** Prepares a forward model for training; the model is not changed. */
  load(model: ModelProto, options: EngineOptions): Promise<Trainer>;
}

export interface StepResult {
  /** Number of the step, from 1. */
  readonly step: number;
  readonly loss: number;
  /** Value of every loss by its name, not weighted. */
  readonly losses: Readonly<Record<string, number>>;
  readonly learningRate: number;
  /** Global norm of the gradients before clipping. */
  readonly gradientNorm: number;
  /** The outputs asked for when the model was loaded. */
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Everything a trainer needs to go on where it was. */
export interface TrainerState {
  readonly weights: Readonly<Record<string, Float32Array>>;
  readonly optimizer: OptimizerState;
  /** Of the modifiers, if there are any. */
  readonly modifiers?: ModifierState;
}

/** A model in training. */
export interface Trainer {
  /** Names and shapes of the trained weights. */
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Steps done. */
  stepCount(): number;
  /**
   * One forward and backward pass and one update.
   *
   * @throws TrainingError `non-finite-loss` naming the step; the weights are those of the step before then.
   */
  step(batch: Batch): Promise<StepResult>;
  /** Loss of a batch with dropout active, without an update. */
  loss(batch: Batch): Promise<number>;
  /** Copies of the weights, or of their running averages; weights that a modifier added are among them. */
  readWeights(options?: { readonly averaged?: boolean }): ReadonlyMap<string, Float32Array>;
  /** The forward model, as it was given, with the weights (or their averages) of now. */
  model(options?: { readonly averaged?: boolean }): ModelProto;
  /** The forward model with weights given; those that a modifier added are left out. */
  withWeights(weights: ReadonlyMap<string, Float32Array>): ModelProto;
  /** Views of the state, valid until the next step. */
  state(): TrainerState;
  /** @throws TrainingError `checkpoint-mismatch` naming what differs. */
  restore(state: TrainerState): void;
  close(): Promise<void>;
}
