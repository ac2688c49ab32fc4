import { maxAbsoluteError } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { inferShapes, ModelGraph } from "@nasty/graph";
import { describe, expect, it } from "vitest";
import { dynamic, historyOf, pruner, type PruningPlan } from "../../src/index.js";
import { linear, run } from "../tiny-models.js";
import { maskedOriginal } from "./masked-original.js";
import { hidden, type TinyBert, tinyBatches, tinyBert, tinyFeeds } from "./tiny-bert.js";

async function logits(model: ModelProto): Promise<Float32Array> {
  return (await run(model, tinyFeeds())).logits?.data as Float32Array;
}

/** Removes units by hand, so that what is tested does not depend on what is important. */
function chosen(
  plan: PruningPlan,
  heads: readonly (readonly number[])[],
  neurons: readonly number[],
): PruningPlan {
  return {
    ...plan,
    heads: plan.heads.map((one, index) => ({ ...one, remove: heads[index % heads.length] ?? [] })),
    neurons: plan.neurons.map((one, index) => ({ ...one, remove: index === 0 ? neurons : [] })),
  };
}

const elements = (model: ModelProto): number =>
  model.graph?.initializer.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * Number(b), 1), 0) ?? 0;

const forms: [name: string, form: TinyBert][] = [
  ["constant reshapes", {}],
  ["reshapes computed from shapes, heads written down", { reshape: "computed" }],
  ["reshapes computed from shapes, heads inferred", { reshape: "inferred" }],
  ["normalisation first", { norm: "pre" }],
  ["LayerNormalization in parts", { normForm: "parts" }],
  ["Relu", { activation: "relu" }],
  ["a gated activation", { activation: "gated" }],
  ["weights in Constant nodes", { weights: "constant" }],
  ["transposed weights", { weights: "transposed" }],
  ["a bias by head", { headBias: true }],
  ["one head a layer", { heads: 1 }],
  ["keys transposed by way of three dimensions", { attention: "decomposed", reshape: "inferred" }],
  [
    "keys transposed so, heads written down",
    { attention: "decomposed", reshape: "computed", anonymous: true },
  ],
  ["batches joined with heads", { attention: "batched" }],
  ["batches joined with heads, sizes computed", { attention: "batched", reshape: "computed" }],
  ["Gemm of rows", { linearForm: "gemm", reshape: "inferred" }],
  ["Gemm of rows, gated, sizes computed", { linearForm: "gemm", reshape: "computed", activation: "gated" }],
  ["a dynamic export", { attention: "decomposed", linearForm: "gemm", reshape: "inferred", anonymous: true }],
];

