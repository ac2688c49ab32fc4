import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { importLayersModel } from "../../src/layers-model/index.js";

type Config = Record<string, unknown>;
type Weights = Readonly<Record<string, readonly number[]>>;

/** A Sequential model: rows of numbers, or of ids where the first layer is an Embedding. */
function sequential(
  layers: readonly (readonly [className: string, config: Config])[],
  weights: Weights = {},
) {
  const shape = layers[0]?.[0] === "Embedding" ? [null, null] : [null, null, 3];
  return {
    modelTopology: {
      class_name: "Sequential",
      config: {
        name: "s",
        layers: layers.map(([className, config], i) => ({
          class_name: className,
          config: { name: `l${i}`, ...(i === 0 && { batch_input_shape: shape }), ...config },
        })),
      },
    },
    weightsManifest: [
      {
        paths: ["a"],
        weights: Object.entries(weights).map(([name, size]) => ({ name, shape: size, dtype: "float32" })),
      },
    ],
  };
}

const bytesOf = (weights: Weights): Uint8Array =>
  new Uint8Array(
    4 *
      Object.values(weights).reduce(
        (sum, shape) => sum + shape.reduce((product, size) => product * size, 1),
        0,
      ),
  );

function expectError(json: unknown, weights: Weights, code: string, message: string) {
  expect(() => importLayersModel(json, bytesOf(weights))).toThrow(
    expect.objectContaining({
      name: "TfjsError",
      kind: "input",
      code,
      message: expect.stringContaining(message),
    }),
  );
}

const dense: [string, Config] = ["Dense", { units: 2 }];
const denseWeights = { "l0/kernel": [3, 2], "l0/bias": [2] };
const lstm: [string, Config] = ["LSTM", { units: 2, return_sequences: true }];

describe("layers and options that are not imported are refused by name", () => {
  test.each<[string, Config, string, string]>([
    [
      "MaxPooling1D",
      {},
      "unsupported-layer",
      'importLayersModel: layer "l0": class: expected one of Dense, Activation,',
    ],
    ["constructor", {}, "unsupported-layer", 'got "constructor"'],
    [
      "Dense",
      { units: 2, activation: "cosine" },
      "unsupported-option",
      'layer "l0" (Dense): activation: expected one of linear, relu6,',
    ],
    [
      "Dense",
      { units: 2, sharpness: 3 },
      "unsupported-option",
      'importLayersModel: layer "l0" (Dense): sharpness: expected none, got 3',
    ],
    [
      "Dense",
      { units: "2" },
      "invalid-model",
      'importLayersModel: layer "l0" (Dense): units: expected a whole number of 1 or more, got "2"',
    ],
    [
      "Dense",
      {},
      "invalid-model",
      'importLayersModel: layer "l0" (Dense): units: expected a whole number of 1 or more, got nothing',
    ],
    ["Dense", { units: 2, use_bias: 1 }, "invalid-model", "use_bias: expected true or false, got 1"],
    [
      "LSTM",
      { units: 2, return_state: true },
      "unsupported-option",
      'layer "l0" (LSTM): return_state: expected false, got true',
    ],
    ["LSTM", { units: 2, stateful: true }, "unsupported-option", "stateful: expected false, got true"],
    ["GRU", { units: 2, time_major: true }, "unsupported-option", "time_major: expected false, got true"],
    [
      "LSTM",
      { units: 2, recurrent_activation: "softmax" },
      "unsupported-option",
      "recurrent_activation: expected one of tanh, sigmoid,",
    ],
    [
      "LSTM",
      { units: 2, go_backwards: true, return_sequences: true },
      "unsupported-option",
      "go_backwards: expected false where return_sequences",
    ],
    [
      "Conv1D",
      { filters: 2, kernel_size: [3], padding: "reflect" },
      "unsupported-option",
      'padding: expected valid, same or causal, got "reflect"',
    ],
    [
      "Conv1D",
      { filters: 2, kernel_size: [3, 3] },
      "invalid-model",
      "kernel_size: expected a number, or a list of one, got [3,3]",
    ],
    [
      "Conv1D",
      { filters: 2, kernel_size: [0] },
      "unsupported-option",
      "kernel_size: expected a whole number of 1 or more, got [0]",
    ],
    [
      "Conv1D",
      { filters: 2, kernel_size: 3, data_format: "channels_first" },
      "unsupported-option",
      "data_format: expected channels_last",
    ],
    ["Conv1D", { filters: 2, kernel_size: 3, groups: 3 }, "unsupported-option", "groups: expected 1, got 3"],
    [
      "LayerNormalization",
      { axis: [1] },
      "unsupported-option",
      "axis: expected the last axis (-1 or 2), got 1",
    ],
    ["Softmax", { axis: 1 }, "unsupported-option", "axis: expected the last axis (-1 or 2), got 1"],
    ["ReLU", { threshold: 0.5 }, "unsupported-option", "threshold: expected 0, got 0.5"],
    [
      "Bidirectional",
      { layer: { class_name: "Dense", config: {} } },
      "unsupported-layer",
      'layer "l0" (Bidirectional): layer: expected LSTM, GRU, SimpleRNN, got "Dense"',
    ],
    [
      "Bidirectional",
      { merge_mode: null, layer: { class_name: "LSTM", config: { name: "x", units: 2 } } },
      "unsupported-option",
      "merge_mode: expected concat, sum, ave or mul, got nothing",
    ],
    [
      "Bidirectional",
      { merge_mode: "constructor", layer: { class_name: "LSTM", config: { name: "x", units: 2 } } },
      "unsupported-option",
      "merge_mode: expected concat",
    ],
    [
      "Bidirectional",
      { backward_layer: {}, layer: { class_name: "LSTM", config: {} } },
      "unsupported-option",
      "backward_layer: expected none, got {}",
    ],
    ["Bidirectional", {}, "invalid-model", "layer: expected a layer with class_name and config, got nothing"],
    ["TimeDistributed", { layer: { class_name: "LSTM", config: {} } }, "unsupported-layer", 'got "LSTM"'],
    ["Add", {}, "invalid-model", 'importLayersModel: layer "l0" (Add): inputs: expected 2 or more, got 1'],
  ])("%s %j", (className, config, code, message) => {
    expectError(sequential([[className, config]]), {}, code, message);
  });

  test("masks that reach a layer that reads what is masked", () => {
    const table = { "l0/embeddings": [5, 4] };
    const embedding: [string, Config] = ["Embedding", { input_dim: 5, output_dim: 4, mask_zero: true }];
    const conv: [string, Config] = ["Conv1D", { filters: 2, kernel_size: 3 }];
    expectError(
      sequential([embedding, conv], table),
      table,
      "unsupported-option",
      'importLayersModel: layer "l1" (Conv1D): mask: expected no masked input (a convolution reads what is masked), got a mask',
    );
    expectError(
      sequential([embedding, ["Softmax", { axis: -1 }]], table),
      table,
      "unsupported-option",
      "(Softmax): mask",
    );
  });

  test("shapes that a layer cannot take", () => {
    const last: [string, Config] = ["LSTM", { units: 2 }];
    const weights = { "l0/kernel": [3, 8], "l0/recurrent_kernel": [2, 8], "l0/bias": [8] };
    expectError(
      sequential([last, lstm], weights),
      weights,
      "invalid-model",
      'importLayersModel: layer "l1" (LSTM): input: dimensions: expected 3, got [batch, 2]',
    );
    expectError(
      sequential([["Dense", { units: 2, batch_input_shape: [null, 3, null] }]]),
      {},
      "invalid-model",
      'layer "l0" (Dense): input: last dimension: expected a size, got [batch, 3, length_2]',
    );
  });
});

