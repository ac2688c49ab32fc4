import type { Tensor } from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { buildTrainingGraph, type DropoutSetting } from "../../src/index.js";

const [B, T, C] = [8, 16, 32];

function modelWithDropout(ratio: number, count = 1) {
  const nodes = [makeNode("Mul", ["x", "W"], ["h0"])];
  for (let i = 0; i < count; i++)
    nodes.push(makeNode("Dropout", [`h${i}`, "ratio"], [`h${i + 1}`], { name: `drop/${i}` }));
  nodes.push(makeNode("Identity", [`h${count}`], ["y"]));
  const graph = makeGraph("dropout", {
    nodes,
    inputs: [makeValueInfo("x", "float32", ["b", "t", C])],
    outputs: [makeValueInfo("y", "float32", ["b", "t", C])],
    initializers: [
      makeTensor("W", "float32", { values: Array.from({ length: C }, () => 1) }),
      makeTensor("ratio", "float32", { values: [ratio], shape: [] }),
    ],
  });
  return makeModel(graph);
}

async function masks(
  ratio: number,
  seeds: readonly number[],
  dropout: readonly DropoutSetting[] = [],
  count = 1,
): Promise<Float32Array[]> {
  const training = buildTrainingGraph(modelWithDropout(ratio, count), {
    loss: { kind: "mse", prediction: "y", target: "t" },
    trainable: ["W"],
    outputs: ["y"],
    dropout,
  });
  const session = await openSession(training.model);
  const ones = (shape: readonly number[], value = 1): Tensor => ({
    dtype: "float32",
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
  });
  const out: Float32Array[] = [];
  for (const seed of seeds) {
    const feeds: Record<string, Tensor> = { x: ones([B, T, C]), t: ones([B, T, C], 0), W: ones([C]) };
    if (training.seed !== undefined)
      feeds[training.seed] = { dtype: "uint32", shape: [1], data: Uint32Array.of(seed) };
    const results = await session.run(feeds);
    const y = results["y"]?.data as Float32Array;
    const gradient = results[training.weights[0]?.dense as string]?.data as Float32Array;
    // y is the mask m itself, so d(mean y²)/dW[c] = 2/n·Σ m².
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let i = c; i < y.length; i += C) sum += (y[i] as number) ** 2;
      expect(gradient[c]).toBeCloseTo((2 * sum) / y.length, 5);
    }
    out.push(y);
  }
  await session.close();
  return out;
}

const share = (mask: Float32Array): number => mask.filter((m) => m === 0).length / mask.length;

describe("dropout", () => {
  it("drops the share asked for and scales the rest", async () => {
    for (const ratio of [0.1, 0.5, 0.8]) {
      for (const mask of await masks(ratio, [1, 2, 3])) {
        // Four standard deviations of a share of 4,096 independent elements.
        expect(Math.abs(share(mask) - ratio)).toBeLessThan(
          4 * Math.sqrt((ratio * (1 - ratio)) / mask.length),
        );
        expect(mask.every((m) => m === 0 || Math.abs(m - 1 / (1 - ratio)) < 1e-6)).toBe(true);
      }
    }
  });
  it("repeats a mask for the same seed and changes it for another", async () => {
    const [a, b, c] = await masks(0.5, [7, 7, 8]);
    expect(a).toEqual(b);
    const agreeing = (a as Float32Array).filter((m, i) => m === c?.[i]).length / (a as Float32Array).length;
    expect(Math.abs(agreeing - 0.5)).toBeLessThan(0.04);
  });
  it("treats rows, columns and neighbouring nodes as independent", async () => {
    const [mask] = (await masks(0.5, [4])) as [Float32Array];
    const agreement = (step: number): number => {
      let same = 0;
      for (let i = 0; i + step < mask.length; i++) if (mask[i] === mask[i + step]) same++;
      return same / (mask.length - step);
    };
    for (const step of [1, 2, C, 2 * C, T * C]) expect(Math.abs(agreement(step) - 0.5)).toBeLessThan(0.05);
    const [both] = await masks(0.5, [4], [], 2);
    expect(Math.abs(share(both as Float32Array) - 0.75)).toBeLessThan(0.03);
  });
  it("shares a mask along axes", async () => {
    const [mask] = (await masks(0.5, [5], [{ node: "drop/*", sharedAxes: [1], ratio: 0.3 }])) as [
      Float32Array,
    ];
    for (let b = 0; b < B; b++)
      for (let t = 1; t < T; t++)
        for (let c = 0; c < C; c++) expect(mask[(b * T + t) * C + c]).toBe(mask[b * T * C + c]);
    expect(Math.abs(share(mask) - 0.3)).toBeLessThan(0.12);
  });
  it("with ratio 0 needs no seed", async () => {
    const [mask] = await masks(0, [1]);
    expect(mask?.every((m) => m === 1)).toBe(true);
  });
  it("refuses settings that match no node, and ratios outside [0, 1)", async () => {
    await expect(masks(0.5, [1], [{ node: "drops" }])).rejects.toMatchObject({
      code: "no-match",
      message: "buildTrainingGraph: dropout: node drops: expected a Dropout node, got none of that name",
    });
    await expect(masks(1, [1])).rejects.toMatchObject({
      code: "unsupported-attribute",
      message: 'buildTrainingGraph: node "drop/0" (Dropout): ratio: expected a number in [0, 1), got 1',
    });
  });
});
