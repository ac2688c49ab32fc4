import { createHash } from "node:crypto";
import { type ModelProto, serializeModel } from "@nasty/formats/onnx";
import { expect, test } from "vitest";
import { buildNeuralModel } from "../../src/neural/graph/build-neural-model.js";
import { tinyBilstm, tinyCnn, tinyFeatures } from "./tiny-neural.js";

const hash = (model: ModelProto): string =>
  createHash("sha256").update(serializeModel(model)).digest("hex").slice(0, 16);

// Recorded from the first version: the same options and seed give the same bytes, whatever writes the nodes.
test("graphs keep their bytes", () => {
  const neural = { features: tinyFeatures, labels: 3, auxiliary: { features: 4 }, seed: 5 };
  expect(hash(buildNeuralModel({ ...neural, architecture: tinyBilstm, chain: true }))).toBe(
    "e962bc6287072b13",
  );
  expect(hash(buildNeuralModel({ ...neural, architecture: tinyCnn }))).toBe("218c0e5a3b591c74");
});
