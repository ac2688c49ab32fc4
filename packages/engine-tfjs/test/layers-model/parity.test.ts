import { tensor } from "@nasty/core";
import { describe, expect, test } from "vitest";
import { importLayersModel } from "../../src/layers-model/index.js";
import { idRows, layers, numberRows, parity, randomize, run, saved, tf } from "./saved-model.js";

/**
 * Far above what two orders of summation differ by in these small networks, far below what a gate in the wrong place
 * does.
 */
const tolerance = 5e-6;
const recurrentInitializer = "glorotUniform";

type RecurrentArgs = Parameters<typeof layers.layers.lstm>[0];

const lstm = (args: Partial<RecurrentArgs> = {}) =>
  layers.layers.lstm({ units: 5, returnSequences: true, recurrentInitializer, ...args });
const gru = (args: Partial<RecurrentArgs> = {}) =>
  layers.layers.gru({
    units: 5,
    returnSequences: true,
    recurrentInitializer,
    ...args,
  } as Parameters<typeof layers.layers.gru>[0]);

function numbersInto(...stack: layers.layers.Layer[]): layers.Sequential {
  const model = layers.sequential();
  model.add(layers.layers.inputLayer({ inputShape: [null, 4] }));
  for (const layer of stack) model.add(layer);
  return randomize(model);
}

async function check(model: layers.LayersModel, shape: readonly number[] = [3, 7, 4]) {
  const result = await parity(model, [numberRows(shape)]);
  expect(result.difference).toBeLessThan(tolerance);
  expect(Math.max(...(result.theirs[0]?.data ?? []).map(Math.abs))).toBeGreaterThan(0.05);
  return result;
}

describe("recurrent layers", () => {
  test.each(["sigmoid", "hardSigmoid"] as const)("LSTM with %s gates", async (recurrentActivation) => {
    await check(numbersInto(lstm({ recurrentActivation })));
  });

  test.each(["sigmoid", "hardSigmoid"] as const)("GRU with %s gates", async (recurrentActivation) => {
    await check(numbersInto(gru({ recurrentActivation })));
  });

  test("SimpleRNN, and layers without bias", async () => {
    const simple = layers.layers.simpleRNN({ units: 3, returnSequences: true, recurrentInitializer });
    await check(numbersInto(simple, lstm({ useBias: false }), gru({ useBias: false })));
  });

  test.each(["relu", "sigmoid", "elu", "softsign", "softplus", "linear", "hardSigmoid"] as const)(
    "LSTM and GRU with %s as the main function",
    async (activation) => {
      await check(numbersInto(lstm({ activation, units: 3 }), gru({ activation, units: 3 })));
    },
  );

  test("the last step alone, forwards and backwards", async () => {
    await check(numbersInto(lstm({ returnSequences: false })));
    await check(numbersInto(lstm({ returnSequences: false, goBackwards: true })));
    await check(numbersInto(gru({ returnSequences: false, goBackwards: true })));
  });

  test.each(["concat", "sum", "ave", "mul"] as const)("both directions, joined by %s", async (mergeMode) => {
    for (const layer of [lstm(), gru()]) {
      await check(numbersInto(layers.layers.bidirectional({ layer, mergeMode })));
    }
    const layer = lstm({ returnSequences: false });
    await check(numbersInto(layers.layers.bidirectional({ layer, mergeMode })));
  });

  test("layers on top of each other need no transposition between them", async () => {
    const both = () => layers.layers.bidirectional({ layer: lstm(), mergeMode: "concat" as const });
    const { imported } = await check(
      numbersInto(both(), layers.layers.dropout({ rate: 0.5 }), both(), layers.layers.dense({ units: 3 })),
    );
    const ops = imported.model.graph?.node.map(({ opType }) => opType);
    expect(ops).toEqual(
      "Transpose LSTM Transpose Reshape LSTM Transpose Reshape MatMul Add Transpose".split(" "),
    );
  });
});

