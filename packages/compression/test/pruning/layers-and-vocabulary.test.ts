import { maxAbsoluteError, type Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { describe, expect, it } from "vitest";
import { pruner } from "../../src/index.js";
import { int64, run } from "../tiny-models.js";
import { hidden, type TinyBert, tinyBert, tinyFeeds, vocabulary } from "./tiny-bert.js";

async function logits(model: ModelProto, feeds = tinyFeeds()): Promise<Float32Array> {
  return (await run(model, feeds)).logits?.data as Float32Array;
}

describe("layer dropping", () => {
  const forms: [string, TinyBert][] = [
    ["normalised after", {}],
    ["normalised first", { norm: "pre" }],
    ["normalised in parts", { normForm: "parts", reshape: "computed" }],
  ];

  it.each(forms)("from the end equals the model that was built with fewer: %s", async (_, form) => {
    const shallow = tinyBert({ ...form, layers: 2 });
    const deep = ModelGraph.from(tinyBert({ ...form, layers: 3 }));
    // Weights are seeded in order: only the classifier comes after the layer that goes.
    for (const name of ["classifier.weight", "classifier.bias"]) {
      const value = ModelGraph.from(shallow).main.constant(name) as Tensor;
      deep.main.setInitializer(name, value);
    }
    const model = deep.toModel();
    const plan = await pruner.plan(model, { layers: 1 });
    expect(plan.layers.map(({ layer }) => layer)).toEqual([2]);
    const { model: pruned, report } = await pruner.apply(model, plan);
    expect(maxAbsoluteError(await logits(shallow), await logits(pruned))).toBeLessThan(1e-5);
    expect(report.layers).toEqual([2]);
    expect(pruned.graph?.initializer.some(({ name }) => name.startsWith("layer.2"))).toBe(false);
  });

  it("drops any layers, also together with heads of the others", async () => {
    const model = tinyBert({ layers: 4 });
    const { model: pruned, report } = await pruner.apply(
      model,
      await pruner.plan(model, { layers: [1, 2], sparsity: 0.25, structured: true }),
    );
    expect(report.layers).toEqual([1, 2]);
    expect(report.heads).toHaveLength(2);
    expect((await logits(pruned)).every(Number.isFinite)).toBe(true);
    const names = new Set(pruned.graph?.initializer.map(({ name }) => name.split("/")[0]));
    expect([...names].filter((name) => name?.startsWith("layer."))).toEqual(["layer.0", "layer.3"]);
  });

  it("refuses layers that are not there, and all of them", async () => {
    await expect(pruner.plan(tinyBert(), { layers: [2] })).rejects.toMatchObject({
      code: "invalid-option",
      message: "pruner.plan: layers: expected at most 1 of the layers 0 to 1, got [2]",
    });
    await expect(pruner.plan(tinyBert(), { layers: 2 })).rejects.toMatchObject({ code: "invalid-option" });
  });
});

describe("vocabulary pruning", () => {
  const used = [...new Set([3, 1, 4, 15, 9, 26, 5, 35, 8, 7, 0])];

  it("keeps results for kept ids, and gives dropped ids the unknown word's row", async () => {
    const model = tinyBert();
    const { model: pruned, report } = await pruner.apply(
      model,
      await pruner.plan(model, { vocabulary: { keep: used, unknown: 2 } }),
    );
    expect(report.vocabulary).toMatchObject({ table: "embeddings", before: 40, after: 12, remap: "graph" });
    expect(pruned.graph?.initializer.find(({ name }) => name === "embeddings")?.dims.map(Number)).toEqual([
      12,
      hidden,
    ]);
    expect(await logits(pruned)).toEqual(await logits(model));
    const feeds = tinyFeeds();
    const ids = [39, 1, 4, 15, 9, 26, 5, 35, 8, 9, 7, 0];
    const unknown = ids.with(0, 2);
    expect(await logits(pruned, { ...feeds, input_ids: int64(ids, [2, 6]) })).toEqual(
      await logits(model, { ...feeds, input_ids: int64(unknown, [2, 6]) }),
    );
  });

  it("leaves the mapping to the tokenizer where asked", async () => {
    const model = tinyBert();
    const plan = await pruner.plan(model, {
      vocabulary: { keep: used.map(BigInt), unknown: 2, input: "input_ids", remap: "tokenizer" },
    });
    const { model: pruned, report } = await pruner.apply(model, plan);
    const newIds = report.vocabulary?.newIds ?? [];
    expect(newIds).toHaveLength(vocabulary);
    expect(newIds[39]).toBe(newIds[2]);
    const feeds = tinyFeeds();
    const old = Array.from((feeds as { input_ids: Tensor<"int64"> }).input_ids.data, Number);
    const mapped = int64(
      old.map((id) => newIds[id] ?? 0),
      [2, 6],
    );
    expect(await logits(pruned, { ...feeds, input_ids: mapped })).toEqual(await logits(model));
  });

  it("goes together with unstructured pruning", async () => {
    const model = tinyBert();
    const { report } = await pruner.apply(
      model,
      await pruner.plan(model, { sparsity: 0.5, vocabulary: { keep: used, unknown: 2 } }),
    );
    expect(report.tensors.find(({ name }) => name === "embeddings")?.elements).toBe(12 * hidden);
  });

  it("refuses ids outside the table, unknown inputs and tied tables", async () => {
    await expect(pruner.plan(tinyBert(), { vocabulary: { keep: [40], unknown: 2 } })).rejects.toMatchObject({
      code: "invalid-option",
      message: "pruner.plan: vocabulary: keep: expected ids from 0 to 39, got 40",
    });
    await expect(
      pruner.plan(tinyBert(), { vocabulary: { keep: [1], unknown: 2, input: "words" } }),
    ).rejects.toMatchObject({
      message:
        "pruner.plan: vocabulary: input: expected one that looks up an embedding table (input_ids), got words",
    });
    await expect(
      pruner.plan(tinyBert({ tied: true }), { vocabulary: { keep: [1], unknown: 2 } }),
    ).rejects.toMatchObject({ code: "unsupported" });
  });
});
