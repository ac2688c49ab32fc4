import { elementCount, type Tensor, toFloat32 } from "@nasty/core";
import { type ModelProto, type TensorProto, tensorFromProto } from "@nasty/formats/onnx";
import type { GradientOfWeight } from "../optimizers/gradient-buffer.js";
import { createOptimizer, optimizerMemory } from "../optimizers/optimizer.js";
import { TrainingError } from "../training-error.js";
import type { Batch } from "./batch.js";
import type { EngineOptions, Trainer } from "./engine.js";
import { combineModifiers } from "./modifier.js";
import { withWeights } from "./with-weights.js";

/** A weight before the first step. */
export interface WeightToTrain {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: TensorProto;
}

/** What one forward and backward pass gives. */
export interface Pass {
  readonly loss: number;
  /** Value of every loss by its name, not weighted. */
  readonly losses: Readonly<Record<string, number>>;
  /** The outputs asked for and those that modifiers watch. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly gradients: ReadonlyMap<string, GradientOfWeight>;
}

/** Arrays by the names of weights. */
export type GradientPlaces = ReadonlyMap<string, Float32Array>;

/** The part of an engine that is its own: running the model. Weights are among the feeds, by their names. */
export interface Passes {
  /** @param places where dense gradients may be written: what lies there the optimizer need not copy */
  pass(feeds: Batch, step: number, places: GradientPlaces): Promise<Pass>;
  /** Loss alone. */
  loss(feeds: Batch, step: number): Promise<number>;
  close(): Promise<void>;
}

export interface TrainerParts {
  /** The model as it was given. */
  readonly model: ModelProto;
  readonly weights: readonly WeightToTrain[];
  readonly options: EngineOptions;
  readonly passes: Passes;
  /** Weights whose gradients the passes write into the places that they are given. None unless given. */
  readonly placed?: ReadonlySet<string>;
}

/**
 * A trainer around an engine's passes: holds the weights, updates them, serves the modifiers, saves and restores.
 * Engines that share it differ in nothing but the gradients.
 */
export function trainerOf({ model, weights: initial, options, passes, placed }: TrainerParts): Trainer {
  const modifiers = combineModifiers(options.modifiers ?? []);
  const lengths = initial.map(({ shape }) => elementCount(shape));
  const memory = optimizerMemory(lengths, options.optimizer);
  const weights = initial.map(({ name, shape, initial: proto }, i) => {
    // A copy: the optimizer changes it, the caller's model stays.
    const values = memory?.allocate(lengths[i] as number) ?? new Float32Array(lengths[i] as number);
    values.set(toFloat32(tensorFromProto(proto)));
    return { name, shape, values };
  });
  const optimizer = createOptimizer(weights, options.optimizer, memory);
  // After the optimizer's own arrays, for which there always is room.
  const places: GradientPlaces = new Map(
    weights
      .filter(({ name }) => placed?.has(name))
      .map(({ name, values: { length } }) => [name, memory?.allocate(length) ?? new Float32Array(length)]),
  );
  const own: Record<string, Tensor> = {};
  for (const { name, shape, values } of weights) own[name] = { dtype: "float32", shape, data: values };
  const feeds = (batch: Batch, step: number): Batch => ({ ...own, ...modifiers.feeds(step), ...batch });

  const live = new Map(weights.map(({ name, values }) => [name, values]));
  const inModel = new Set((model.graph?.initializer ?? []).map(({ name }) => name));
  const given = (values: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> =>
    new Map([...values].filter(([name]) => inModel.has(name) || !live.has(name)));
  const readWeights: Trainer["readWeights"] = ({ averaged = false } = {}) => {
    const averages = averaged ? optimizer.averages() : undefined;
    return new Map(
      weights.map(({ name, values }) => [name, Float32Array.from(averages?.get(name) ?? values)]),
    );
  };

  return {
    weights: weights.map(({ name, shape }) => ({ name, shape })),
    stepCount: optimizer.count,
    async step(batch) {
      const step = optimizer.count() + 1;
      const { loss, losses, outputs, gradients } = await passes.pass(feeds(batch, step), step, places);
      checkFinite(loss, step);
      const { learningRate, gradientNorm } = optimizer.step(gradients);
      modifiers.afterStep({ step, outputs, weights: live, averages: optimizer.averages() });
      return { step, loss, losses, learningRate, gradientNorm, outputs };
    },
    loss: (batch) => {
      const step = optimizer.count() + 1;
      return passes.loss(feeds(batch, step), step);
    },
    readWeights,
    model: (which) => withWeights(model, given(readWeights(which))),
    withWeights: (values) => withWeights(model, given(values)),
    state: () => ({
      weights: Object.fromEntries(live),
      optimizer: optimizer.state(),
      ...(options.modifiers === undefined ? {} : { modifiers: modifiers.state() }),
    }),
    restore(state) {
      for (const { name, values } of weights) {
        const saved = state.weights[name];
        if (saved?.length !== values.length) {
          throw new TrainingError(
            "checkpoint-mismatch",
            `restore: weight ${JSON.stringify(name)}: expected ${values.length} elements, got ${saved?.length ?? "none"}`,
            { tensor: name },
          );
        }
      }
      optimizer.restore(state.optimizer);
      for (const { name, values } of weights) values.set(state.weights[name] as Float32Array);
      modifiers.restore(state.modifiers ?? {});
    },
    close: passes.close,
  };
}

function checkFinite(loss: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new TrainingError("non-finite-loss", `step ${step}: loss: expected a finite number, got ${loss}`, {
    step,
  });
}