describe("structured pruning", () => {
  it.each(forms)("equals the original with the same units zeroed: %s", async (_, form) => {
    const model = tinyBert(form);
    const before = structuredClone(elements(model));
    const plan = await pruner.plan(model, { sparsity: 0.3, structured: true });
    expect(plan.heads.map(({ heads, width }) => heads * width)).toEqual([hidden, hidden]);
    expect(plan.neurons.map(({ neurons }) => neurons)).toEqual([24, 24]);
    expect(plan.notPruned).toEqual([]);
    const heads = form.heads === 1 ? [[]] : [[0, 2], [3]];
    const wanted = chosen(plan, heads, [0, 5, 6, 23]);
    const { model: pruned, report } = await pruner.apply(model, wanted);
    const isTransposed = form.weights === "transposed";
    const expected = await logits(maskedOriginal(model, wanted, isTransposed));
    const original = await logits(model);
    const got = await logits(pruned);
    expect(maxAbsoluteError(expected, got)).toBeLessThan(1e-4);
    expect(maxAbsoluteError(original, got)).toBeGreaterThan(1e-2);
    expect(report.neurons.map(({ after }) => after)).toEqual([20, 24]);
    expect(report.heads.map(({ after }) => after)).toEqual(form.heads === 1 ? [1, 1] : [2, 3]);
    expect(report.parameters.after).toBeLessThan(report.parameters.before);
    expect(elements(model)).toBe(before);
  });

  it("removes the same from every way to write an encoder", async () => {
    const pruned = async (form: TinyBert) => {
      const model = tinyBert(form);
      const plan = await pruner.plan(model, { sparsity: 0.3, structured: true });
      const removed = [...plan.heads, ...plan.neurons].map(({ remove }) => remove);
      return { removed, logits: await logits((await pruner.apply(model, plan)).model) };
    };
    const classic = await pruned({});
    expect(classic.removed.flat().length).toBeGreaterThan(2);
    for (const [name, form] of forms.filter(([, { attention, linearForm }]) => attention ?? linearForm)) {
      if (form.activation === "gated") continue;
      const other = await pruned(form);
      expect(other.removed, name).toEqual(classic.removed);
      expect(maxAbsoluteError(classic.logits, other.logits), name).toBeLessThan(1e-4);
    }
  });

  it("really makes weights and shapes smaller", async () => {
    const model = tinyBert({ reshape: "computed" });
    const plan = chosen(await pruner.plan(model, { sparsity: 0.3, structured: true }), [[1, 2, 3]], [1, 2]);
    const { model: pruned } = await pruner.apply(model, plan);
    const shapes = Object.fromEntries(
      (pruned.graph?.initializer ?? []).map(({ name, dims }) => [name, dims.map(Number)]),
    );
    expect(shapes["layer.0/query.weight"]).toEqual([16, 4]);
    expect(shapes["layer.0/query.bias"]).toEqual([4]);
    expect(shapes["layer.0/attention_output.weight"]).toEqual([4, 16]);
    expect(shapes["layer.0/attention_output.bias"]).toEqual([16]);
    expect(shapes["layer.0/up.weight"]).toEqual([16, 22]);
    expect(shapes["layer.0/up.bias"]).toEqual([22]);
    expect(shapes["layer.0/down.weight"]).toEqual([22, 16]);
    expect(shapes["layer.1/up.weight"]).toEqual([16, 24]);
    const graph = ModelGraph.from(pruned);
    const types = inferShapes(graph);
    expect(types.typeOf(graph.main, "layer.0/Softmax_out")?.shape?.[1]).toBe(1);
  });

  it("takes the same share of every layer with scope layer, another in each with scope global", async () => {
    const model = tinyBert({ layers: 3 });
    const layer = await pruner.plan(model, { sparsity: 0.25, structured: true, scope: "layer" });
    expect(layer.heads.map(({ remove }) => remove.length)).toEqual([1, 1, 1]);
    expect(layer.neurons.map(({ remove }) => remove.length)).toEqual([6, 6, 6]);
    const opened = ModelGraph.from(model);
    for (const name of ["layer.1/up.weight", "layer.1/down.weight"]) {
      const value = opened.main.constant(name);
      const data = Float32Array.from(value?.data as Float32Array, (w) => w / 10);
      opened.main.setInitializer(name, { dtype: "float32", shape: value?.shape ?? [], data });
    }
    const global = await pruner.plan(opened.toModel(), { sparsity: 0.5, structured: { heads: 0 } });
    const counts = global.neurons.map(({ remove }) => remove.length);
    expect(counts.reduce((a, b) => a + b)).toBe(36);
    // The weak layer keeps one neuron.
    expect(counts[1]).toBe(23);
    expect(global.heads.flatMap(({ remove }) => remove)).toEqual([]);
  });

  it("keeps a head and a neuron everywhere, however much is to go", async () => {
    const model = tinyBert();
    const { model: pruned, report } = await pruner.apply(
      model,
      await pruner.plan(model, { sparsity: 0.99, structured: true }),
    );
    expect(report.heads.every(({ after }) => after >= 1)).toBe(true);
    expect(report.neurons.every(({ after }) => after >= 1)).toBe(true);
    expect((await logits(pruned)).every(Number.isFinite)).toBe(true);
  });

  it("removes what the data does without", async () => {
    // Neurons 2 and 7 are never active: their bias is far below zero. By magnitude they would be the most important.
    const opened = ModelGraph.from(tinyBert({ activation: "relu" }));
    const bias = Float32Array.from(opened.main.constant("layer.0/up.bias")?.data as Float32Array);
    bias[2] = -1000;
    bias[7] = -1000;
    const up = Float32Array.from(opened.main.constant("layer.0/up.weight")?.data as Float32Array, (w, i) =>
      i % 24 === 2 || i % 24 === 7 ? 10 * w : w,
    );
    opened.main.setInitializer("layer.0/up.bias", { dtype: "float32", shape: [24], data: bias });
    opened.main.setInitializer("layer.0/up.weight", { dtype: "float32", shape: [16, 24], data: up });
    const model = opened.toModel();
    const options = { sparsity: 2 / 24, structured: { heads: 0 }, scope: "layer" } as const;
    const loss = { kind: "cross-entropy", logits: "logits", labels: "labels" } as const;
    const measured = await pruner.plan(model, { ...options, data: { loss, batches: tinyBatches() } });
    expect(measured.importance).toBe("first-order");
    expect(measured.neurons[0]?.remove).toEqual([2, 7]);
    expect(measured.neurons[0]?.lostImportance).toBe(0);
    const blind = await pruner.plan(model, options);
    expect(blind.importance).toBe("magnitude");
    expect(blind.neurons[0]?.remove).not.toEqual([2, 7]);
    expect(blind.warnings.join()).toContain("give data");
  });

  it("measures the change of the loss to first order", async () => {
    const model = tinyBert({ layers: 1 });
    const loss = { kind: "cross-entropy", logits: "logits", labels: "labels" } as const;
    const [batch] = tinyBatches(1);
    const plan = await pruner.plan(model, {
      sparsity: 0.25,
      structured: true,
      data: { loss, batches: [batch ?? {}] },
    });
    // Scaling a head by 1 − ε changes the loss by −ε·Σ a·∂L/∂a: compare with a central difference.
    const lossAt = async (factor: number): Promise<number> => {
      const opened = ModelGraph.from(model);
      const name = "layer.0/attention_output.weight";
      const data = Float32Array.from(opened.main.constant(name)?.data as Float32Array, (w, i) =>
        Math.floor(i / hidden / 4) === 1 ? w * factor : w,
      );
      opened.main.setInitializer(name, { dtype: "float32", shape: [hidden, hidden], data });
      const { input_ids, attention_mask, labels } = batch as Record<string, never>;
      const out = await run(opened.toModel(), { input_ids, attention_mask } as never);
      const values = out.logits?.data as Float32Array;
      const gold = (labels as unknown as { data: BigInt64Array }).data;
      let sum = 0;
      for (const [row, label] of gold.entries()) {
        const scores = Array.from(values.subarray(row * 5, row * 5 + 5));
        const most = Math.max(...scores);
        const total = scores.reduce((a, b) => a + Math.exp(b - most), 0);
        sum += Math.log(total) + most - (scores[Number(label)] as number);
      }
      return sum / gold.length;
    };
    const slope = ((await lossAt(1.01)) - (await lossAt(0.99))) / 0.02;
    expect(plan.heads[0]?.importance[1]).toBeCloseTo(Math.abs(slope), 3);
  });

  it("measures importance on Constant and transposed weights as on initializers", async () => {
    const loss = { kind: "cross-entropy", logits: "logits", labels: "labels" } as const;
    for (const weights of ["constant", "transposed"] as const) {
      const model = tinyBert({ weights });
      const plan = await pruner.plan(model, {
        sparsity: 0.25,
        structured: true,
        data: { loss, batches: tinyBatches(2) },
      });
      expect(plan.heads.every(({ importance }) => importance.every((x) => x > 0))).toBe(true);
    }
  });

  it("leaves skipped layers, and what it cannot prune, as they are and says why", async () => {
    const plan = await pruner.plan(tinyBert(), {
      sparsity: 0.5,
      structured: true,
      skipLayers: ["layer.0/**"],
    });
    expect(plan.heads.map(({ node }) => node)).toEqual(["layer.1/attention_output/MatMul"]);
    expect(plan.neurons.map(({ node }) => node)).toEqual(["layer.1/down/MatMul"]);
    expect(plan.notPruned.map(({ reason }) => reason)).toEqual([
      "skipped by pattern layer.0/**",
      "skipped by pattern layer.0/**",
    ]);
    const leaking = await pruner.plan(tinyBert({ leak: true }), { sparsity: 0.5, structured: true });
    expect(leaking.heads).toHaveLength(1);
    expect(leaking.notPruned).toEqual([
      {
        name: "layer.0/Softmax",
        op: "attention",
        reason: "the heads have no single projection",
      },
    ]);
  });

  it("writes the step down and is quantized afterwards", async () => {
    const pruned = await pruner.prune(tinyBert(), {
      sparsity: 0.3,
      structured: true,
      provenance: { inputSha256: "ab" },
    });
    expect(historyOf(pruned)).toEqual([
      {
        step: "prune",
        options: {
          importance: "magnitude",
          structured: { heads: 0.3, neurons: 0.3 },
          scope: "global",
          skipLayers: [],
        },
        inputSha256: "ab",
      },
    ]);
    const quantized = await dynamic.quantize(pruned);
    expect((await logits(quantized)).every(Number.isFinite)).toBe(true);
  });

  it("gives the same bytes for the same work, and a plan that survives JSON", async () => {
    const model = tinyBert();
    const plan = await pruner.plan(model, { sparsity: 0.3, structured: true });
    const again = JSON.parse(JSON.stringify(plan)) as PruningPlan;
    expect((await pruner.apply(model, again)).model).toEqual((await pruner.apply(model, plan)).model);
  });

  it("refuses models without layers, quantized ones, and plans of another model", async () => {
    await expect(pruner.plan(linear(), { sparsity: 0.3, structured: true })).rejects.toMatchObject({
      code: "unsupported",
      message:
        "pruner.plan: model: layers: expected attention or feed-forward layers, got none that can be pruned",
    });
    await expect(
      pruner.plan(await dynamic.quantize(tinyBert(), { minimumElements: 1 }), {
        sparsity: 0.3,
        structured: true,
      }),
    ).rejects.toMatchObject({ code: "already-quantized" });
    const plan = await pruner.plan(tinyBert(), { sparsity: 0.3, structured: true });
    await expect(pruner.apply(tinyBert({ heads: 2 }), plan)).rejects.toThrowError(
      expect.objectContaining({
        code: "plan-mismatch",
        message:
          "pruner.apply: node layer.0/attention_output/MatMul: expected 4 heads of 4 values, got 2 of 8",
      }),
    );
    await expect(pruner.apply(tinyBert({ inner: 20 }), plan)).rejects.toThrowError(
      expect.objectContaining({ code: "plan-mismatch" }),
    );
    await expect(pruner.apply(tinyBert(), chosen(plan, [[0, 1, 2, 3]], []))).rejects.toThrowError(
      "pruner.apply: node layer.0/attention_output/MatMul: expected fewer than 4 units from 0 to 3, got [0, 1, 2, 3]",
    );
    await expect(
      pruner.plan(tinyBert(), {
        sparsity: 0.3,
        structured: true,
        data: { loss: { kind: "cross-entropy", logits: "logits", labels: "labels" }, batches: [] },
      }),
    ).rejects.toMatchObject({ code: "no-calibration-data" });
  });
});
