import type { Tensor } from "@nasty/core";
import {
  copyMessage,
  type GraphProto,
  type ModelProto,
  tensorFromProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import {
  madeFeeds,
  measureDrift,
  type PruneOptions,
  pruner,
  pruningReference,
  type PruningPlan,
  referenceOf,
} from "../../src/index.js";
import { tinyBert, type TinyBert, vocabulary } from "../pruning/tiny-bert.js";

/** How alike a model is to what its plan must give. */
async function cosine(original: ModelProto, plan: PruningPlan, pruned: ModelProto): Promise<number> {
  const reference = await referenceOf(pruningReference(original, plan), [
    [{ feeds: madeFeeds(original) ?? {} }],
  ]);
  if (reference === undefined) throw new Error("no reference");
  const [logits] = await measureDrift(reference, pruned);
  expect(logits?.finite).toBe(true);
  return logits?.cosine ?? 0;
}

/** The model with the columns of one weight moved by one: a slice that took the wrong ones. */
function movedColumns(model: ModelProto, name: RegExp): ModelProto {
  const graph = model.graph as GraphProto;
  expect(graph.initializer.filter((proto) => name.test(proto.name))).toHaveLength(1);
  const initializer = graph.initializer.map((proto) => {
    if (!name.test(proto.name)) return proto;
    const found = tensorFromProto(proto) as Tensor<"float32">;
    const width = found.shape.at(-1) ?? 1;
    const data = found.data.map((_, i, all) => {
      const column = i % width;
      return all[i - column + ((column + 1) % width)] as number;
    });
    return tensorToProto({ ...found, data }, proto.name);
  });
  return copyMessage(model, { graph: copyMessage(graph, { initializer }) });
}

const keep = Array.from({ length: vocabulary / 2 }, (_, i) => 2 * i);
const cases: [string, PruneOptions][] = [
  ["elements", { sparsity: 0.4, minimumElements: 1 }],
  ["heads and neurons", { sparsity: 0.5, structured: true }],
  ["vocabulary", { vocabulary: { keep, unknown: 1 } }],
  ["vocabulary and elements", { sparsity: 0.3, vocabulary: { keep, unknown: 1 }, minimumElements: 1 }],
  ["layers", { layers: 1 }],
  [
    "layers, heads and vocabulary",
    { layers: [0], sparsity: 0.5, structured: true, vocabulary: { keep, unknown: 1 } },
  ],
];

describe("pruningReference", () => {
  it.each(cases)("equals what pruning gives: %s", async (_, options) => {
    const model = tinyBert({ layers: 3 });
    const plan = await pruner.plan(model, options);
    const { model: pruned } = await pruner.apply(model, plan);
    expect(await cosine(model, plan, pruned)).toBeGreaterThan(1 - 1e-9);
    // It is not the original: what was taken out shows.
    const [untouched] = await measureDrift(
      (await referenceOf(model, [[{ feeds: madeFeeds(model) ?? {} }]])) as never,
      pruned,
    );
    expect(untouched?.cosine).toBeLessThan(0.9999);
  });

  it.each<TinyBert>([
    { reshape: "computed" },
    { weights: "transposed" },
    { weights: "constant" },
    { activation: "gated", norm: "pre" },
    { headBias: true },
    { normForm: "parts" },
  ])("and so in other forms of the graph: %j", async (form) => {
    const model = tinyBert(form);
    const plan = await pruner.plan(model, { sparsity: 0.5, structured: true });
    expect(await cosine(model, plan, (await pruner.apply(model, plan)).model)).toBeGreaterThan(1 - 1e-9);
  });

  it.each([
    ["value", /layer\.1.*value.*weight/i],
    ["key", /layer\.0.*key.*weight/i],
    ["up", /layer\.0.*up.*weight/i],
  ])("is unlike a file whose %s weight took the wrong slice", async (_, name) => {
    const model = tinyBert();
    const plan = await pruner.plan(model, { sparsity: 0.5, structured: true });
    const wrong = movedColumns((await pruner.apply(model, plan)).model, name);
    expect(await cosine(model, plan, wrong)).toBeLessThan(0.9999);
  });

  it("is unlike a file that lost other heads, rows or elements than planned", async () => {
    const model = tinyBert();
    const plan = await pruner.plan(model, { sparsity: 0.5, structured: true });
    const others = plan.heads.map((head) => ({
      ...head,
      remove: head.remove.map((h) => (h + 1) % head.heads),
    }));
    expect(
      await cosine(model, plan, (await pruner.apply(model, { ...plan, heads: others })).model),
    ).toBeLessThan(0.9999);
    const rows = await pruner.plan(model, { vocabulary: { keep, unknown: 1 } });
    const shifted = { ...rows, vocabulary: rows.vocabulary && { ...rows.vocabulary, unknown: keep[3] ?? 0 } };
    expect(await cosine(model, rows, (await pruner.apply(model, shifted)).model)).toBeLessThan(0.9999);
    const zeros = await pruner.plan(model, { sparsity: 0.4, minimumElements: 1 });
    const fewer = zeros.tensors.map((tensor, i) => (i === 1 ? { ...tensor, zeros: 0 } : tensor));
    expect(
      await cosine(model, zeros, (await pruner.apply(model, { ...zeros, tensors: fewer })).model),
    ).toBeLessThan(0.9999);
  });
});
