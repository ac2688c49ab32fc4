import { type Tensor, tensor } from "@nasty/core";
import { describe, expect, test } from "vitest";
import { importLayersModel } from "../../src/layers-model/index.js";
import { layers, numberRows, parity, randomize, run, saved, uniformNumbers } from "./saved-model.js";

/** A model.json as the converter from Keras writes it, and the bytes of weights with random values. */
function converted(
  className: string,
  config: unknown,
  weights: Readonly<Record<string, readonly number[]>>,
  seed = 1,
) {
  const uniform = uniformNumbers(seed);
  const values: Record<string, Float32Array> = {};
  for (const [name, shape] of Object.entries(weights)) {
    const size = shape.reduce((product, count) => product * count, 1);
    values[name] = Float32Array.from({ length: size }, () => uniform());
  }
  const all = Float32Array.from(Object.values(values).flatMap((one) => [...one]));
  return {
    values,
    weightBytes: new Uint8Array(all.buffer),
    modelJson: {
      format: "layers-model",
      generatedBy: "keras v2.15.0",
      convertedBy: "TensorFlow.js Converter v4.22.0",
      modelTopology: {
        keras_version: "2.15.0",
        backend: "tensorflow",
        model_config: { class_name: className, config },
        training_config: { loss: "categorical_crossentropy" },
      },
      weightsManifest: [
        {
          paths: ["group1-shard1of1.bin"],
          weights: Object.entries(weights).map(([name, shape]) => ({ name, shape, dtype: "float32" })),
        },
      ],
    },
  };
}

/** Options as Keras 2.15 writes them beside those that matter. */
const keras = {
  trainable: true,
  dtype: "float32",
  kernel_initializer: { class_name: "GlorotUniform", config: {} },
};

const inputLayer = {
  class_name: "InputLayer",
  config: { batch_input_shape: [null, null, 3], dtype: "float32", sparse: false, ragged: false, name: "x" },
};

describe("GRU with reset_after, which Keras trains by default and TensorFlow.js cannot load", () => {
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

  /**
   * The layer as Keras defines it: gates z r h, h̃ = tanh(x·W_h + b_h + r ⊙ (h·U_h + b'_h)), h = z ⊙ h + (1 − z) ⊙ h̃.
   */
  function reference(
    x: Tensor<"float32">,
    { kernel, recurrent, bias }: { kernel: Float32Array; recurrent: Float32Array; bias?: Float32Array },
    units: number,
    gate: (x: number) => number,
  ): number[] {
    const [batch = 0, time = 0, inputs = 0] = x.shape;
    const width = 3 * units;
    const out: number[] = [];
    for (let b = 0; b < batch; b++) {
      let h = new Float64Array(units);
      for (let t = 0; t < time; t++) {
        const [given, kept] = [new Float64Array(width), new Float64Array(width)];
        for (let j = 0; j < width; j++) {
          given[j] = bias?.[j] ?? 0;
          kept[j] = bias?.[width + j] ?? 0;
          for (let i = 0; i < inputs; i++) {
            given[j]! += (x.data[(b * time + t) * inputs + i] as number) * (kernel[i * width + j] as number);
          }
          for (let i = 0; i < units; i++) kept[j]! += (h[i] as number) * (recurrent[i * width + j] as number);
        }
        h = h.map((before, u) => {
          const at = (values: Float64Array, g: number): number => values[g * units + u] as number;
          const z = gate(at(given, 0) + at(kept, 0));
          const r = gate(at(given, 1) + at(kept, 1));
          return z * before + (1 - z) * Math.tanh(at(given, 2) + r * at(kept, 2));
        });
        out.push(...h);
      }
    }
    return out;
  }

  const hardSigmoid = (x: number): number => Math.min(1, Math.max(0, 0.2 * x + 0.5));

  test.each([
    ["sigmoid", sigmoid, true],
    ["sigmoid", sigmoid, false],
    ["hard_sigmoid", hardSigmoid, true],
  ] as const)("%s gates", async (name, gate, useBias) => {
    const units = 4;
    const gru = {
      class_name: "GRU",
      config: {
        ...keras,
        name: "gru",
        units,
        activation: "tanh",
        recurrent_activation: name,
        use_bias: useBias,
        return_sequences: true,
        time_major: false,
        reset_after: true,
        implementation: 2,
        dropout: 0.2,
      },
    };
    const shapes = {
      "gru/gru_cell/kernel": [3, 12],
      "gru/gru_cell/recurrent_kernel": [4, 12],
      ...(useBias && { "gru/gru_cell/bias": [2, 12] }),
    };
    const { modelJson, weightBytes, values } = converted("Sequential", { layers: [inputLayer, gru] }, shapes);
    const x = numberRows([2, 6, 3]);
    const [y] = await run(importLayersModel(modelJson, weightBytes), [x]);
    const expected = reference(
      x,
      {
        kernel: values["gru/gru_cell/kernel"] as Float32Array,
        recurrent: values["gru/gru_cell/recurrent_kernel"] as Float32Array,
        ...(useBias && { bias: values["gru/gru_cell/bias"] as Float32Array }),
      },
      units,
      gate,
    );
    expected.forEach((value, i) => expect(y?.data[i]).toBeCloseTo(value, 5));
  });
});

