import { elementCount, type Tensor, toFloat32 } from "@nasty/core";
import { type ModelProto, tensorFromProto } from "@nasty/formats/onnx";
import { openSession, type Session } from "@nasty/runtime";
import { buildTrainingGraph, type TrainingGraph } from "../gradient/build-training-graph.js";
import type { GradientOfWeight } from "../optimizers/gradient-buffer.js";
import { createOptimizer, optimizerMemory, type OptimizerWeight } from "../optimizers/optimizer.js";
import type { VectorMemory } from "../optimizers/vector-memory.js";
import { mixWords } from "../random.js";
import { TrainingError } from "../training-error.js";
import type { Batch, Engine, EngineOptions, Trainer } from "./engine.js";
import { combineModifiers } from "./modifier.js";
import { withWeights } from "./with-weights.js";

/** Trains by running the differentiated graph on ONNX Runtime; the optimizer works on the weights in this process. */
export const onnxEngine: Engine = { name: "onnxruntime", load };

async function load(model: ModelProto, options: EngineOptions): Promise<Trainer> {
  const modifiers = combineModifiers(options.modifiers ?? []);
  const training = buildTrainingGraph(model, {
    ...options,
    rewrite: (edited) => {
      const own = options.rewrite?.(edited) ?? [];
      modifiers.rewrite(edited);
      return [...own, ...modifiers.watched()];
    },
  });
  const lengths = training.weights.map(({ shape }) => elementCount(shape));
  const memory = optimizerMemory(lengths, options.optimizer);
  const weights = initialWeights(training, memory);
  const optimizer = createOptimizer(weights, options.optimizer, memory);
  const session = await openSession(training.model, {
    threads: options.threads ?? 1,
    // Nothing is folded or packed between steps: the weights are inputs. Every step has another shape.
    optimization: "all",
  });
  const feeds: Record<string, Tensor> = {};
  for (const { name, shape, values } of weights) feeds[name] = { dtype: "float32", shape, data: values };

  const live = new Map(weights.map(({ name, values }) => [name, values]));
  const own = new Set((model.graph?.initializer ?? []).map(({ name }) => name));
  const given = (values: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> =>
    new Map([...values].filter(([name]) => own.has(name) || !live.has(name)));

  const run = async (batch: Batch, { step, outputs }: { step: number; outputs?: readonly string[] }) => {
    const all: Record<string, Tensor> = { ...feeds, ...modifiers.feeds(step), ...batch };
    if (training.seed !== undefined) {
      const data = Uint32Array.of(mixWords(options.seed ?? 0, step));
      all[training.seed] = { dtype: "uint32", shape: [1], data };
    }
    return session.run(all, outputs);
  };
  const finite = (loss: number, step: number): number => {
    if (Number.isFinite(loss)) return loss;
    throw new TrainingError("non-finite-loss", `step ${step}: loss: expected a finite number, got ${loss}`, {
      step,
    });
  };
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
      const results = await run(batch, { step });
      const loss = finite(scalar(results[training.loss]), step);
      const { learningRate, gradientNorm } = optimizer.step(gradientsOf(training, results));
      const losses: Record<string, number> = {};
      for (const [name, output] of Object.entries(training.losses)) losses[name] = scalar(results[output]);
      const outputs: Record<string, Tensor> = {};
      for (const name of training.outputs) outputs[name] = results[name] as Tensor;
      modifiers.afterStep({ step, outputs, weights: live, averages: optimizer.averages() });
      return { step, loss, losses, learningRate, gradientNorm, outputs };
    },
    async loss(batch) {
      const results = await run(batch, { step: optimizer.count() + 1, outputs: [training.loss] });
      return scalar(results[training.loss]);
    },
    readWeights,
    model: (which) => withWeights(model, given(readWeights(which))),
    withWeights: (values) => withWeights(model, given(values)),
    state: () => ({
      weights: Object.fromEntries(weights.map(({ name, values }) => [name, values])),
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
    close: () => closeOnce(session),
  };
}

const closeOnce = (session: Session): Promise<void> => session.close();

function initialWeights(training: TrainingGraph, memory: VectorMemory | undefined): OptimizerWeight[] {
  return training.weights.map(({ name, shape, initial }) => {
    // A copy: the optimizer changes it, the caller's model stays.
    const values = memory?.allocate(elementCount(shape)) ?? new Float32Array(elementCount(shape));
    values.set(toFloat32(tensorFromProto(initial)));
    return { name, shape, values };
  });
}

function gradientsOf(
  training: TrainingGraph,
  results: Readonly<Record<string, Tensor>>,
): Map<string, GradientOfWeight> {
  const data = (name: string) => (results[name] as Tensor).data;
  return new Map(
    training.weights.map(({ name, dense, rows }) => [
      name,
      {
        dense: dense === undefined ? undefined : (data(dense) as Float32Array),
        rows: rows.map(({ indices, values }) => ({
          indices: data(indices) as BigInt64Array,
          values: data(values) as Float32Array,
        })),
      },
    ]),
  );
}

function scalar(tensor: Tensor | undefined): number {
  return Number(tensor?.data[0]);
}
