import type { Tensor } from "../../packages/core/src/index.js";
import { type BackendName, tensorflowEngine } from "../../packages/engine-tfjs/src/index.js";
import type { ModelProto } from "../../packages/formats/src/onnx/index.js";
import {
  type Batch,
  type Engine,
  type EngineOptions,
  onnxEngine,
  seededRandom,
  type StepResult,
} from "../../packages/training/src/index.js";
import type { Nd } from "../../packages/training/test/reference/array.js";
import { evaluate, fromTensor } from "../../packages/training/test/reference/evaluate.js";
import { expect } from "vitest";

export const backends: readonly BackendName[] = ["cpu", "wasm"];

export interface StepOf {
  readonly result: StepResult;
  /** What one step of gradient descent with a rate of 1 took off every weight. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

export type TrainingOptions = Omit<EngineOptions, "optimizer">;

/** One step of an engine and the gradients that it went along. */
export async function stepOf(
  engine: Engine,
  model: ModelProto,
  { batch, options }: { readonly batch: Batch; readonly options: TrainingOptions },
): Promise<StepOf> {
  const trainer = await engine.load(model, { ...options, optimizer: { kind: "sgd", learningRate: 1 } });
  try {
    const before = trainer.readWeights();
    const result = await trainer.step(batch);
    const after = trainer.readWeights();
    const gradients = new Map(
      [...before].map(([name, values]) => [
        name,
        values.map((value, i) => value - (after.get(name)?.[i] as number)),
      ]),
    );
    return { result, gradients };
  } finally {
    await trainer.close();
  }
}

export interface ParityCheck {
  readonly model: ModelProto;
  readonly batch: Batch;
  readonly options: TrainingOptions;
  /** Of the largest element of each tensor. Default 2e-5. */
  readonly tolerance?: number;
}

/** Expects losses, outputs and all gradients of both backends to be those of the default engine. */
export async function expectParity({ model, batch, options, tolerance = 2e-5 }: ParityCheck): Promise<void> {
  const expected = await stepOf(onnxEngine, model, { batch, options });
  expect(expected.gradients.size).toBeGreaterThan(0);
  for (const backend of backends) {
    const got = await stepOf(tensorflowEngine({ backend }), model, { batch, options });
    close(`${backend}: loss`, [got.result.loss], [expected.result.loss], tolerance);
    expect(Object.keys(got.result.losses)).toEqual(Object.keys(expected.result.losses));
    for (const [name, value] of Object.entries(expected.result.losses))
      close(`${backend}: loss ${name}`, [got.result.losses[name] as number], [value], tolerance);
    for (const [name, tensor] of Object.entries(expected.result.outputs)) {
      const own = got.result.outputs[name] as Tensor;
      expect(own.shape, `${backend}: shape of ${name}`).toEqual(tensor.shape);
      expect(own.dtype).toBe(tensor.dtype);
      close(`${backend}: output ${name}`, numbers(own), numbers(tensor), tolerance);
    }
    expect([...got.gradients.keys()].sort()).toEqual([...expected.gradients.keys()].sort());
    for (const [name, values] of expected.gradients)
      close(`${backend}: gradient of ${name}`, got.gradients.get(name) as Float32Array, values, tolerance);
  }
}

const numbers = ({ data }: Tensor): number[] => Array.from(data as Iterable<number | bigint>, Number);

function close(what: string, got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(got.length, what).toBe(expected.length);
  let scale = 0.1;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i] as number));
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs((got[i] as number) - (expected[i] as number));
    if (!(error <= tolerance * scale))
      expect.fail(`${what}: element ${i}: expected ${expected[i]}, got ${got[i]} (largest ${scale})`);
  }
}

/**
 * A mean squared error of every output against a random target near it, so that every element of the gradient has a
 * weight of its own.
 */
export function againstTargets(
  model: ModelProto,
  { feeds, outputs, trainable }: { feeds: Batch; outputs: readonly string[]; trainable: readonly string[] },
): { batch: Batch; options: TrainingOptions } {
  const random = seededRandom(99);
  const loss = outputs.map(
    (name) => ({ kind: "mse", prediction: name, target: `target/${name}`, name }) as const,
  );
  const fed = Object.entries(feeds).map(([name, tensor]) => [name, fromTensor(tensor)] as const);
  const values = evaluate(model, new Map(fed));
  const batch: Record<string, Tensor> = { ...feeds };
  for (const name of outputs) {
    const { shape, data } = values.get(name) as Nd;
    const target = Float32Array.from(data, (value) => value + random.normal());
    batch[`target/${name}`] = { dtype: "float32", shape, data: target };
  }
  return { batch, options: { loss, trainable, outputs } };
}

/**
 * Expects several steps to give the same losses and weights in both engines; every training gets options of its own.
 * Steps follow the gradient, since AdamW would blow up to whole steps the rounding of gradients that are zero, as those
 * of a key's bias are.
 */
export async function expectSameTraining({
  model,
  batches,
  options,
  tolerance = 1e-4,
}: {
  readonly model: ModelProto;
  readonly batches: readonly Batch[];
  readonly options: () => TrainingOptions;
  readonly tolerance?: number;
}): Promise<void> {
  const train = async (engine: Engine) => {
    const optimizer = { kind: "sgd", learningRate: 0.1, clipNorm: 1, averageDecay: 0.9 } as const;
    const trainer = await engine.load(model, { ...options(), optimizer });
    try {
      const losses: number[] = [];
      for (const batch of batches) losses.push((await trainer.step(batch)).loss);
      return { losses, weights: trainer.readWeights({ averaged: true }) };
    } finally {
      await trainer.close();
    }
  };
  const expected = await train(onnxEngine);
  for (const backend of backends) {
    const got = await train(tensorflowEngine({ backend }));
    close(`${backend}: losses`, got.losses, expected.losses, tolerance);
    expect([...got.weights.keys()].sort()).toEqual([...expected.weights.keys()].sort());
    for (const [name, values] of expected.weights)
      close(`${backend}: ${name}`, got.weights.get(name) as Float32Array, values, tolerance);
  }
}
