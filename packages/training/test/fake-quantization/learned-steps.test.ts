import { tensor, type Tensor } from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { expect, it } from "vitest";
import { buildTrainingGraph, fakeQuantization, rewriteOf } from "../../src/index.js";

const width = 16;
const identity = Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0));

/** y = x̂·I: the rounded activation itself. */
const model = makeModel(
  makeGraph("identity", {
    nodes: [makeNode("MatMul", ["x", "I"], ["y"])],
    inputs: [makeValueInfo("x", "float32", ["n", width])],
    outputs: [makeValueInfo("y", "float32", ["n", width])],
    initializers: [makeTensor("I", "float32", { shape: [width, width], values: identity })],
  }),
  { opsets: { "": 20 } },
);

it("the gradient of a step size is that of LSQ, and none passes to activations that saturate", async () => {
  const { model: graph, weights } = buildTrainingGraph(model, {
    loss: { kind: "mse", prediction: "y", target: "t" },
    trainable: ["fake-quantization/ratios"],
    outputs: ["y"],
    rewrite: rewriteOf({ modifiers: [fakeQuantization({ ranges: "learned" })] }),
  });
  const session = await openSession(graph, { optimization: "basic" });
  const [scale, zeroPoint] = [Math.fround(0.01), 100];
  // Inside the range [−1, 1.55], and beyond both ends.
  const x = Float32Array.from({ length: width }, (_, i) => -1.2 + i * 0.2 + 0.003);
  const results = await session.run({
    x: tensor("float32", [1, width], x),
    t: tensor("float32", [1, width], new Float32Array(width)),
    "fake-quantization/ratios": tensor("float32", [1], Float32Array.of(1)),
    "fake-quantization/activations-on": tensor("bool", [], Uint8Array.of(1)),
    "fake-quantization/scales": tensor("float32", [1], Float32Array.of(scale)),
    "fake-quantization/zero-points": tensor("uint8", [1], Uint8Array.of(zeroPoint)),
  });
  await session.close();
  let sum = 0;
  for (const [i, value] of x.entries()) {
    const steps = value / scale;
    const q = Math.min(155, Math.max(-100, Math.round(steps)));
    const isInside = steps >= -100.5 && steps <= 155.5;
    expect((results["y"] as Tensor<"float32">).data[i]).toBeCloseTo(q * scale, 6);
    // Equation 3; dL/dŷ of mean(ŷ²) is 2ŷ/n.
    sum += ((2 * q * scale) / width) * (isInside ? q - steps : q);
  }
  // What is trained is the ratio to the calibrated step: its gradient is the step's, times that step.
  const expected = (sum * scale) / Math.sqrt(width * 255);
  const gradient = (results[weights[0]?.dense as string] as Tensor<"float32">).data[0] as number;
  expect(Math.abs(gradient / expected - 1)).toBeLessThan(1e-3);
});
