import { describe, it } from "vitest";
import type { Tensor } from "../../packages/core/src/index.js";
import { buildNeuralModel } from "../../packages/tagger-training/src/neural/graph/build-neural-model.js";
import { buildEncoder } from "../../packages/taggers/src/encoders/build-encoder.js";
import { tinyCheckpoint } from "../../packages/tagger-training/test/encoders/tiny-checkpoint.js";
import { tinyBilstm, tinyCnn, tinyFeatures } from "../../packages/tagger-training/test/neural/tiny-neural.js";
import { type Batch, fakeQuantization, type Loss, seededRandom } from "../../packages/training/src/index.js";
import { longTensor } from "./model-builder.js";
import { expectSameTraining } from "./parity.js";

const random = seededRandom(4);
const int32 = (shape: readonly number[], below: number): Tensor => ({
  dtype: "int32",
  shape,
  data: Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.below(below)),
});

const [words, length] = [6, 5];
const lengths = [5, 3, 1];
/** Three sentences of a few distinct words; labels of padding do not count. */
function neuralBatch(kind: "bilstm" | "cnn"): Batch {
  const real = lengths.flatMap((own) => Array.from({ length }, (_, t) => t < own));
  const sizes: Tensor =
    kind === "bilstm"
      ? { dtype: "int32", shape: [lengths.length], data: Int32Array.from(lengths) }
      : { dtype: "float32", shape: [lengths.length, length], data: Float32Array.from(real, Number) };
  return {
    word_ids: int32([words], 4),
    affix_ids: int32([words, 3], 12),
    shape_ids: int32([words], 31),
    character_ids: int32([words, 8], 12),
    word_index: int32([lengths.length, length], words),
    [kind === "bilstm" ? "lengths" : "mask"]: sizes,
    labels: longTensor(
      [lengths.length, length],
      real.map((counts) => (counts ? random.below(4) : -100)),
    ),
    auxiliary: longTensor(
      [lengths.length, length],
      real.map((counts) => (counts ? random.below(3) : -100)),
    ),
  };
}

const auxiliary: Loss = {
  kind: "cross-entropy",
  logits: "logits_xpos",
  labels: "auxiliary",
  weight: 0.4,
  labelSmoothing: 0.05,
};

describe("taggers take the same steps in both engines", () => {
  for (const [name, architecture] of [
    ["bilstm", tinyBilstm],
    ["cnn", tinyCnn],
  ] as const) {
    const chain = name === "bilstm";
    const model = buildNeuralModel({
      features: tinyFeatures,
      architecture,
      labels: 4,
      chain,
      auxiliary: { xpos: 3 },
    });
    const own: Loss = chain
      ? {
          kind: "crf",
          emissions: "logits",
          transitions: "transitions",
          start: "start",
          end: "end",
          labels: "labels",
        }
      : { kind: "cross-entropy", logits: "logits", labels: "labels", labelSmoothing: 0.05 };
    const batches = [1, 2, 3].map(() => neuralBatch(name));
    const dropout = chain ? [{ node: "dropout/*", sharedAxes: [0] }] : [];
    it(`${name}, with dropout and an auxiliary head`, () =>
      expectSameTraining({
        model,
        batches,
        options: () => ({ loss: [own, auxiliary], dropout, seed: 7 }),
      }));
    it(`${name}, fake-quantized`, () =>
      expectSameTraining({
        model,
        batches,
        // Values that lie between two steps of the quantizer may fall to either side.
        tolerance: 2e-3,
        options: () => ({
          loss: [own, auxiliary],
          dropout: dropout.map((setting) => ({ ...setting, ratio: 0 })),
          modifiers: [fakeQuantization({ minimumElements: 8 })],
        }),
      }));
  }

  const { config, tensors } = tinyCheckpoint("bert");
  const encoder = buildEncoder(config, tensors, { dropout: true });
  const labels = 3;
  const rows = [
    [5, 9, 7, 12, 3],
    [6, 4, 0, 0, 0],
  ];
  const batch = (seed: number): Batch => ({
    input_ids: longTensor([2, 5], rows.flat()),
    attention_mask: longTensor(
      [2, 5],
      rows.flat().map((id) => Math.sign(id)),
    ),
    token_type_ids: longTensor(
      [2, 5],
      Array.from({ length: 10 }, () => 0),
    ),
    labels: longTensor([2, 5], [0, seed % labels, 1, -100, 2, 1, 0, -100, -100, -100]),
  });
  const loss: Loss = { kind: "cross-entropy", logits: "logits", labels: "labels" };
  it("a transformer, with dropout", () =>
    expectSameTraining({
      model: encoder,
      batches: [1, 2, 3].map(batch),
      options: () => ({ loss, seed: 3 }),
    }));
  it("a transformer, fake-quantized", () =>
    expectSameTraining({
      model: encoder,
      batches: [1, 2, 3].map(batch),
      tolerance: 2e-3,
      options: () => ({
        loss,
        dropout: [{ node: "*", ratio: 0 }],
        modifiers: [fakeQuantization({ minimumElements: 8 })],
      }),
    }));
});