describe("layers of each position", () => {
  const activations =
    "elu relu relu6 tanh sigmoid hardSigmoid softmax logSoftmax selu softplus softsign gelu gelu_new swish mish linear";
  test.each(activations.split(" "))("Dense and Activation: %s", async (name) => {
    const activation = name as "relu";
    await check(numbersInto(layers.layers.dense({ units: 6, activation })));
    await check(numbersInto(layers.layers.activation({ activation })));
  });

  test("activations that are layers", async () => {
    for (const layer of [
      layers.layers.reLU(),
      layers.layers.reLU({ maxValue: 0.7 }),
      layers.layers.leakyReLU({ alpha: 0.2 }),
      layers.layers.elu(),
      layers.layers.thresholdedReLU({ theta: 0.4 }),
      layers.layers.softmax({ axis: -1 }),
    ]) {
      await check(numbersInto(layer));
    }
  });

  test("TimeDistributed", async () => {
    const inner = [
      layers.layers.dense({ units: 3, activation: "softmax" }),
      layers.layers.layerNormalization(),
      layers.layers.activation({ activation: "tanh" }),
    ];
    for (const layer of inner) await check(numbersInto(layers.layers.timeDistributed({ layer })));
  });

  test("normalizations, with and without scale and center", async () => {
    await check(numbersInto(layers.layers.layerNormalization()));
    await check(numbersInto(layers.layers.layerNormalization({ scale: false, epsilon: 1e-5 })));
    await check(numbersInto(layers.layers.layerNormalization({ center: false })));
    await check(numbersInto(layers.layers.batchNormalization()));
    await check(numbersInto(layers.layers.batchNormalization({ scale: false, center: false, epsilon: 0.1 })));
  });

  test("dropout of all kinds is left out", async () => {
    const { imported } = await check(
      numbersInto(
        layers.layers.dropout({ rate: 0.5, seed: 3 }),
        layers.layers.spatialDropout1d({ rate: 0.5 }),
        layers.layers.gaussianNoise({ stddev: 1 }),
        layers.layers.gaussianDropout({ rate: 0.3 }),
        layers.layers.alphaDropout({ rate: 0.3 }),
        layers.layers.dense({ units: 2 }),
      ),
    );
    expect(imported.model.graph?.node.map(({ opType }) => opType)).toEqual(["MatMul", "Add"]);
  });

  test("Dense on a vector", async () => {
    const model = layers.sequential({ layers: [layers.layers.dense({ units: 3, inputShape: [4] })] });
    await check(randomize(model), [5, 4]);
  });
});

describe("convolution", () => {
  const conv = (args: Partial<Parameters<typeof layers.layers.conv1d>[0]>) =>
    layers.layers.conv1d({ filters: 5, kernelSize: 3, ...args });

  test.each([2, 3, 4, 5])("kernel of %d", async (kernelSize) => {
    for (const padding of ["same", "valid"] as const) {
      await check(numbersInto(conv({ kernelSize, padding, activation: "relu" })), [2, 9, 4]);
    }
  });

  test("dilation and stride", async () => {
    for (const padding of ["same", "valid"] as const) {
      await check(numbersInto(conv({ padding, dilationRate: 2 })), [2, 9, 4]);
      for (const length of [8, 9, 10]) {
        await check(numbersInto(conv({ padding, strides: 2, kernelSize: 4 })), [2, length, 4]);
      }
    }
  });

  test("without bias, after a recurrent layer", async () => {
    await check(numbersInto(lstm(), conv({ padding: "same", useBias: false }), gru()));
  });
});

