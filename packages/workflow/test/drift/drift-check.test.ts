import { join } from "node:path";
import type { Tensor } from "@nasty/core";
import { pruner, pruningReference } from "@nasty/compression";
import {
  copyMessage,
  type GraphProto,
  type ModelProto,
  tensorFromProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkDrift, type DriftJob, leastCosine } from "../../src/drift/drift-check.js";
import { driftLine } from "../../src/report/drift-text.js";
import { driftSample } from "../../src/drift/drift-sample.js";
import { GateError } from "../../src/errors.js";
import { loadModel } from "../../src/models/load-model.js";
// @boundaries-ignore the folder with models and texts is that of the command's tests
import { openWorkshop, type Workshop } from "../../../../apps/cli/test/workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

/** The model with the encoder's columns moved by one. */
function corrupted(model: ModelProto): ModelProto {
  const graph = model.graph as GraphProto;
  const matrices = graph.initializer.filter(({ name }) => name.includes("encoder"));
  expect(matrices.length).toBeGreaterThan(0);
  const initializer = graph.initializer.map((proto) => {
    if (!matrices.includes(proto)) return proto;
    const found = tensorFromProto(proto) as Tensor<"float32">;
    return tensorToProto(
      { ...found, data: found.data.map((_, i, all) => all[(i + 1) % all.length] as number) },
      proto.name,
    );
  });
  return copyMessage(model, { graph: copyMessage(graph, { initializer }) });
}

test("eight bits may depart by a tenth, four by a fifth, floats by the order of their sums", () => {
  expect(leastCosine).toEqual({ exact: 0.9999, float: 0.999, int8: 0.9, int4: 0.8 });
});

test("a corrupted file of a pruned model is refused with the node at which values depart", async () => {
  const loaded = await loadModel(shop.path("pos"));
  const plan = await pruner.plan(loaded.model, { sparsity: 0.2, minimumElements: 1 });
  const { model } = await pruner.apply(loaded.model, plan);
  const job: DriftJob = {
    operation: "prune",
    path: "pos",
    original: pruningReference(loaded.model, plan),
    sample: await driftSample(loaded, [["The", "cat"], ["Ada"]]),
    minCosine: leastCosine.exact,
    threads: 1,
    advice: (departure) => `look at ${departure?.node}`,
  };
  const file = join(shop.folder, "pruned.onnx");
  await writeModelFile(file, model);
  const found = await checkDrift(job, file);
  expect(found).toMatchObject({ inputs: "text", outputs: [{ name: "logits", finite: true }] });
  expect(driftLine(found)).toBe(
    "  outputs like the original's: cosine 1.0000 or more on sentences of the text",
  );
  await writeModelFile(file, corrupted(model));
  // Where a gate has judged the labels, it is measured and not refused.
  const measured = await checkDrift({ ...job, isJudged: true }, file);
  expect(measured.outputs[0]?.cosine).toBeLessThan(leastCosine.exact);
  const refused = checkDrift(job, file);
  await expect(refused).rejects.toThrow(GateError);
  await expect(refused).rejects.toThrow(
    /^prune: pos: output logits: .* expected 0\.9999 or more, got -?0\.\d+; values first depart at MatMul (\S*encoder\S*) \(-?0\.\d+\): look at \1; nothing was written$/,
  );
});
