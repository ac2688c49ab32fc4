import { describe, it } from "vitest";
import { fakeQuantization, type FakeQuantizationOptions } from "../../packages/training/src/index.js";
import { constant, floatTensor, longTensor, modelOfNodes, node, randomWeight } from "./model-builder.js";
import { expectParity, expectSameTraining } from "./parity.js";

describe("QuantizeLinear and DequantizeLinear against the straight-through rule", () => {
  const cases = [
    ["per tensor", [0.1], [3], {}],
    ["saturating", [0.01], [0], {}],
    ["per channel", [0.1, 0.02, 0.005], [0, 100, -100], { axis: 1 }],
    ["per channel, from the end", [0.1, 0.02, 0.005], [0, 100, -100], { axis: -2 }],
  ] as const;
  for (const [name, scale, zeroPoint, attributes] of cases) {
    it(name, async () => {
      const shape = scale.length === 1 ? [] : [scale.length];
      const model = modelOfNodes({
        nodes: [
          node("QuantizeLinear", ["W", "scale", "zero"], ["q"], { attributes }),
          node("DequantizeLinear", ["q", "scale", "zero"], ["y"], { attributes }),
        ],
        outputs: ["y"],
        initializers: [
          randomWeight("W", [2, 3, 4], 1),
          constant("scale", "float32", { values: [...scale], shape }),
          constant("zero", "int8", { values: [...zeroPoint], shape }),
        ],
      });
      await expectParity({
        model,
        batch: { target: floatTensor([2, 3, 4], 2) },
        options: {
          loss: { kind: "mse", prediction: "y", target: "target" },
          trainable: ["W"],
          outputs: ["y"],
        },
      });
    });
  }
});

/** Looked-up rows, two products and a softmax: what fake quantization works on. */
const model = modelOfNodes({
  nodes: [
    node("Cast", ["ids"], ["indices"], { attributes: { to: 7 } }),
    node("Gather", ["table", "indices"], ["rows"], { name: "embedding" }),
    node("MatMul", ["rows", "W1"], ["h"], { name: "first" }),
    node("Add", ["h", "b1"], ["biased"]),
    node("Relu", ["biased"], ["positive"]),
    node("MatMul", ["positive", "W2"], ["logits"], { name: "second" }),
  ],
  inputs: { ids: ["batch", "length"] },
  outputs: ["logits"],
  initializers: [
    randomWeight("table", [12, 16], 1),
    randomWeight("W1", [16, 20], 2),
    randomWeight("b1", [20], 3),
    randomWeight("W2", [20, 5], 4),
  ],
});

describe("training with fake quantization", () => {
  const settings: readonly (readonly [string, FakeQuantizationOptions])[] = [
    ["static activations", { activations: "static" }],
    ["learned step sizes", { activations: "static", ranges: "learned" }],
    ["dynamic activations", { activations: "dynamic" }],
    ["4 bits", { bits: 4, blockSize: 16 }],
    ["4 bits with zero points", { bits: 4, blockSize: 16, symmetric: false }],
  ];
  for (const [name, options] of settings) {
    it(`takes the same steps: ${name}`, async () => {
      await expectSameTraining({
        model,
        batches: [1, 2, 3, 4].map((seed) => ({
          ids: { dtype: "float32", shape: [2, 4], data: Float32Array.of(1, 5, 7, seed, 0, 11, seed, 2) },
          labels: longTensor([2, 4], [0, 1, 2, 3, 4, 0, seed, -100]),
        })),
        // One object serves one training.
        options: () => ({
          loss: { kind: "cross-entropy", logits: "logits", labels: "labels" },
          modifiers: [fakeQuantization({ ...options, startStep: 1 })],
        }),
      });
    });
  }
});
