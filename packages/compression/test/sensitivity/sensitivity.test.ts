import { describe, expect, it } from "vitest";
import { dynamic, int4, keepInFloat, layerGroups, sensitivity } from "../../src/index.js";
import { batches, layers, outlierModel } from "../outlier-model.js";
import { agreementDb, linear, matrix, model, node, run } from "../tiny-models.js";

describe("layerGroups", () => {
  it("keeps an LSTM's two weights together, and other layers apart", async () => {
    const m = model({
      nodes: [
        node("Transpose", ["x"], ["t"], { attributes: { perm: [1n, 0n, 2n] } }),
        node("LSTM", ["t", "W", "R"], ["", "h"], { name: "lstm", attributes: { hidden_size: 16n } }),
        node("Squeeze", ["h"], ["s"]),
        node("MatMul", ["s", "V"], ["y"], { name: "out" }),
      ],
      initializers: [matrix("W", [1, 64, 16]), matrix("R", [1, 64, 16], 2), matrix("V", [16, 16], 3)],
    });
    const plan = await dynamic.plan(m);
    expect(layerGroups(plan).map(({ name, tensors }) => [name, tensors.length])).toEqual([
      ["W", 2],
      ["V", 1],
    ]);
    const kept = keepInFloat(plan, ["W"], "because");
    expect(kept.tensors.map(({ name }) => name)).toEqual(["V"]);
    expect(kept.keptInFloat).toContainEqual({ name: "lstm", op: "LSTM", reason: "because" });
    expect(plan.tensors).toHaveLength(3);
    const both = keepInFloat(kept, ["V"], "it too");
    expect(both.tensors).toEqual([]);
    expect(both.keptInFloat).toEqual([...kept.keptInFloat, { name: "out", op: "MatMul", reason: "it too" }]);
  });
});

describe("sensitivity", () => {
  const m = outlierModel();

  it("names the layer with outlier channels first, by a wide margin", async () => {
    const seen: number[] = [];
    const rows = await sensitivity(m, await dynamic.plan(m), {
      batches: batches(),
      onGroup: (done, total) => seen.push(done / total),
    });
    expect(rows).toHaveLength(layers);
    expect(rows[0]).toMatchObject({
      name: "W3",
      tensors: ["W3"],
      nodes: ["dense3"],
      op: "MatMul",
      elements: 256,
    });
    expect(rows[1]?.outputSqnrDb).toBeGreaterThan((rows[0]?.outputSqnrDb ?? 0) + 10);
    expect(seen.at(-1)).toBe(1);
  });

  it("measures the very model that quantizes one layer only", async () => {
    const plan = await dynamic.plan(m);
    const [worst] = await sensitivity(m, plan, { batches: batches(5, 1) });
    const others = layerGroups(plan)
      .map(({ name }) => name)
      .filter((name) => name !== "W3");
    const alone = (await dynamic.apply(m, keepInFloat(plan, others, "test"))).model;
    expect(worst?.outputSqnrDb).toBeCloseTo(await agreementDb(m, alone, batches(5, 1)[0]!.feeds), 6);
  });

  it("ranks by the loss of the task's metric where it is given", async () => {
    // A metric that only the first layer's rounding moves.
    const evaluate = async (candidate: typeof m): Promise<number> =>
      candidate.graph?.initializer.some(({ name }) => name === "W0") === true ? 1 : 0.5;
    const rows = await sensitivity(m, await dynamic.plan(m), { batches: batches(), evaluate });
    expect(rows[0]).toMatchObject({ name: "W0", loss: 0.5 });
    expect(rows[1]).toMatchObject({ name: "W3", loss: 0 });
  });

  it("measures the metric of the noisiest first, and of no more when the time is up", async () => {
    const plan = await dynamic.plan(m);
    const options = { batches: batches(), evaluate: async () => 1 };
    const none = await sensitivity(m, plan, { ...options, timeBudget: 0 });
    expect(none[0]).toMatchObject({ name: "W3" });
    expect(none.map(({ loss }) => loss)).toEqual(Array(layers).fill(undefined));
    const order: number[] = [];
    const all = await sensitivity(m, plan, {
      ...options,
      onGroup: (done, total) => order.push(done / total),
    });
    expect(all.map(({ loss }) => loss)).toEqual(Array(layers).fill(0));
    expect(all.map(({ name }) => name)).toEqual(none.map(({ name }) => name));
    expect(order).toHaveLength(2 * layers);
    expect(order.at(-1)).toBe(1);
  });

  it("works for other modes, and refuses to work without data", async () => {
    const rows = await sensitivity(linear(), await int4.plan(linear()), {
      batches: [{ feeds: { x: await sample() } }],
    });
    expect(rows[0]?.sqnrDb).toBeGreaterThan(10);
    await expect(sensitivity(m, await dynamic.plan(m), { batches: [] })).rejects.toMatchObject({
      code: "no-calibration-data",
    });
  });
});

async function sample() {
  const x = batches()[0]!.feeds.x;
  await run(linear(), { x });
  return x;
}
