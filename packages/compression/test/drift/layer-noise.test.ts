import type { Tensor } from "@nasty/core";
import {
  copyMessage,
  type GraphProto,
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
  tensorFromProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { collapsedLayer, dynamic, int4, layerNoise, madeFeeds } from "../../src/index.js";
import { tinyBert } from "../pruning/tiny-bert.js";

const original = tinyBert();
const batch = { feeds: madeFeeds(original) ?? {} };

/** Forty products in a row. */
const deep = makeModel(
  makeGraph("deep", {
    nodes: Array.from({ length: 40 }, (_, i) =>
      makeNode("MatMul", [i === 0 ? "x" : `v${i - 1}`, "W"], [`v${i}`]),
    ),
    inputs: [makeValueInfo("x", "float32", [1, 2])],
    outputs: [makeValueInfo("v39", "float32", [1, 2])],
    initializers: [makeTensor("W", "float32", { values: [0, 1, 1, 0], shape: [2, 2] })],
  }),
  { opsets: { "": 17 }, irVersion: 8 },
);

/** The model with the float32 scales of one weight changed. */
function planted(m: ModelProto, scale: string, change: (value: number) => number): ModelProto {
  const graph = m.graph as GraphProto;
  expect(graph.initializer.map(({ name }) => name)).toContain(scale);
  const initializer = graph.initializer.map((proto) => {
    if (proto.name !== scale) return proto;
    const found = tensorFromProto(proto) as Tensor<"float32">;
    return tensorToProto({ ...found, data: found.data.map(change) }, proto.name);
  });
  return copyMessage(m, { graph: copyMessage(graph, { initializer }) });
}

const scalesIn = (m: ModelProto): readonly string[] =>
  (m.graph?.initializer ?? [])
    .filter(({ name, dataType }) => name.endsWith("_scale") && dataType === 1)
    .map(({ name }) => name);

describe("layerNoise", () => {
  it("is 0 between a model and itself, in every layer with weights", async () => {
    const layers = await layerNoise(original, original, batch);
    const weights = layers.flatMap((layer) => layer.weights);
    expect(weights.length).toBeGreaterThan(12);
    expect(new Set(weights).size).toBe(weights.length);
    expect(layers.every(({ noise, noiseBefore }) => noise === 0 && noiseBefore === 0)).toBe(true);
  });

  it("finds each layer whose scales are doubled or halved, and none in a sound file", async () => {
    // Units in the order of the original: the plan alone orders none.
    const eight = (await dynamic.apply(original, await dynamic.plan(original))).model;
    for (const [sound, least] of [
      [eight, 0.05],
      [await int4.quantize(original), 0.2],
    ] as const) {
      const layers = await layerNoise(original, sound, batch);
      expect(collapsedLayer(layers)).toBeUndefined();
      expect(Math.max(...layers.map(({ noise }) => noise))).toBeGreaterThan(0);
      expect(layers.map(({ mostNoise }) => mostNoise)).toContain(least);
      for (const [i, scale] of scalesIn(sound).entries()) {
        const weight = layers.flatMap(({ weights }) => weights).find((name) => scale.startsWith(`${name}_`));
        const factor = i % 2 === 0 ? 2 : 0.5;
        const broken = planted(sound, scale, (value) => factor * value);
        const found = collapsedLayer(await layerNoise(original, broken, batch));
        expect(found?.weights, `${scale} × ${factor}`).toContain(weight);
      }
    }
  });

  it("says of values that are not finite that they are all noise", async () => {
    const eight = (await dynamic.apply(original, await dynamic.plan(original))).model;
    const [, , scale = ""] = scalesIn(eight);
    const layers = await layerNoise(
      original,
      planted(eight, scale, () => Number.NaN),
      batch,
    );
    expect(collapsedLayer(layers)?.noise).toBe(Number.POSITIVE_INFINITY);
  });

  it("looks at a few values a run, through what opens the other model, and ends on its signal", async () => {
    let [opened, most] = [0, 0];
    const open: typeof openSession = async (model, options) => {
      opened += 1;
      most = Math.max(most, (model as ModelProto).graph?.output.length ?? 0);
      return openSession(model, options);
    };
    const layers = await layerNoise(deep, deep, { feeds: madeFeeds(deep) ?? {} }, { open });
    expect(layers.map(({ value }) => value)).toEqual(Array.from({ length: 40 }, (_, i) => `v${i}`));
    expect(opened).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(25);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(layerNoise(original, original, batch, { signal })).rejects.toThrow("enough");
  });
});
