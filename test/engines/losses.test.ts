import { describe, it } from "vitest";
import type { Tensor } from "../../packages/core/src/index.js";
import { inputsOfLosses } from "../../packages/engine-tfjs/src/engine/losses/losses.js";
import type { Loss } from "../../packages/training/src/index.js";
import { floatTensor, longTensor, modelOfNodes, node, randomWeight } from "./model-builder.js";
import { expectParity } from "./parity.js";

const [B, T, C] = [2, 3, 4];
const weights = ["W", "A", "start", "end"];
/** The weights are the logits themselves, and the parameters of a chain. */
const model = modelOfNodes({
  nodes: [node("Identity", ["W"], ["logits"])],
  outputs: ["logits"],
  initializers: [
    randomWeight("W", [B, T, C], 1),
    randomWeight("A", [C, C], 2),
    randomWeight("start", [C], 3),
    randomWeight("end", [C], 4),
  ],
});
const feeds: Record<string, Tensor> = {
  labels: longTensor([B, T], [1, 3, -100, 0, 2, 2]),
  teacher: floatTensor([B, T, C], 5),
  target: floatTensor([B, T, C], 6),
  mask: { dtype: "float32", shape: [B, T], data: Float32Array.of(1, 1, 0, 1, 1, 1) },
  nothing: { dtype: "float32", shape: [B, T], data: new Float32Array(B * T) },
  two: longTensor([B, T], [1, 2, 2, 0, 3, 2]),
  none: longTensor([B, T], [0, 1, 2, -100, -100, -100]),
};

const crossEntropy = { kind: "cross-entropy", logits: "logits", labels: "labels" } as const;
const crf = { kind: "crf", emissions: "logits", transitions: "A", start: "start", end: "end" } as const;
const cases: readonly (readonly [string, Loss | readonly Loss[], (readonly string[])?])[] = [
  ["cross-entropy", crossEntropy],
  ["cross-entropy with smoothing", { ...crossEntropy, labelSmoothing: 0.1 }],
  ["cross-entropy with class weights", { ...crossEntropy, classWeights: [1, 2, 0.5, 3] }],
  ["cross-entropy with both", { ...crossEntropy, classWeights: [1, 2, 0.5, 3], labelSmoothing: 0.2 }],
  ["cross-entropy that ignores a class", { ...crossEntropy, labels: "two", ignoreIndex: 2 }],
  ["Kullback-Leibler", { kind: "kl", logits: "logits", teacher: "teacher" }],
  [
    "Kullback-Leibler with temperature and mask",
    { kind: "kl", logits: "logits", teacher: "teacher", temperature: 2.5, mask: "mask" },
  ],
  ["mean squared error", { kind: "mse", prediction: "logits", target: "target" }],
  ["mean squared error with a mask", { kind: "mse", prediction: "logits", target: "target", mask: "mask" }],
  ["mean squared error of nothing", { kind: "mse", prediction: "logits", target: "target", mask: "nothing" }],
  ["chain", { ...crf, labels: "labels" }, weights],
  ["chain of sentences, one without words", { ...crf, labels: "none" }, weights],
  [
    "several, weighted, two of a kind",
    [
      { ...crf, labels: "labels", weight: 0.3 },
      { ...crossEntropy, weight: 2 },
      { ...crossEntropy, labelSmoothing: 0.1 },
      { kind: "kl", logits: "logits", teacher: "teacher", temperature: 2, weight: 0.5, name: "teacher" },
    ],
    weights,
  ],
];

describe("losses against TensorFlow's gradients", () => {
  for (const [name, loss, trainable = ["W"]] of cases) {
    it(name, () => {
      const names = inputsOfLosses([loss].flat());
      const batch = Object.fromEntries(names.map((input) => [input, feeds[input] as Tensor]));
      return expectParity({ model, batch, options: { loss, trainable } });
    });
  }
});
