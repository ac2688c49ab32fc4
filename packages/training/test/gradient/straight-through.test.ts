import type { Tensor } from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { buildTrainingGraph } from "../../src/index.js";

/** y = dequantize(quantize(W)); the loss Σ(y − t)²/n with t = 0 has the gradient 2y/n where W lies in range, else 0. */
async function gradientOf(
  values: readonly number[],
  { scale, zeroPoint, axis }: { scale: readonly number[]; zeroPoint: readonly number[]; axis?: number },
) {
  const shape = [2, values.length / 2];
  const parameterShape = scale.length === 1 ? [] : [scale.length];
  const attributes = axis === undefined ? {} : { axis };
  const graph = makeGraph("qdq", {
    nodes: [
      makeNode("QuantizeLinear", ["W", "s", "z"], ["q"], { attributes }),
      makeNode("DequantizeLinear", ["q", "s", "z"], ["y"], { attributes }),
    ],
    inputs: [],
    outputs: [makeValueInfo("y", "float32", shape)],
    initializers: [
      makeTensor("W", "float32", { values, shape }),
      makeTensor("s", "float32", { values: scale, shape: parameterShape }),
      makeTensor("z", "int8", { values: zeroPoint, shape: parameterShape }),
    ],
  });
  const training = buildTrainingGraph(makeModel(graph), {
    loss: { kind: "mse", prediction: "y", target: "t" },
    trainable: ["W"],
    outputs: ["y"],
  });
  const session = await openSession(training.model, { optimization: "basic" });
  const tensor = (data: Float32Array): Tensor => ({ dtype: "float32", shape, data });
  const results = await session.run({
    W: tensor(Float32Array.from(values)),
    t: tensor(new Float32Array(values.length)),
  });
  await session.close();
  const values32 = (name: string): number[] => Array.from((results[name] as Tensor).data as Float32Array);
  return { y: values32("y"), gradient: values32(training.weights[0]?.dense as string) };
}

describe("straight-through gradients", () => {
  it("pass inside the range and stop outside it", async () => {
    // Scale 1/4, zero point 0: the range is −32 … 31.75.
    const { y, gradient } = await gradientOf([0.3, -32.1, 31.75, 31.86, 32, -33], {
      scale: [0.25],
      zeroPoint: [0],
    });
    expect(y).toEqual([0.25, -32, 31.75, 31.75, 31.75, -32]);
    expect(gradient.map((g, i) => g / ((2 * (y[i] as number)) / 6))).toEqual(
      [1, 1, 1, 1, 0, 0].map((v) => expect.closeTo(v, 5)),
    );
  });
  it("use the scale and zero point of each channel", async () => {
    const { y, gradient } = await gradientOf([10, 130, 10, 130], {
      scale: [1, 2],
      zeroPoint: [0, 100],
      axis: 1,
    });
    expect(y).toEqual([10, 54, 10, 54]);
    expect(gradient).toEqual([5, 0, 5, 0]);
  });
});