describe("causal convolution, which TensorFlow.js does not run", () => {
  test.each([1, 2])("is a valid one over rows with zeros before them, dilation %d", async (dilationRate) => {
    const model = layers.sequential({
      layers: [layers.layers.conv1d({ filters: 3, kernelSize: 3, dilationRate, inputShape: [null, 4] })],
    });
    const { modelJson, weightBytes } = await saved(randomize(model));
    const causal = structuredClone(modelJson);
    causal.modelTopology.config.layers[0].config.padding = "causal";
    const x = numberRows([2, 5, 4]);
    const [y] = await run(importLayersModel(causal, weightBytes), [x]);
    const before = 2 * dilationRate * 4;
    const padded = new Float32Array(2 * (20 + before));
    for (const row of [0, 1]) {
      padded.set(x.data.subarray(row * 20, row * 20 + 20), row * (20 + before) + before);
    }
    const { theirs } = await parity(model, [tensor("float32", [2, 5 + 2 * dilationRate, 4], padded)]);
    expect(y?.shape).toEqual([2, 5, 3]);
    theirs[0]?.data.forEach((value, i) => expect(y?.data[i]).toBeCloseTo(value, 5));
  });
});

describe("what the converter writes", () => {
  const dense = { class_name: "Dense", config: { ...keras, name: "dense", units: 2, activation: "linear" } };
  const shapes = { "dense/kernel": [3, 2], "dense/bias": [2] };

  test("layers as a plain list, as Keras before 2.3 has them, compute what TensorFlow.js computes", async () => {
    const first = { ...dense, config: { ...dense.config, batch_input_shape: [null, null, 3] } };
    const { modelJson, weightBytes } = converted("Sequential", [first], shapes);
    const imported = importLayersModel(modelJson, weightBytes);
    const model = await layers.loadLayersModel({
      load: async () => ({
        modelTopology: structuredClone(modelJson.modelTopology) as object,
        weightSpecs: modelJson.weightsManifest[0]?.weights as never,
        weightData: Uint8Array.from(weightBytes).buffer,
      }),
    });
    const x = numberRows([2, 4, 3]);
    const [y] = await run(imported, [x]);
    const { theirs } = await parity(model, [x]);
    theirs[0]?.data.forEach((value, i) => expect(y?.data[i]).toBeCloseTo(value, 6));
    expect(imported.inputs[0]?.name).toBe("dense_input");
  });

  test("Functional models of Keras 2, with empty arguments of calls", async () => {
    const config = {
      name: "model",
      layers: [
        { ...inputLayer, name: "x", inbound_nodes: [] },
        { ...dense, name: "dense", inbound_nodes: [[["x", 0, 0, { training: null }]]] },
      ],
      input_layers: ["x", 0, 0],
      output_layers: [["dense", 0, 0]],
    };
    const { modelJson, weightBytes } = converted("Functional", config, shapes);
    const { outputs, model } = importLayersModel(modelJson, weightBytes);
    expect(outputs).toEqual([{ name: "dense", shape: ["batch", "length", 2] }]);
    expect(model.graph?.node.map(({ opType, output }) => [opType, output[0]])).toEqual([
      ["MatMul", "dense/MatMul"],
      ["Add", "dense"],
    ]);
  });

  test("weights of a recurrent layer named after their cell, in both directions", async () => {
    const lstm = { class_name: "LSTM", config: { ...keras, name: "lstm", units: 2, return_sequences: true } };
    const both = { class_name: "Bidirectional", config: { name: "both", merge_mode: "concat", layer: lstm } };
    const named = (way: string) => ({
      [`both/${way}_lstm/lstm_cell/kernel`]: [3, 8],
      [`both/${way}_lstm/lstm_cell/recurrent_kernel`]: [2, 8],
      [`both/${way}_lstm/lstm_cell/bias`]: [8],
    });
    const { modelJson, weightBytes } = converted(
      "Sequential",
      { name: "s", layers: [inputLayer, both] },
      { ...named("forward"), ...named("backward") },
    );
    const [y] = await run(importLayersModel(modelJson, weightBytes), [numberRows([1, 3, 3])]);
    expect(y?.shape).toEqual([1, 3, 4]);
  });

  test("weights of the optimizer are left alone", () => {
    const { modelJson, weightBytes } = converted(
      "Sequential",
      { name: "s", layers: [inputLayer, dense] },
      { ...shapes, "Adam/dense/m": [2] },
    );
    Object.assign(modelJson.weightsManifest[0]?.weights[2] as object, { group: "optimizer" });
    expect(() => importLayersModel(modelJson, weightBytes)).not.toThrow();
  });
});
