import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { type Tensor, tensor } from "@nasty/core";
import { openSession } from "@nasty/runtime";
import { ModelGraph, validateModel } from "@nasty/graph";
import { type ImportedModel, importLayersModel } from "../../src/layers-model/index.js";

/** A model as TensorFlow.js saves it. */
export interface SavedModel {
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly modelJson: any;
  readonly weightBytes: Uint8Array;
}

/** Numbers in [−1, 1) that depend on the seed alone (splitmix32). */
export function uniformNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Gives every weight, biases too, random values: those that a new model has would hide a gate in the wrong place. */
export function randomize<M extends layers.LayersModel>(model: M, seed = 1): M {
  const uniform = uniformNumbers(seed);
  model.setWeights(
    model.weights.map(({ shape, name }) => {
      const size = tf.util.sizeFromShape(shape as number[]);
      // Variances are positive.
      const shift = name.includes("variance") ? 1.5 : 0;
      return tf.tensor(
        Float32Array.from({ length: size }, () => 0.8 * uniform() + shift),
        shape as number[],
      );
    }),
  );
  return model;
}

/** What `model.save` hands to a handler, in the form of the files. */
export async function saved(model: layers.LayersModel): Promise<SavedModel> {
  let result: SavedModel | undefined;
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      result = {
        modelJson: {
          modelTopology,
          format: "layers-model",
          weightsManifest: [{ paths: ["group1-shard1of1.bin"], weights: weightSpecs }],
        },
        weightBytes: new Uint8Array(weightData as ArrayBuffer),
      };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" as const } };
    }),
  );
  return JSON.parse(JSON.stringify(result?.modelJson)) && (result as SavedModel);
}

/** Rows of ids from 1 to `most`, padded with 0 on the right to the longest. */
export function idRows(lengths: readonly number[], most: number, seed = 7): Tensor<"int32"> {
  const uniform = uniformNumbers(seed);
  const longest = Math.max(...lengths);
  const data = new Int32Array(lengths.length * longest);
  lengths.forEach((length, row) => {
    for (let i = 0; i < length; i++) data[row * longest + i] = 1 + Math.floor(((uniform() + 1) / 2) * most);
  });
  return tensor("int32", [lengths.length, longest], data);
}

export function numberRows(shape: readonly number[], seed = 9): Tensor<"float32"> {
  const uniform = uniformNumbers(seed);
  const size = shape.reduce((product, count) => product * count, 1);
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: size }, () => 2 * uniform()),
  );
}

/** Runs an imported model. */
export async function run(
  { model, inputs, outputs }: ImportedModel,
  feeds: readonly Tensor[],
): Promise<Tensor<"float32">[]> {
  validateModel(ModelGraph.from(model));
  const session = await openSession(model);
  try {
    const results = await session.run(
      Object.fromEntries(inputs.map(({ name }, i) => [name, feeds[i] as Tensor])),
    );
    return outputs.map(({ name }) => results[name] as Tensor<"float32">);
  } finally {
    await session.close();
  }
}

export interface Parity {
  readonly imported: ImportedModel;
  /** Largest difference at places that are no padding. */
  readonly difference: number;
  readonly ours: readonly Tensor<"float32">[];
  readonly theirs: readonly Tensor<"float32">[];
}

/**
 * The largest difference between the outputs of TensorFlow.js and of the imported model.
 *
 * @param real how many steps of each row count; all unless given
 */
export async function parity(
  model: layers.LayersModel,
  feeds: readonly Tensor[],
  real?: readonly number[],
): Promise<Parity> {
  const { modelJson, weightBytes } = await saved(model);
  const imported = importLayersModel(modelJson, weightBytes);
  const ours = await run(imported, feeds);
  const given = feeds.map(({ data, shape, dtype }) =>
    tf.tensor(data as Float32Array, [...shape], dtype as "float32" | "int32"),
  );
  const predicted = model.predict(given.length === 1 ? (given[0] as tf.Tensor) : given);
  const theirs = (Array.isArray(predicted) ? predicted : [predicted]).map((one) =>
    tensor("float32", one.shape, one.dataSync<"float32">()),
  );
  let difference = 0;
  theirs.forEach((expected, i) => {
    const got = ours[i] as Tensor<"float32">;
    if (got.shape.join() !== expected.shape.join()) {
      throw new Error(`shape: expected [${expected.shape.join()}], got [${got.shape.join()}]`);
    }
    const [, time = 1] = expected.shape;
    const inner = expected.data.length / ((expected.shape[0] as number) * time);
    expected.data.forEach((value, at) => {
      const step = Math.floor(at / inner) % time;
      const row = Math.floor(at / inner / time);
      if (real !== undefined && expected.shape.length > 2 && step >= (real[row] as number)) return;
      const distance = Math.abs(value - (got.data[at] as number));
      difference = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(difference, distance);
    });
  });
  return { imported, difference, ours, theirs };
}

export { layers, tf };