describe("graphs of layers", () => {
  test("several inputs, a shared layer, sums and concatenations, several outputs", async () => {
    const ids = layers.input({ shape: [null], dtype: "int32", name: "ids" });
    const more = layers.input({ shape: [null, 4], name: "more" });
    const words = layers.layers.embedding({ inputDim: 11, outputDim: 4 }).apply(ids) as layers.SymbolicTensor;
    const shared = layers.layers.dense({ units: 4, activation: "tanh", name: "shared" });
    const a = shared.apply(words) as layers.SymbolicTensor;
    const b = shared.apply(more) as layers.SymbolicTensor;
    const recurrent = lstm({ units: 4 }).apply(a) as layers.SymbolicTensor;
    const merged = [
      layers.layers.add().apply([a, recurrent, b]),
      layers.layers.multiply().apply([b, recurrent, a]),
      layers.layers.average().apply([a, recurrent]),
      layers.layers.maximum().apply([recurrent, b]),
      layers.layers.minimum().apply([a, b]),
      layers.layers.concatenate().apply([recurrent, a, words]),
    ] as layers.SymbolicTensor[];
    const all = layers.layers.concatenate().apply(merged) as layers.SymbolicTensor;
    const outputs = [layers.layers.dense({ units: 3, name: "tags" }).apply(all) as layers.SymbolicTensor, a];
    const model = randomize(layers.model({ inputs: [ids, more], outputs }));
    const { difference, imported } = await parity(model, [idRows([6, 6], 10), numberRows([2, 6, 4])]);
    expect(difference).toBeLessThan(tolerance);
    expect(imported.inputs.map(({ name, dtype }) => [name, dtype])).toEqual([
      ["ids", "int32"],
      ["more", "float32"],
    ]);
    expect(imported.outputs.map(({ name }) => name)).toEqual(["tags", "shared"]);
    expect(imported.inputs[0]).toMatchObject({ rows: 11, masksZero: false, shape: ["batch", "length"] });
  });

  test("an input that is an output as it is, and under another name", async () => {
    const x = layers.input({ shape: [null, 4], name: "x" });
    const kept = layers.layers.dropout({ rate: 0.5, name: "kept" }).apply(x) as layers.SymbolicTensor;
    const positive = layers.layers.reLU({ name: "positive" }).apply(x) as layers.SymbolicTensor;
    const model = layers.model({ inputs: x, outputs: [x, kept, positive], name: "given_back" });
    const { difference, imported } = await parity(model, [numberRows([2, 3, 4])]);
    expect(difference).toBe(0);
    expect(imported.outputs.map(({ name }) => name)).toEqual(["x", "kept", "positive"]);
  });

  test("a fixed length and a fixed batch: the batch becomes free", async () => {
    const model = layers.sequential({
      layers: [layers.layers.embedding({ inputDim: 6, outputDim: 3, batchInputShape: [2, 5] })],
    });
    const { difference, imported } = await parity(randomize(model), [idRows([5, 5], 5)]);
    expect(difference).toBe(0);
    expect(imported.inputs[0]?.shape).toEqual(["batch", 5]);
  });
});

