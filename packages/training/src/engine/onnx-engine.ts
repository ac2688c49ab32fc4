import { mixWords, type Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { buildTrainingGraph, type TrainingGraph } from "../gradient/build-training-graph.js";
import type { GradientOfWeight } from "../optimizers/gradient-buffer.js";
import type { Batch } from "./batch.js";
import type { Engine, EngineOptions, Trainer } from "./engine.js";
import { rewriteOf } from "./modifier.js";
import { trainerOf } from "./trainer.js";

/** Trains by running the differentiated graph on ONNX Runtime; the optimizer works on the weights in this process. */
export const onnxEngine: Engine = { name: "onnxruntime", load };

async function load(model: ModelProto, options: EngineOptions): Promise<Trainer> {
  const training = buildTrainingGraph(model, { ...options, rewrite: rewriteOf(options) });
  const session = await openSession(training.model, {
    threads: options.threads ?? 1,
    // Nothing is folded or packed between steps: the weights are inputs. Every step has another shape.
    optimization: "all",
  });
  const withSeed = (feeds: Batch, step: number): Batch => {
    if (training.seed === undefined) return feeds;
    const data = Uint32Array.of(mixWords(options.seed ?? 0, step));
    return { ...feeds, [training.seed]: { dtype: "uint32", shape: [1], data } };
  };
  const dense = training.weights.filter((weight) => weight.dense !== undefined);
  return trainerOf({
    model,
    weights: training.weights,
    options,
    placed: new Set(dense.map(({ name }) => name)),
    passes: {
      async pass(feeds, step, places) {
        const out: Record<string, Tensor> = {};
        for (const { name, shape, dense: output } of dense)
          out[output as string] = { dtype: "float32", shape, data: places.get(name) as Float32Array };
        const results = await session.run(withSeed(feeds, step), undefined, { out });
        const losses: Record<string, number> = {};
        for (const [name, output] of Object.entries(training.losses)) losses[name] = scalar(results[output]);
        const outputs: Record<string, Tensor> = {};
        for (const name of training.outputs) outputs[name] = results[name] as Tensor;
        return {
          loss: scalar(results[training.loss]),
          losses,
          outputs,
          gradients: gradientsOf(training, results),
        };
      },
      async loss(feeds, step) {
        const results = await session.run(withSeed(feeds, step), [training.loss]);
        return scalar(results[training.loss]);
      },
      close: () => session.close(),
    },
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
