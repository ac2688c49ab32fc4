import type { Tensor } from "@nasty/core";
import { expect, it } from "vitest";
import { onnxEngine } from "../../src/index.js";
import { modelOf, type NodeUnderTest, weight } from "../reference/check-gradients.js";

/**
 * What one step takes off the weights x0, x1, … of a node, where every element of its output `y` has the gradient 1.
 */
async function gradientsOf(node: NodeUnderTest, y: readonly number[], shape: readonly number[]) {
  const { model, feeds } = modelOf(node);
  const trainer = await onnxEngine.load(model, {
    loss: { kind: "mse", prediction: "y0", target: "target" },
    outputs: ["y0"],
    optimizer: { kind: "sgd", learningRate: 1 },
  });
  try {
    const before = trainer.readWeights();
    const data = Float32Array.from(y, (value) => value - y.length / 2);
    const target: Tensor = { dtype: "float32", shape, data };
    const { outputs } = await trainer.step({ ...feeds, target });
    expect([...(outputs["y0"] as Tensor<"float32">).data]).toEqual(
      y.map((value) => expect.closeTo(value, 6)),
    );
    const after = trainer.readWeights();
    return node.operands.map((_, i) => {
      const [old, now] = [before, after].map((weights) => weights.get(`x${i}`) as Float32Array);
      return Array.from(old as Float32Array, (value, at) => value - ((now as Float32Array)[at] as number));
    });
  } finally {
    await trainer.close();
  }
}

// Differences say nothing where a function has a kink: what counts there is the convention.
const cases: readonly (readonly [
  name: string,
  NodeUnderTest,
  y: readonly number[],
  shape: readonly number[],
  gradients: readonly (readonly number[])[],
])[] = [
  [
    "Relu passes nothing at zero",
    { opType: "Relu", operands: [weight([3], [0, -1, 2])] },
    [0, 0, 2],
    [3],
    [[0, 0, 1]],
  ],
  [
    "Abs has the slope 0 at zero",
    { opType: "Abs", operands: [weight([3], [0, -1, 2])] },
    [0, 1, 2],
    [3],
    [[0, -1, 1]],
  ],
  [
    "LeakyRelu has the lower slope at zero",
    { opType: "LeakyRelu", operands: [weight([3], [0, -1, 2])], attributes: { alpha: 0.25 } },
    [0, -0.25, 2],
    [3],
    [[0.25, 0.25, 1]],
  ],
  [
    "elements that share a maximum share its gradient",
    { opType: "ReduceMax", operands: [weight([2, 3], [1, 2, 2, 0, 0, 0])], attributes: { keepdims: 1 } },
    [2],
    [1, 1],
    [[0, 0.5, 0.5, 0, 0, 0]],
  ],
  [
    "operands that share a maximum share its gradient",
    { opType: "Max", operands: [weight([3], [1, 2, 0]), weight([3], [1, 1, 0]), weight([3], [0, 2, 0])] },
    [1, 2, 0],
    [3],
    [
      [1 / 2, 1 / 2, 1 / 3],
      [1 / 2, 0, 1 / 3],
      [0, 1 / 2, 1 / 3],
    ],
  ],
];

for (const [name, node, y, shape, gradients] of cases) {
  it(name, async () => {
    const got = await gradientsOf(node, y, shape);
    expect(got).toEqual(gradients.map((row) => row.map((value) => expect.closeTo(value, 5))));
  });
}
