import {
  countUnsafePairs,
  dequantizeLinear,
  parametersOf,
  perChannel,
  quantizeLinear,
  safePairParameters,
  tensor,
  type Tensor,
} from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import {
  buildTrainingGraph,
  fakeQuantization,
  type FakeQuantizationOptions,
  rewriteOf,
  seededRandom,
} from "../../src/index.js";
import { loss, smallTagger } from "./small-tagger.js";

const [inputs, outputs] = [40, 6];

function weights(seed: number, rows = inputs): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: rows * outputs }, () => random.normal());
}

/** y = x·W with W rounded; gives y, its gradient and that of W for the loss mean(y²). */
async function gradientOf(W: Float32Array, options: FakeQuantizationOptions, rows = inputs) {
  const model = makeModel(
    makeGraph("product", {
      nodes: [makeNode("MatMul", ["x", "W"], ["y"])],
      inputs: [makeValueInfo("x", "float32", ["n", rows])],
      outputs: [makeValueInfo("y", "float32", ["n", outputs])],
      initializers: [makeTensor("W", "float32", { shape: [rows, outputs], values: [...W] })],
    }),
    { opsets: { "": 20 } },
  );
  const training = buildTrainingGraph(model, {
    loss: { kind: "mse", prediction: "y", target: "t" },
    trainable: ["W"],
    outputs: ["y"],
    rewrite: rewriteOf({ modifiers: [fakeQuantization({ activations: "float", ...options })] }),
  });
  const session = await openSession(training.model, { optimization: "basic" });
  // With x = identity, y is the rounded weight itself.
  const x = new Float32Array(rows * rows);
  for (let i = 0; i < rows; i++) x[i * rows + i] = 1;
  const results = await session.run({
    x: tensor("float32", [rows, rows], x),
    t: tensor("float32", [rows, outputs], new Float32Array(rows * outputs)),
    W: tensor("float32", [rows, outputs], W),
  });
  await session.close();
  const read = (name: string) => (results[name] as Tensor<"float32">).data;
  return { rounded: read("y"), gradient: read(training.weights[0]?.dense as string) };
}

/** The rounding of MatMulNBits' quantizer in plain arithmetic, along the rows of [inputs, outputs]. */
function blocksByHand(W: Float32Array, blockSize: number, symmetric: boolean) {
  const rounded = new Float32Array(W.length);
  const clipped = new Set<number>();
  for (let column = 0; column < outputs; column++) {
    for (let start = 0; start < inputs; start += blockSize) {
      const at = Array.from(
        { length: Math.min(blockSize, inputs - start) },
        (_, i) => (start + i) * outputs + column,
      );
      const values = at.map((i) => W[i] as number);
      const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
      const signed = Math.abs(high) > Math.abs(low) ? high : low;
      const scale = Math.fround(symmetric ? signed / -8 : Math.fround(high - low) / 15);
      if (scale === 0) continue;
      const zero = symmetric ? 8 : Math.min(15, Math.floor(Math.fround(-low / scale) + 0.5));
      const reciprocal = Math.fround(1 / scale);
      for (const i of at) {
        const place = Math.fround(Math.fround((W[i] as number) * reciprocal) + zero);
        const q = Math.min(15, Math.max(0, Math.floor(place + 0.5)));
        if (place < 0 || place > 15) clipped.add(i);
        rounded[i] = Math.fround((q - zero) * scale);
      }
    }
  }
  return { rounded, clipped };
}

