import { createHash } from "node:crypto";
import { serializeModel } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import {
  buildTrainingGraph,
  fakeQuantization,
  type Loss,
  rewriteOf,
  type TrainingGraphOptions,
} from "../../src/index.js";
import { smallNetworks } from "../reference/small-networks.js";

/** Digests of what 0.0.0 wrote: names, order and constants of a training graph change only on purpose. */
const golden: Readonly<Record<string, readonly string[]>> = {
  "a transformer block with shared word vectors and decomposed normalisation": [
    "839171ad132938fc",
    "3e479d7d2fa6087c",
    "8f0326c3163ce894",
  ],
  "a character convolution with maximum over time": [
    "e2fadd17f1d2a9e5",
    "92f6c7f0b807b99e",
    "e2fadd17f1d2a9e5",
  ],
  "two layers of bidirectional LSTM over sequences of several lengths": [
    "55fd06ad962b6f12",
    "a9275415fe77786d",
    "3b8019d22b2d04e3",
  ],
};

const digest = (options: Omit<TrainingGraphOptions, "loss">, loss: Loss, name: string): string => {
  const network = smallNetworks.find(([other]) => other === name)?.[1]();
  if (network === undefined) throw new Error(`no network ${name}`);
  const { model } = buildTrainingGraph(network.model, { ...options, loss });
  return createHash("sha256").update(serializeModel(model)).digest("hex").slice(0, 16);
};

const crossEntropy: Loss = { kind: "cross-entropy", logits: "y", labels: "labels", labelSmoothing: 0.1 };
const squares: Loss = { kind: "mse", prediction: "y", target: "target", mask: "counts" };

describe("training graphs are written byte for byte as they were", () => {
  for (const [name, digests] of Object.entries(golden)) {
    it(name, () => {
      const found = [
        digest({}, crossEntropy, name),
        digest({}, squares, name),
        digest({ rewrite: rewriteOf({ modifiers: [fakeQuantization()] }) }, crossEntropy, name),
      ];
      expect(found).toEqual(digests);
    });
  }
});