describe("weights that do not fit the layers", () => {
  test("a missing one", () => {
    const weights = { "l0/kernel": [3, 2] };
    expectError(
      sequential([dense], weights),
      weights,
      "missing-weight",
      'importLayersModel: layer "l0": weight bias: expected "l0/bias" [2] in weightsManifest, got none',
    );
  });

  test("one of another shape", () => {
    const weights = { "l0/kernel": [2, 3], "l0/bias": [2] };
    expectError(
      sequential([dense], weights),
      weights,
      "weight-shape",
      'importLayersModel: layer "l0": weight "l0/kernel": shape: expected [3, 2], got [2, 3]',
    );
  });

  test("one that no layer has", () => {
    const weights = { ...denseWeights, "l9/kernel": [1] };
    expectError(
      sequential([dense], weights),
      weights,
      "unused-weight",
      'importLayersModel: weight "l9/kernel": expected a layer that has it, got none',
    );
  });

  test("one of integers", () => {
    const json = sequential([dense], denseWeights);
    Object.assign(json.weightsManifest[0]?.weights[0] as object, { dtype: "int32" });
    expectError(
      json,
      denseWeights,
      "invalid-weights",
      'weight "l0/kernel": dtype: expected float32, got int32',
    );
  });
});

describe("topologies that are none", () => {
  const model = (topology: unknown) => ({ modelTopology: topology, weightsManifest: [] });
  const functional = (config: Config) =>
    model({
      class_name: "Model",
      config: { name: "m", input_layers: [["x", 0, 0]], output_layers: [["d", 0, 0]], ...config },
    });
  const input = {
    name: "x",
    class_name: "InputLayer",
    config: { name: "x", batch_input_shape: [null, 3] },
    inbound_nodes: [],
  };
  const layer = (name: string, from: unknown) => ({
    name,
    class_name: "Activation",
    config: { name, activation: "relu" },
    inbound_nodes: [from],
  });

  test.each<[string, unknown, string, string]>([
    ["no object", 3, "invalid-model", "importLayersModel: model.json: content: expected Object, got 3"],
    [
      "no topology",
      model(undefined),
      "invalid-model",
      "model.json: modelTopology: expected a value, got nothing",
    ],
    [
      "a graph model",
      model({ node: [], versions: {} }),
      "invalid-model",
      "expected the layers of a LayersModel, got a GraphModel",
    ],
    [
      "another class",
      model({ class_name: "Custom", config: {} }),
      "unsupported-layer",
      'expected Sequential, Model or Functional, got "Custom"',
    ],
    [
      "no layers",
      model({ class_name: "Sequential", config: { layers: [] } }),
      "invalid-model",
      "expected at least 1 layer, got 0",
    ],
    [
      "no name",
      model({ class_name: "Sequential", config: { layers: [{ class_name: "Dense", config: {} }] } }),
      "invalid-model",
      "layer 0 (Dense): name: expected a text, got nothing",
    ],
    [
      "no shape",
      model({
        class_name: "Sequential",
        config: { layers: [{ class_name: "Dense", config: { name: "a" } }] },
      }),
      "invalid-model",
      'layer "a_input" (InputLayer): batch_input_shape: expected a list of sizes and null, got nothing',
    ],
    [
      "a name twice",
      functional({ layers: [input, layer("d", [["x", 0, 0]]), layer("d", [["x", 0, 0]])] }),
      "invalid-model",
      'layer "d" (Activation): name: expected each name once',
    ],
    [
      "a cycle",
      functional({ layers: [input, layer("d", [["e", 0, 0]]), layer("e", [["d", 0, 0]])] }),
      "invalid-model",
      'layer "d" (Activation): input: expected a result of a layer before it, got call 0 of "e"',
    ],
    [
      "an unknown layer",
      functional({ layers: [input, layer("d", [["y", 0, 0]])] }),
      "invalid-model",
      'got call 0 of "y"',
    ],
    [
      "a call that is not made",
      functional({ layers: [input, layer("d", [["x", 1, 0]])] }),
      "invalid-model",
      'got call 1 of "x"',
    ],
    [
      "a second result",
      functional({ layers: [input, layer("d", [["x", 0, 1]])] }),
      "unsupported-option",
      'layer "d" (Activation): input: expected the only result of "x", got result 1',
    ],
    [
      "an argument",
      functional({ layers: [input, layer("d", [["x", 0, 0, { initial_state: 3 }]])] }),
      "unsupported-option",
      'layer "d" (Activation): call: expected no arguments beside the inputs, got initial_state',
    ],
    [
      "an output that is none",
      functional({ layers: [input, layer("a", [["x", 0, 0]])] }),
      "invalid-model",
      'output_layers: expected results of layers, got call 0 of "d"',
    ],
    [
      "no outputs",
      functional({ layers: [input], output_layers: [] }),
      "invalid-model",
      "output_layers: expected at least 1, got 0",
    ],
    [
      "Keras 3",
      functional({ layers: [{ ...input, inbound_nodes: [{ args: [], kwargs: {} }] }] }),
      "invalid-model",
      "inbound_nodes",
    ],
    [
      "text input",
      functional({
        layers: [{ ...input, config: { ...input.config, dtype: "string" } }, layer("d", [["x", 0, 0]])],
      }),
      "unsupported-option",
      'layer "x" (InputLayer): dtype: expected float32 or int32, got "string"',
    ],
    [
      "ragged input",
      functional({
        layers: [{ ...input, config: { ...input.config, ragged: true } }, layer("d", [["x", 0, 0]])],
      }),
      "unsupported-option",
      "ragged",
    ],
    [
      "merged shapes",
      functional({
        layers: [
          input,
          { ...input, name: "y", config: { name: "y", batch_input_shape: [null, 4] } },
          {
            ...layer("d", [
              ["x", 0, 0],
              ["y", 0, 0],
            ]),
            class_name: "Add",
            config: { name: "d" },
          },
        ],
      }),
      "unsupported-option",
      'layer "d" (Add): inputs: expected shapes like [batch, 3], got [batch, 4]',
    ],
  ])("%s", (_, json, code, message) => {
    expectError(json, {}, code, message);
  });

  test("whatever is in it, nothing but TfjsError comes out", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (topology, manifest) => {
        for (const json of [
          { modelTopology: topology, weightsManifest: [] },
          {
            modelTopology: { class_name: "Sequential", config: { layers: topology } },
            weightsManifest: manifest,
          },
          functional({ layers: topology as never }),
          sequential([["Bidirectional", { layer: topology }]]),
        ]) {
          try {
            importLayersModel(json, new Uint8Array(0));
          } catch (error) {
            expect(error).toMatchObject({ name: "TfjsError" });
          }
        }
      }),
    );
  });
});