describe("masks", () => {
  const lengths = [7, 1, 4];

  function masked(...stack: layers.layers.Layer[]): layers.Sequential {
    const model = layers.sequential();
    model.add(layers.layers.embedding({ inputDim: 12, outputDim: 4, maskZero: true }));
    for (const layer of stack) model.add(layer);
    return randomize(model, 3);
  }

  test("padding on the right is skipped by layers in both directions, at every depth", async () => {
    for (const cell of [lstm, gru]) {
      const model = masked(
        layers.layers.spatialDropout1d({ rate: 0.2 }),
        layers.layers.bidirectional({ layer: cell(), mergeMode: "concat" }),
        layers.layers.layerNormalization(),
        layers.layers.bidirectional({ layer: cell(), mergeMode: "sum" }),
        layers.layers.timeDistributed({ layer: layers.layers.dense({ units: 3, activation: "softmax" }) }),
      );
      const { difference, imported } = await parity(model, [idRows(lengths, 11)], lengths);
      expect(difference).toBeLessThan(tolerance);
      expect(imported).toMatchObject({ ignoresPadding: true, inputs: [{ masksZero: true, rows: 12 }] });
      expect(imported.outputs[0]?.activation).toBe("softmax");
    }
  });

  test("the last real step, in each direction", async () => {
    const last = (goBackwards: boolean) => lstm({ returnSequences: false, goBackwards });
    for (const layer of [last(false), last(true)]) {
      const { difference } = await parity(masked(layer), [idRows(lengths, 11)]);
      expect(difference).toBeLessThan(tolerance);
    }
    const both = layers.layers.bidirectional({ layer: last(false), mergeMode: "concat" });
    expect((await parity(masked(both), [idRows(lengths, 11)])).difference).toBeLessThan(tolerance);
  });

  test("without the mask, padding counts: the test above would see it", async () => {
    const unmasked = layers.sequential();
    unmasked.add(layers.layers.embedding({ inputDim: 12, outputDim: 4 }));
    unmasked.add(layers.layers.bidirectional({ layer: lstm(), mergeMode: "concat" }));
    randomize(unmasked, 3);
    const padded = await parity(unmasked, [tensor("int32", [1, 3], Int32Array.of(3, 0, 0))]);
    const alone = await parity(unmasked, [tensor("int32", [1, 1], Int32Array.of(3))]);
    expect(padded.difference).toBeLessThan(tolerance);
    expect(padded.imported.ignoresPadding).toBe(false);
    // What the first word's backward state saw of the padding.
    const [first, second] = [padded, alone].map(({ ours }) => ours[0]?.data[9] as number);
    expect(Math.abs((first as number) - (second as number))).toBeGreaterThan(0.01);
  });

  test("Masking skips steps whose channels are all the mask value", async () => {
    const rows = numberRows([3, 7, 4]);
    lengths.forEach((length, row) => rows.data.fill(-1, (row * 7 + length) * 4, (row + 1) * 28));
    const { difference, imported } = await parity(
      numbersInto(layers.layers.masking({ maskValue: -1 }), lstm(), lstm({ returnSequences: false })),
      [rows],
    );
    expect(difference).toBeLessThan(tolerance);
    expect(imported.ignoresPadding).toBe(true);
    const values = await parity(numbersInto(layers.layers.masking({ maskValue: -1 })), [rows]);
    expect(values.difference).toBe(0);
  });

  test("a mask goes on through concatenations, and through sums as in Keras", async () => {
    const ids = layers.input({ shape: [null], dtype: "int32", name: "ids" });
    const table = layers.layers.embedding({ inputDim: 12, outputDim: 4, maskZero: true });
    const words = table.apply(ids) as layers.SymbolicTensor;
    const last = lstm({ returnSequences: false, name: "last" });
    const modelOf = (value: layers.SymbolicTensor) =>
      randomize(layers.model({ inputs: ids, outputs: last.apply(value) as layers.SymbolicTensor }), 3);
    const half = layers.layers.activation({ activation: "linear" }).apply(words) as layers.SymbolicTensor;
    const beside = layers.layers.concatenate().apply([words, half]) as layers.SymbolicTensor;
    const more = lstm({ returnSequences: false });
    const concatenated = layers.model({ inputs: ids, outputs: more.apply(beside) as layers.SymbolicTensor });
    const joined = await parity(randomize(concatenated, 3), [idRows(lengths, 11)]);
    expect(joined.difference).toBeLessThan(tolerance);

    // The average of a value and itself is the value. TensorFlow.js 4.22 gives a sum's mask another rank, which its
    // LSTM cannot read.
    const plain = await parity(modelOf(words), [idRows(lengths, 11)]);
    const averaged = modelOf(layers.layers.average().apply([words, half]) as layers.SymbolicTensor);
    const { modelJson, weightBytes } = await saved(averaged);
    const imported = importLayersModel(modelJson, weightBytes);
    expect(imported.ignoresPadding).toBe(true);
    const [ours] = await run(imported, [idRows(lengths, 11)]);
    ours?.data.forEach((value, i) => expect(value).toBeCloseTo(plain.theirs[0]?.data[i] as number, 5));
    expect(() => averaged.predict(tf.zeros([3, 7], "int32"))).toThrow();
  });

  test("at masked places our forward layer gives 0 and TensorFlow.js the state before", async () => {
    const { ours, theirs } = await parity(masked(lstm()), [idRows([2, 1], 11)]);
    expect(ours[0]?.data.slice(-5)).toEqual(new Float32Array(5));
    expect(theirs[0]?.data.slice(-5)).toEqual(theirs[0]?.data.slice(-10, -5));
  });
});
