import { makeGraph, makeModel, makeTensor } from "@nasty/formats/onnx";
import { expect, test } from "vitest";
import { type Passes, trainerOf } from "../../src/index.js";

test("passes get the same places for gradients at every step, and what they write there is trained on", async () => {
  const initial = (name: string) => makeTensor(name, "float32", { shape: [2], values: [1, 1] });
  const initializers = [initial("placed"), initial("other")];
  const model = makeModel(makeGraph("two", { nodes: [], inputs: [], outputs: [], initializers }));
  const seen: ReadonlyMap<string, Float32Array>[] = [];
  const passes: Passes = {
    async pass(_feeds, _step, places) {
      seen.push(new Map(places));
      places.get("placed")?.set([1, 2]);
      const gradient = (dense: Float32Array) => ({ dense, rows: [] });
      return {
        loss: 1,
        losses: {},
        outputs: {},
        gradients: new Map([
          ["placed", gradient(places.get("placed") as Float32Array)],
          ["other", gradient(Float32Array.of(3, 4))],
        ]),
      };
    },
    loss: async () => 1,
    close: async () => undefined,
  };
  const trainer = trainerOf({
    model,
    weights: initializers.map((proto) => ({ name: proto.name, shape: [2], initial: proto })),
    options: {
      loss: { kind: "mse", prediction: "y", target: "t" },
      optimizer: { kind: "sgd", learningRate: 0.25 },
    },
    passes,
    placed: new Set(["placed"]),
  });
  const weights = trainer.state().weights;
  await trainer.step({});
  await trainer.step({});
  expect([...(seen[0]?.keys() ?? [])]).toEqual(["placed"]);
  expect(seen[1]?.get("placed")).toBe(seen[0]?.get("placed"));
  // One memory for weights and gradients: the optimizer need not copy.
  expect(seen[0]?.get("placed")?.buffer).toBe(weights["placed"]?.buffer);
  expect(Object.values(weights).map((values) => [...values])).toEqual([
    [0.5, 0],
    [-0.5, -1],
  ]);
});
