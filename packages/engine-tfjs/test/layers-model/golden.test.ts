import { createHash } from "node:crypto";
import { serializeModel } from "@nasty/formats/onnx";
import { expect, test } from "vitest";
import { importLayersModel } from "../../src/layers-model/index.js";
import { layers, randomize, saved } from "./saved-model.js";

const symbolic = (value: unknown): layers.SymbolicTensor => value as layers.SymbolicTensor;

/** Ids with a mask, recurrent layers of each kind one on the other, a convolution, two outputs of one value. */
function everything(): layers.LayersModel {
  const { embedding, lstm, gru, simpleRNN, bidirectional, conv1d, dense, layerNormalization } = layers.layers;
  const recurrent = { returnSequences: true, recurrentInitializer: "glorotUniform" } as const;
  const ids = layers.input({ shape: [null], dtype: "int32", name: "ids" });
  const words = symbolic(embedding({ inputDim: 9, outputDim: 4, maskZero: true, name: "words" }).apply(ids));
  const both = bidirectional({
    layer: lstm({ ...recurrent, units: 3, name: "cell" }),
    mergeMode: "concat",
    name: "both",
  });
  const read = symbolic(both.apply(words));
  const again = symbolic(
    gru({ ...recurrent, units: 6, recurrentActivation: "sigmoid", name: "again" }).apply(read),
  );
  const simple = symbolic(simpleRNN({ ...recurrent, units: 6, name: "simple" }).apply(again));
  const sum = symbolic(layers.layers.add({ name: "sum" }).apply([read, simple]));
  const normal = symbolic(layerNormalization({ name: "normal" }).apply(sum));
  const tags = symbolic(dense({ units: 5, activation: "softmax", name: "tags" }).apply(normal));
  const numbers = layers.input({ shape: [null, 4], name: "numbers" });
  const convolved = symbolic(
    conv1d({ filters: 3, kernelSize: 3, padding: "same", activation: "relu6", name: "convolved" }).apply(
      numbers,
    ),
  );
  const last = symbolic(
    lstm({ ...recurrent, units: 2, returnSequences: false, name: "last" }).apply(convolved),
  );
  const kept = symbolic(layers.layers.dropout({ rate: 0.5, name: "kept" }).apply(tags));
  return randomize(
    layers.model({ inputs: [ids, numbers], outputs: [tags, last, kept], name: "everything" }),
    3,
  );
}

test("an imported model is written byte for byte as it was", async () => {
  const { modelJson, weightBytes } = await saved(everything());
  const bytes = serializeModel(importLayersModel(modelJson, weightBytes).model);
  // Of what 0.0.0 wrote: names, order and constants change only on purpose.
  expect(createHash("sha256").update(bytes).digest("hex").slice(0, 16)).toBe("af273ea5778e4455");
});