describe("weights in the graph", () => {
  it.each([
    ["safe", 40],
    ["safe", 41],
    // The only row is in no pair.
    ["safe", 1],
    ["full", 40],
  ] as const)(
    "are rounded as int8 with a scale a channel (%s pairs of %i rows); the gradient passes to the real ones",
    async (pairs, rows) => {
      const W = weights(1, rows);
      const x = tensor("float32", [rows, outputs], W);
      const scheme = { dtype: "int8", symmetric: true } as const;
      const p =
        pairs === "safe"
          ? safePairParameters(x, scheme, perChannel(1), [0])
          : parametersOf(x, scheme, perChannel(1));
      const { rounded, gradient } = await gradientOf(W, { bits: 8, pairs, minimumElements: 1 }, rows);
      const q = quantizeLinear(x, p);
      expect(countUnsafePairs(q, 0) > 0).toBe(pairs === "full");
      expect(rounded).toEqual(dequantizeLinear(q, p).data);
      // Of mean(y²): 2y/n, of the rounded y.
      for (const [i, value] of rounded.entries()) expect(gradient[i]).toBeCloseTo((2 * value) / W.length, 6);
    },
  );

  it.each([
    [16, true],
    [32, true],
    [16, false],
    [64, false],
  ])(
    "are rounded to 4 bits in blocks of %i (symmetric: %s); no gradient where they saturate",
    async (blockSize, symmetric) => {
      const W = weights(2);
      // A block of zeros, and a half-way value: they round up here.
      for (let i = 0; i < blockSize && i < inputs; i++) W[i * outputs] = 0;
      [W[1], W[outputs + 1]] = [-8, 2.5];
      const byHand = blocksByHand(W, blockSize, symmetric);
      const { rounded, gradient } = await gradientOf(W, { bits: 4, blockSize, symmetric });
      expect(rounded.map((v) => v + 0)).toEqual(byHand.rounded.map((v) => v + 0));
      if (symmetric) expect(byHand.clipped.size).toBeGreaterThan(0);
      for (const [i, value] of rounded.entries()) {
        // Multiplied with a scale and its reciprocal on the way.
        const expected = byHand.clipped.has(i) ? 0 : (2 * value) / W.length;
        expect(Math.abs((gradient[i] as number) - expected)).toBeLessThan(1e-6);
      }
    },
  );

  it("stay real below minimumElements and where they are skipped", async () => {
    const W = weights(3);
    const same = async (options: FakeQuantizationOptions) => (await gradientOf(W, options)).rounded;
    expect(await same({ minimumElements: W.length + 1 })).toEqual(W);
    expect(await same({ skipLayers: ["W"] })).toEqual(W);
    expect(await same({ minimumElements: W.length })).not.toEqual(W);
    await expect(same({ skipLayers: ["V"] })).rejects.toMatchObject({
      code: "no-match",
      message: expect.stringMatching(
        /^fakeQuantization: skipLayers: V: expected a node or weight that is quantized, got none of that name \(nearest: W/,
      ) as string,
    });
  });

  it.each<8 | 4>([8, 4])(
    "of an embedding are rounded as rows, whose gradient stays one of rows (%i bits)",
    (bits) => {
      const options = { modifiers: [fakeQuantization({ bits, activations: "float" })] };
      const { weights: trained } = buildTrainingGraph(smallTagger(), {
        loss,
        trainable: ["E", "A"],
        rewrite: rewriteOf(options),
      });
      expect(trained.map(({ name, rows, dense }) => [name, rows.length, dense === undefined])).toEqual([
        ["E", 1, true],
        ["A", 0, false],
      ]);
    },
  );
});

describe("options that cannot be", () => {
  it.each<[object, string]>([
    [{ bits: 6 }, "bits: expected 8 or 4, got 6"],
    [{ activations: "int8" }, "activations: expected static, dynamic or float, got int8"],
    [{ bits: 4, activations: "static" }, "activations: expected float with 4 bits, got static"],
    [{ pairs: "some" }, "pairs: expected safe or full, got some"],
    [{ ranges: "guessed" }, "ranges: expected moving-average or learned, got guessed"],
    [{ startStep: -1 }, "startStep: expected a whole number of 0 or more, got -1"],
    [{ freezeStep: 0 }, "freezeStep: expected a positive number, got 0"],
    [{ averaging: 0 }, "averaging: expected a number in (0, 1], got 0"],
    [{ blockSize: 24 }, "blockSize: expected 16, 32, 64, 128 or 256, got 24"],
  ])("%o", (options, message) => {
    expect(() => fakeQuantization(options as FakeQuantizationOptions)).toThrow(
      `fakeQuantization: ${message}`,
    );
  });
});
