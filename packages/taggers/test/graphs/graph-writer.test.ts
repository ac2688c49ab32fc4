import { createHash } from "node:crypto";
import type { Tensor } from "@nasty/core";
import { type ModelProto, serializeModel } from "@nasty/formats/onnx";
import { expect, test } from "vitest";
import { buildEncoder } from "../../src/encoders/build-encoder.js";
import { modelTypes, tinyCheckpoint } from "../encoders/tiny-checkpoint.js";

const hash = (model: ModelProto): string =>
  createHash("sha256").update(serializeModel(model)).digest("hex").slice(0, 16);

// Recorded from the first version: the same options give the same bytes, whatever writes the nodes.
test("graphs keep their bytes", () => {
  const encoders = modelTypes.map((modelType) => {
    const { config, tensors } = tinyCheckpoint(modelType);
    // Values of another kind of machine could differ in the last bit: only the form counts.
    const even = new Map<string, Tensor>(
      [...tensors].map(([name, { shape }]) => {
        const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5);
        return [name, { dtype: "float32", shape, data }];
      }),
    );
    return hash(buildEncoder(config, even, { dropout: true, prefixed: true }));
  });
  expect(encoders).toEqual(["b7c870c05bea3f74", "83e1872c6e009946", "691c43907c1a2055", "c34ffab3af52a2e6"]);
});
