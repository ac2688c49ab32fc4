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
    "0bbd8f968112c326",
    "6d3b7dbe91ba8c02",
    "aca4363b74d12a06",
  ],
  "a character convolution with maximum over time": [
    "ab49f02a6ad64547",
    "20bff75c41adc7cf",
    "ab49f02a6ad64547",
  ],
  "two layers of bidirectional LSTM over sequences of several lengths": [
    "1a0f135e1907f5d3",
    "8920820bd2cf1100",
    "b926d704a462ed21",
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
