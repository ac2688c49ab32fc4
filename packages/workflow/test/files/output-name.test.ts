import { resolve } from "node:path";
import { expect, test } from "vitest";
import { defaultOutput, nameBeside, prunedSuffix, type Treatment } from "../../src/files/output-name.js";

test.each<[string, Treatment, string]>([
  ["pos_v1.onnx", { mode: "static", method: "minmax" }, "pos_v1_int8_minmax.onnx"],
  ["pos_v1_fp32.onnx", { mode: "static", method: "percentile" }, "pos_v1_int8_percentile.onnx"],
  ["models/pos", { mode: "dynamic", method: "none" }, "models/pos_int8_dynamic.onnx"],
  ["pos.onnx.gz", { mode: "weight-only", method: "none" }, "pos_int8_weights.onnx"],
  ["pos.onnx.br", { mode: "int4", method: "none" }, "pos_int4.onnx"],
  ["pos.onnx", { mode: "mixed", method: "none" }, "pos_mixed.onnx"],
])("%s, %j becomes %s", (model, treatment, name) => {
  expect(defaultOutput(model, treatment)).toBe(resolve(name));
});

test.each([
  [{ sparsity: 0.3 }, "pruned30"],
  [{ neurons: 0.25 }, "pruned25_structured"],
  [{ sparsity: 0.125 }, "pruned12.5"],
  [{ sparsity: 0.3, structured: true }, "pruned30_structured"],
  [{ heads: 0.2, neurons: 0.3 }, "pruned20-30_structured"],
  [{ layers: [1] }, "pruned_layers"],
  [{ sparsity: 0.5, vocabulary: "text.txt" }, "pruned50_vocabulary"],
])("what is removed is in the name: %j", (pruned, suffix) => {
  expect(prunedSuffix(pruned)).toBe(suffix);
  expect(nameBeside("pos.onnx", prunedSuffix(pruned))).toBe(resolve(`pos_${suffix}.onnx`));
});
