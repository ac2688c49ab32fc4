import type { Tensor } from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { describe, expect, test } from "vitest";
import { type Modifier, onnxEngine, type Trainer, trainLoop } from "../../src/index.js";
import { parseCheckpoint } from "../../src/loop/checkpoint.js";

/** y = x·W, x [2, 2], W [2, 2]. */
const linear = makeModel(
  makeGraph("linear", {
    nodes: [makeNode("MatMul", ["x", "W"], ["y"])],
    inputs: [makeValueInfo("x", "float32", ["n", 2])],
    outputs: [makeValueInfo("y", "float32", ["n", 2])],
    initializers: [makeTensor("W", "float32", { shape: [2, 2], values: [1, 2, 3, 4] })],
  }),
);
const batch = {
  x: { dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 1) },
  target: { dtype: "float32", shape: [1, 2], data: Float32Array.of(0, 0) },
} as const;

const load = (modifiers: readonly Modifier[]): Promise<Trainer> =>
  onnxEngine.load(linear, {
    loss: { kind: "mse", prediction: "y", target: "target" },
    optimizer: { kind: "sgd", learningRate: 0.1 },
    modifiers,
  });

/** Scales y by an input that doubles each step, and keeps the first element of W at 0. */
function doubling(): Modifier & { readonly seen: number[][] } {
  let factor = Float32Array.of(1);
  const seen: number[][] = [];
  return {
    name: "doubling",
    seen,
    rewrite(model) {
      const graph = model.main;
      graph.addInput(makeValueInfo("factor", "float32", [1]));
      const product = graph.producer("y");
      if (product === undefined) throw new Error("no product");
      graph.setOutput(product, 0, "plain");
      graph.addNode({ opType: "Mul", inputs: ["plain", "factor"], outputs: ["y"] });
    },
    watched: () => ["plain"],
    feeds: () => ({ factor: { dtype: "float32", shape: [1], data: factor } }),
    afterStep({ outputs, weights }) {
      seen.push(Array.from((outputs["plain"] as Tensor<"float32">).data));
      (weights.get("W") as Float32Array)[0] = 0;
      factor = factor.map((value) => value * 2);
    },
    state: () => ({ factor }),
    restore: ({ factor: saved }) => {
      factor = Float32Array.from(saved as Float32Array);
    },
  };
}

describe("modifiers", () => {
  test("rewrite, watch, feed and change weights", async () => {
    const modifier = doubling();
    const trainer = await load([modifier]);
    // y = [4, 6]: mean of squares 26
    const first = await trainer.step(batch);
    expect(first.loss).toBe(26);
    expect(modifier.seen).toEqual([[4, 6]]);
    expect(trainer.readWeights().get("W")?.[0]).toBe(0);
    // W is now [0, 1.4; 2.6, 3.4], and y doubled: [5.2, 9.6]
    expect((await trainer.step(batch)).loss).toBeCloseTo((5.2 ** 2 + 9.6 ** 2) / 2, 4);
    const inputs = trainer.model().graph?.input.map(({ name }) => name);
    expect(inputs).toEqual(["x"]);
    await trainer.close();
  });

  test("weights that a modifier adds are trained, and left out of the model", async () => {
    const trainer = await load([
      {
        name: "bias",
        rewrite({ main }) {
          const product = main.producer("y");
          if (product === undefined) throw new Error("no product");
          main.setOutput(product, 0, "plain");
          const bias = main.addInitializer("bias", {
            dtype: "float32",
            shape: [2],
            data: new Float32Array(2),
          });
          main.addNode({ opType: "Add", inputs: ["plain", bias], outputs: ["y"] });
        },
      },
    ]);
    await trainer.step(batch);
    expect([...(trainer.readWeights().get("bias") as Float32Array)]).toEqual([
      expect.closeTo(-0.4),
      expect.closeTo(-0.6),
    ]);
    expect(trainer.model().graph?.initializer.map(({ name }) => name)).toEqual(["W"]);
    await trainer.close();
  });

  test("a loop keeps their state of the best epoch and goes on from a checkpoint", async () => {
    const metrics = [1, 3, 2];
    const checkpoints: Uint8Array[] = [];
    const modifier = doubling();
    const trainer = await load([modifier]);
    const run = (of: Trainer, epochs: number, saved?: Uint8Array) =>
      trainLoop({
        trainer: of,
        epochs,
        batches: () => [batch],
        validate: ({ epoch }) => metrics[epoch - 1] as number,
        checkpoint: {
          load: async () => saved,
          save: async (chunks) => void checkpoints.push(Buffer.concat([...chunks])),
        },
      });
    const result = await run(trainer, 3);
    expect(result.modifiers["doubling/factor"]?.[0]).toBe(4);
    await trainer.close();

    const afterTwo = checkpoints[1] as Uint8Array;
    expect(parseCheckpoint(afterTwo).state.modifiers?.["doubling/factor"]?.[0]).toBe(4);
    const again = await load([doubling()]);
    const resumed = await run(again, 3, afterTwo);
    expect(resumed.modifiers["doubling/factor"]?.[0]).toBe(4);
    expect(again.state().modifiers?.["doubling/factor"]?.[0]).toBe(8);
    expect([...again.readWeights()]).toEqual([...trainer.readWeights()]);
    await again.close();
  });
});
