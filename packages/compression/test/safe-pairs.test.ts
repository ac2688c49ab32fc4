import { countUnsafePairs, seededRandom, tensor, type Tensor } from "@nasty/core";
import { makeValueInfo, type ModelProto, tensorToProto } from "@nasty/formats/onnx";
import { ModelGraph, unsafePairs } from "@nasty/graph";
import { beforeAll, describe, expect, it } from "vitest";
import { apply, dynamic, int4, int8, type Pairs, plan, weightOnly } from "../src/index.js";
import { bothWays, saturates } from "./processor.js";
import { float, linear, matrix, model, node, ops } from "./tiny-models.js";

/**
 * How weights are filled: all the same, or at random with many near the largest magnitude, so that like-signed
 * neighbours abound.
 */
type Fill = (count: number, seed: number) => Float32Array;

const ones: Fill = (count) => new Float32Array(count).fill(1);
const heavy: Fill = (count, seed) => {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => {
    const value = 2 * random.uniform() - 1;
    return random.uniform() < 0.6 ? Math.sign(value) * (1 - 0.05 * Math.abs(value)) : value;
  });
};

const weight = (fill: Fill, name: string, shape: readonly number[], seed = 1) =>
  tensorToProto(
    tensor(
      "float32",
      shape,
      fill(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
    ),
    name,
  );

/** All activations at the top of their range, and random ones. */
const rowsOf = (fill: Fill, shape: readonly number[]): Tensor<"float32"> =>
  tensor(
    "float32",
    shape,
    fill(
      shape.reduce((a, b) => a * b, 1),
      9,
    ),
  );

interface Form {
  readonly make: (fill: Fill) => ModelProto;
  readonly quantize: (
    model: ModelProto,
    pairs: Pairs,
    feeds: Readonly<Record<string, Tensor>>,
  ) => Promise<ModelProto>;
  /** The operator of the written graph whose kernel adds pairs. */
  readonly operator: string;
  readonly width?: number;
  readonly rank?: number;
  /** Of the input, where it is not rows of that width. */
  readonly shape?: readonly number[];
}

const dense = (fill: Fill, K = 32): ModelProto =>
  model({
    nodes: [node("MatMul", ["x", "W"], ["y"], { name: "dense" })],
    initializers: [weight(fill, "W", [K, 24])],
    inputs: [makeValueInfo("x", "float32", ["batch", "length", K])],
  });

const gemm = (fill: Fill, options: { transB?: number; opset?: number } = {}): ModelProto =>
  model({
    nodes: [node("Gemm", ["x", "W", "c"], ["y"], { name: "g", attributes: { transB: options.transB ?? 0 } })],
    initializers: [weight(fill, "W", options.transB === 1 ? [24, 32] : [32, 24]), matrix("c", [24], 2)],
    inputs: [makeValueInfo("x", "float32", ["rows", 32])],
    ...(options.opset === undefined ? {} : { opset: options.opset }),
  });

const oldDense = (fill: Fill): ModelProto => ({
  ...model({
    nodes: [node("MatMul", ["x", "W"], ["y"], { name: "dense" })],
    initializers: [weight(fill, "W", [32, 24])],
    inputs: [makeValueInfo("x", "float32", ["batch", "length", 32])],
    opset: 10,
    irVersion: 5,
  }),
});

/** Two products in a row, both quantized: the first becomes QLinearMatMul. */
const chain = (fill: Fill): ModelProto =>
  model({
    nodes: [node("MatMul", ["x", "A"], ["h"]), node("MatMul", ["h", "B"], ["y"])],
    initializers: [weight(fill, "A", [32, 32], 2), weight(fill, "B", [32, 24], 3)],
    inputs: [makeValueInfo("x", "float32", ["batch", "length", 32])],
  });

/** The first product is read by a quantized one and by a float node. */
const readBothWays = (fill: Fill): ModelProto =>
  model({
    nodes: [
      node("MatMul", ["x", "A"], ["h"]),
      node("MatMul", ["h", "B"], ["p"]),
      node("Add", ["h", "p"], ["y"]),
    ],
    initializers: [weight(fill, "A", [32, 24], 2), weight(fill, "B", [24, 24], 3)],
    inputs: [makeValueInfo("x", "float32", ["batch", "length", 32])],
  });

const lstm = (fill: Fill, inputs = 16): ModelProto =>
  model({
    nodes: [
      node("LSTM", ["x", "W", "R"], ["", "y"], {
        attributes: { hidden_size: 7, direction: "bidirectional" },
      }),
    ],
    initializers: [weight(fill, "W", [2, 28, inputs], 2), weight(fill, "R", [2, 28, 7], 3)],
    inputs: [makeValueInfo("x", "float32", ["length", "batch", inputs])],
  });

/**
 * A convolution of these channels and kernel; pairs of an odd number of channels reach from one position to the next.
 */
const convolved = (channels: number, kernel: readonly number[], group = 1) => {
  const shape = [2, channels, ...kernel.map((size) => size + 4)];
  const make = (fill: Fill): ModelProto =>
    model({
      nodes: [node("Conv", ["x", "W", "c"], ["y"], { name: "conv", attributes: { group } })],
      initializers: [weight(fill, "W", [16, channels / group, ...kernel]), matrix("c", [16], 2)],
      inputs: [makeValueInfo("x", "float32", shape)],
    });
  return { make, shape, operator: "Conv" };
};

const plainDynamic =
  (options: Parameters<typeof dynamic.quantize>[1] = {}): Form["quantize"] =>
  async (m, pairs) =>
    dynamic.quantize(m, { ...options, pairs });
const plainStatic =
  (
    options: { activationType?: "uint8" | "int8"; perChannel?: boolean; symmetric?: boolean } = {},
  ): Form["quantize"] =>
  (m, pairs, feeds) =>
    int8.quantize(m, { ...options, pairs, calibrationData: [{ feeds }] });

const forms: Readonly<Record<string, Form>> = {
  "dynamic MatMul": { make: dense, quantize: plainDynamic(), operator: "MatMulInteger" },
  "dynamic MatMul, an odd number of rows": {
    make: (fill) => dense(fill, 31),
    quantize: plainDynamic(),
    operator: "MatMulInteger",
    width: 31,
  },
  "dynamic MatMul per tensor": {
    make: dense,
    quantize: plainDynamic({ perChannel: false }),
    operator: "MatMulInteger",
  },
  "dynamic MatMul with zero points": {
    make: dense,
    quantize: plainDynamic({ symmetric: false }),
    operator: "MatMulInteger",
  },
  "dynamic Gemm of a transposed weight": {
    make: (fill) => gemm(fill, { transB: 1 }),
    quantize: plainDynamic(),
    operator: "MatMulInteger",
    rank: 2,
  },
  "dynamic Gemm of one output": {
    make: (fill) =>
      model({
        nodes: [node("Gemm", ["x", "W"], ["y"], { name: "g", attributes: { transB: 1 } })],
        initializers: [weight(fill, "W", [1, 64])],
        inputs: [makeValueInfo("x", "float32", ["rows", 64])],
      }),
    quantize: plainDynamic(),
    operator: "MatMulInteger",
    width: 64,
    rank: 2,
  },
  "dynamic, an old operator set": {
    make: oldDense,
    quantize: plainDynamic(),
    operator: "DynamicQuantizeMatMul",
  },
  "dynamic LSTM": { make: lstm, quantize: plainDynamic(), operator: "DynamicQuantizeLSTM", width: 16 },
  "dynamic LSTM per direction, odd inputs": {
    make: (fill) => lstm(fill, 15),
    quantize: plainDynamic({ perChannel: false }),
    operator: "DynamicQuantizeLSTM",
    width: 15,
  },
  "the LSTM of a model of 4 bits": {
    make: lstm,
    quantize: async (m, pairs) => (await int4.apply(m, await int4.plan(m, { pairs }))).model,
    operator: "DynamicQuantizeLSTM",
    width: 16,
  },
  "static MatMul": { make: dense, quantize: plainStatic(), operator: "MatMul" },
  "static MatMul per tensor, with zero points": {
    make: dense,
    quantize: plainStatic({ perChannel: false, symmetric: false }),
    operator: "MatMul",
  },
  "static MatMul of int8 activations": {
    make: dense,
    quantize: plainStatic({ activationType: "int8" }),
    operator: "MatMul",
  },
  "static Gemm": { make: gemm, quantize: plainStatic(), operator: "Gemm", rank: 2 },
  "static Gemm, an old operator set": {
    make: (fill) => gemm(fill, { opset: 10 }),
    quantize: plainStatic(),
    operator: "MatMulIntegerToFloat",
    rank: 2,
  },
  "static products in a row": { make: chain, quantize: plainStatic(), operator: "MatMul" },
  "a static product read as integers and as floats": {
    make: readBothWays,
    quantize: plainStatic(),
    operator: "MatMulIntegerToFloat",
  },
};

const convolutions: typeof forms = {
  "static Conv": { ...convolved(8, [3, 3]), quantize: plainStatic() },
  "static Conv of an odd number of channels": { ...convolved(9, [3, 3]), quantize: plainStatic() },
  "static Conv of one channel": { ...convolved(1, [9, 9]), quantize: plainStatic() },
  "static Conv over one axis, per tensor": {
    ...convolved(24, [3]),
    quantize: plainStatic({ perChannel: false }),
  },
  "static pointwise Conv of int8 activations": {
    ...convolved(65, [1, 1]),
    quantize: plainStatic({ activationType: "int8" }),
  },
  "static Conv in groups": { ...convolved(66, [3], 2), quantize: plainStatic() },
};

const unsafeOf = (m: ModelProto): number =>
  unsafePairs(ModelGraph.from(m)).reduce((sum, { unsafe }) => sum + unsafe, 0);

let clips = false;
beforeAll(async () => {
  clips = await saturates();
});

describe.each(Object.entries({ ...forms, ...convolutions }))("%s", (_, form) => {
  const { make, quantize, operator, width = 32, rank = 3 } = form;
  const { shape = rank === 2 ? [5, width] : [3, 5, width] } = form;
  const cases: readonly [string, Fill, Fill][] = [
    ["all weights and activations at their largest", ones, ones],
    ["random weights near their largest", heavy, ones],
    ["random weights and activations", heavy, heavy],
  ];
  it.each(cases)("is exact on every processor: %s", async (_name, weights, activations) => {
    const m = make(weights);
    const feeds = { x: rowsOf(activations, shape) };
    const safe = await quantize(m, "safe", feeds);
    expect(ops(safe)).toContain(operator);
    expect(unsafePairs(ModelGraph.from(safe)).length).toBeGreaterThan(0);
    expect(unsafeOf(safe)).toBe(0);
    const { here, exact } = await bothWays(safe, feeds);
    expect(here).toEqual(exact);
  });

  it("has unsafe pairs in its full range, and is wrong then where processors saturate, and only there", async () => {
    const m = make(ones);
    const feeds = { x: rowsOf(ones, shape) };
    const full = await quantize(m, "full", feeds);
    expect(unsafeOf(full)).toBeGreaterThan(0);
    const { here, exact } = await bothWays(full, feeds);
    expect(here.some((value, i) => value !== exact[i])).toBe(clips);
  });
});

describe("plans", () => {
  it("say which pairs they allow and along which axes products sum, and tables have none", async () => {
    const tied = model({
      nodes: [
        node("Gather", ["E", "i"], ["e"]),
        node("Gather", ["P", "i"], ["f"]),
        node("Transpose", ["E"], ["Et"], { attributes: { perm: [1n, 0n] } }),
        node("MatMul", ["e", "Et"], ["s"]),
        node("ReduceSum", ["f"], ["t"]),
        node("Add", ["s", "t"], ["y"]),
      ],
      initializers: [matrix("E", [24, 16]), matrix("P", [24, 16], 2)],
      inputs: [makeValueInfo("i", "int64", ["length"])],
    });
    const axes = (await dynamic.plan(tied)).tensors.map(({ name, pairs, pairAxes }) => [
      name,
      pairs,
      pairAxes,
    ]);
    expect(axes).toEqual([
      ["E", "safe", [1]],
      ["P", "safe", []],
    ]);
    expect((await dynamic.plan(linear())).options["pairs"]).toBe("safe");
    expect((await dynamic.plan(linear(), { pairs: "full" })).tensors[0]).toMatchObject({
      pairs: "full",
      pairAxes: [0],
    });
    expect((await int4.plan(linear())).tensors[0]?.pairAxes).toEqual([]);
    const depthwise = model({
      nodes: [node("Conv", ["x", "W"], ["y"], { attributes: { group: 64 } })],
      initializers: [weight(ones, "W", [64, 1, 3])],
      inputs: [makeValueInfo("x", "float32", [1, 64, 9])],
    });
    const axesOf = async (m: ModelProto, shape: readonly number[]) =>
      (await int8.plan(m, { calibrationData: [{ feeds: { x: rowsOf(ones, shape) } }] })).tensors.map(
        ({ pairAxes }) => pairAxes,
      );
    expect(await axesOf(depthwise, [1, 64, 9])).toEqual([[]]);
    const { make, shape } = convolved(8, [3, 3]);
    expect(await axesOf(make(ones), shape)).toEqual([[1]]);
    expect((await dynamic.plan(lstm(ones))).tensors.map(({ pairAxes }) => pairAxes)).toEqual([[2], [2]]);
  });

  it("keep one tensor's pairs safe along both axes if products sum along both", async () => {
    const both = model({
      nodes: [
        node("MatMul", ["x", "W"], ["a"]),
        node("Transpose", ["W"], ["Wt"], { attributes: { perm: [1n, 0n] } }),
        node("MatMul", ["a", "Wt"], ["y"]),
      ],
      initializers: [weight(heavy, "W", [16, 16])],
    });
    const plan = await dynamic.plan(both, { perChannel: false });
    expect(plan.tensors).toMatchObject([{ pairAxes: [0, 1] }]);
    const { model: quantized } = await dynamic.apply(both, plan);
    const rows = unsafePairs(ModelGraph.from(quantized));
    expect(rows.map(({ unsafe }) => unsafe)).toEqual([0, 0]);
  });

  it("give a table that is only looked up in its full range", async () => {
    const table = model({
      nodes: [node("Gather", ["E", "i"], ["y"])],
      initializers: [weight(ones, "E", [24, 16])],
      inputs: [makeValueInfo("i", "int64", ["length"])],
    });
    const quantized = (await dynamic.quantize(table)).graph?.initializer.find(({ name }) => name === "E_q");
    const integers = new Int8Array(quantized?.rawData ?? []);
    expect(countUnsafePairs(tensor("int8", [24, 16], integers), 1)).toBe(24 * 8);
  });

  it("of sizes mix bits with safe pairs", async () => {
    const m = linear({ initializers: [weight(heavy, "W", [16, 24]), matrix("b", [24], 3)] });
    const batches = [{ feeds: { x: float([2, 5, 16]) } }];
    const mixed = await plan(m, { mode: "mixed", targetBytes: 1300, batches, calibrationData: batches });
    expect(mixed.tensors).toMatchObject([{ dtype: "int8", pairs: "safe" }]);
    expect(unsafeOf((await apply(m, mixed)).model)).toBe(0);
  });

  it("of 4 bits scale their int8 LSTMs as asked; of 8 bits there are none", async () => {
    const m = lstm(heavy);
    const planned = async (options: Parameters<typeof int4.plan>[1]) => (await int4.plan(m, options)).tensors;
    expect((await planned({ perChannel: false })).map(({ granularity }) => granularity.kind)).toEqual([
      "per-tensor",
      "per-tensor",
    ]);
    expect((await planned({ reduceRange: true })).map(({ reduceRange }) => reduceRange)).toEqual([
      true,
      true,
    ]);
    const integers = async (options: Parameters<typeof int4.plan>[1]) =>
      (await int4.quantize(m, options)).graph?.initializer.map(({ rawData }) => rawData.length);
    expect(await integers({ perChannel: false })).not.toEqual(await integers({}));
    for (const options of [{ perChannel: false }, { reduceRange: true }])
      await expect(weightOnly.plan(linear(), options)).rejects.toThrow(
        /weightOnly.plan: \w+: value: expected/,
      );
  });

  it("refuse what is neither, and full pairs of weights in blocks of 8 bits, which are exact anyway", async () => {
    await expect(dynamic.plan(linear(), { pairs: "some" as Pairs })).rejects.toThrow(
      "dynamic.plan: pairs: value: expected safe or full, got some",
    );
    await expect(weightOnly.plan(linear(), { pairs: "full" })).rejects.toThrow(
      "weightOnly.plan: pairs: value: expected safe (8-bit blocks have scales of their own and kernels that are exact everywhere), got full",
    );
  });
});
