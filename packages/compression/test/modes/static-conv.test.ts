import { type Tensor, dequantizeLinear, qLinearConv, quantizeLinear, tensor } from "@nasty/core";
import { makeValueInfo, type ModelProto, tensorFromProto, tensorToProto } from "@nasty/formats/onnx";
import { ModelGraph, unsafePairs } from "@nasty/graph";
import { auditModel, openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { apply, dynamic, int8, plan, type QuantizationPlan } from "../../src/index.js";
import { agreementDb, float, matrix, model, node, noise, ops, run, type TinyModel } from "../tiny-models.js";

const image = [1, 8, 9, 7];
const feeds = (shape: readonly number[] = image, seed = 7) => ({ x: float(shape, seed) });
const batches = (shape?: readonly number[]) => [7, 1, 2].map((seed) => ({ feeds: feeds(shape, seed) }));
const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };

/** x [1, 8, 9, 7] → Conv [12, 8, 3, 3] with bias → y, unless told otherwise. */
function convolution(options: Partial<TinyModel> & { readonly shape?: readonly number[] } = {}): ModelProto {
  const { shape = image, ...rest } = options;
  return model({
    nodes: [node("Conv", ["x", "W", "b"], ["y"], { name: "conv", attributes })],
    initializers: [matrix("W", [12, 8, 3, 3], 1, 0.2), matrix("b", [12], 3)],
    inputs: [makeValueInfo("x", "float32", shape)],
    ...rest,
  });
}

const planOf = (m: ModelProto, shape?: readonly number[], options = {}) =>
  int8.plan(m, { calibrationData: batches(shape), ...options });
const quantized = async (m: ModelProto, shape?: readonly number[], options = {}) =>
  (await apply(m, await planOf(m, shape, options))).model;
const stored = (m: ModelProto, name: string): Tensor => {
  const found = m.graph?.initializer.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return tensorFromProto(found);
};
const kernelsOf = async (m: ModelProto): Promise<Record<string, number>> => {
  const { kernels } = await auditModel(m);
  return Object.fromEntries(kernels.map(({ op, count }) => [op, count]));
};
const reasonsOf = ({ keptInFloat }: QuantizationPlan) =>
  keptInFloat.map(({ name, reason }) => [name, reason]);

describe("a convolution of a static plan", () => {
  it("is QuantizeLinear and DequantizeLinear around the Conv, bias in int32, and runs as one integer kernel", async () => {
    const m = await quantized(convolution());
    expect(ops(m)).toEqual([
      "QuantizeLinear",
      "DequantizeLinear",
      "DequantizeLinear",
      "DequantizeLinear",
      "Conv",
      "QuantizeLinear",
      "DequantizeLinear",
    ]);
    expect(stored(m, "W_q")).toMatchObject({ dtype: "int8", shape: [12, 8, 3, 3] });
    expect(stored(m, "b_q")).toMatchObject({ dtype: "int32", shape: [12] });
    const [input, weight] = [stored(m, "x_s").data, stored(m, "W_scale").data] as Float32Array[];
    expect(stored(m, "b_scale").data).toEqual(weight?.map((scale) => Math.fround((input?.[0] ?? 0) * scale)));
    expect(await kernelsOf(m)).toEqual({ QLinearConv: 1 });
    expect(await agreementDb(convolution(), m, feeds())).toBeGreaterThan(30);
  });

  it("computes the specification's QLinearConv of what is stored, to the integer", async () => {
    const m = await quantized(convolution());
    const { x } = feeds();
    const activation = (name: string) => ({
      dtype: "uint8" as const,
      scale: (stored(m, `${name}_s`).data as Float32Array)[0] as number,
      zeroPoint: (stored(m, `${name}_z`).data as Uint8Array)[0] as number,
    });
    const parameters = (name: string) => {
      const { scale, zeroPoint } = activation(name);
      const granularity = { kind: "per-tensor" } as const;
      return {
        dtype: "uint8" as const,
        granularity,
        scale: Float32Array.of(scale),
        zeroPoint: Int32Array.of(zeroPoint),
      };
    };
    const values = quantizeLinear(x, parameters("x"));
    const weight = stored(m, "W_q") as Tensor<"int8">;
    const expected = qLinearConv(
      { values, scale: parameters("x").scale, zeroPoint: parameters("x").zeroPoint },
      { values: weight, scale: stored(m, "W_scale").data as Float32Array, zeroPoint: new Int32Array(12) },
      { ...activation("y"), bias: stored(m, "b_q") as Tensor<"int32">, pads: [1, 1, 1, 1] },
    );
    const real = dequantizeLinear(expected as Tensor<"uint8">, parameters("y"));
    expect((await run(m, { x }))["y"]?.data).toEqual(real.data);
  });

  it("gives the same integers in WebAssembly", async () => {
    const m = await quantized(convolution());
    const outputs = [];
    for (const engine of ["native", "wasm"] as const) {
      const session = await openSession(m, { engine });
      outputs.push((await session.run(feeds()))["y"]?.data);
      await session.close();
    }
    expect(outputs[1]).toEqual(outputs[0]);
  });

  it("per tensor has one scale, and no bias where there was none", async () => {
    const bare = convolution({ nodes: [node("Conv", ["x", "W"], ["y"], { name: "conv", attributes })] });
    const m = await quantized(bare, image, { perChannel: false });
    expect(stored(m, "W_scale").shape).toEqual([]);
    expect(m.graph?.node.find(({ opType }) => opType === "Conv")?.input).toHaveLength(2);
    expect(await kernelsOf(m)).toEqual({ QLinearConv: 1 });
    expect(await agreementDb(bare, m, feeds())).toBeGreaterThan(25);
  });

  it.each([
    ["1-D", [2, 24, 30], [24, 24, 3], {}],
    ["1-D depthwise", [1, 64, 30], [64, 1, 3], { group: 64 }],
    ["3-D", [1, 4, 5, 5, 5], [8, 4, 3, 3, 3], {}],
    ["two groups of 32 channels", [1, 64, 5, 5], [32, 32, 3, 3], { group: 2 }],
    [
      "an odd number of channels, strides and dilations",
      [1, 9, 11, 11],
      [7, 9, 3, 3],
      { strides: [2, 2], dilations: [2, 2] },
    ],
    ["pads of its own", [1, 8, 11, 11], [7, 8, 3, 3], { auto_pad: "SAME_UPPER" }],
  ])("%s", async (_, shape, weight, attributes) => {
    const m = convolution({
      nodes: [node("Conv", ["x", "W", "b"], ["y"], { name: "conv", attributes })],
      initializers: [matrix("W", weight, 1, 0.2), matrix("b", weight.slice(0, 1), 3)],
      shape,
    });
    const made = await quantized(m, shape);
    expect(await kernelsOf(made)).toEqual({ QLinearConv: 1 });
    expect(unsafePairs(ModelGraph.from(made)).every(({ unsafe }) => unsafe === 0)).toBe(true);
    expect(await agreementDb(m, made, feeds(shape))).toBeGreaterThan(28);
  });

  it.each(["uint8", "int8"] as const)("takes %s activations of either symmetry", async (activationType) => {
    for (const activationSymmetric of [false, true]) {
      const options = { activationType, activationSymmetric, symmetric: false };
      const plan = await planOf(convolution(), image, options);
      expect(plan.tensors[0]?.symmetric).toBe(true);
      const { model: made } = await apply(convolution(), plan);
      expect(await kernelsOf(made)).toEqual({ QLinearConv: 1 });
      expect(await agreementDb(convolution(), made, feeds())).toBeGreaterThan(25);
    }
  });

  it("is the same through JSON, and refuses a plan without its range", async () => {
    const plan = await planOf(convolution());
    const through = JSON.parse(JSON.stringify(plan)) as typeof plan;
    expect((await apply(convolution(), through)).model).toEqual((await apply(convolution(), plan)).model);
    const without = { ...plan, activations: plan.activations.filter(({ name }) => name !== "y") };
    await expect(apply(convolution(), without)).rejects.toMatchObject({ code: "missing-range", tensor: "y" });
  });
});

describe("what follows a convolution", () => {
  const followed = (
    tail: Parameters<typeof node>[],
    initializers: TinyModel["initializers"] = [],
    opset = 17,
  ) =>
    convolution({
      opset,
      nodes: [
        node("Conv", ["x", "W", "b"], ["c"], { name: "conv", attributes }),
        ...tail.map((one) => node(...one)),
      ],
      initializers: [matrix("W", [12, 8, 3, 3], 1, 0.2), matrix("b", [12], 3), ...initializers],
    });
  const scalar = (name: string, value: number) =>
    tensorToProto(tensor("float32", [], Float32Array.of(value)), name);
  const relu = followed([["Relu", ["c"], ["y"]]]);

  it("Relu is the lower end of the range, and goes", async () => {
    const plan = await planOf(relu);
    expect(plan.activations.map(({ name, min, zeroPoint }) => [name, min < 0, zeroPoint === 0])).toEqual([
      ["x", true, false],
      ["y", false, true],
    ]);
    const { model: made } = await apply(relu, plan);
    expect(ops(made)).not.toContain("Relu");
    expect(await kernelsOf(made)).toEqual({ QLinearConv: 1 });
    expect(await agreementDb(relu, made, feeds())).toBeGreaterThan(28);
  });

  it("Clip goes too, with bounds as inputs or as attributes", async () => {
    const clip = followed([["Clip", ["c", "low", "high"], ["y"]]], [scalar("low", 0), scalar("high", 0.5)]);
    const bounds = { min: { kind: "float", value: 0 }, max: { kind: "float", value: 0.5 } } as const;
    const old = followed([["Clip", ["c"], ["y"], { attributes: bounds }]], [], 10);
    for (const m of [clip, old]) {
      const made = await quantized(m);
      expect(ops(made)).not.toContain("Clip");
      expect((stored(made, "y_s").data as Float32Array)[0]).toBe(Math.fround(0.5 / 255));
      expect(await kernelsOf(made)).toEqual({ QLinearConv: 1 });
      expect(await agreementDb(m, made, feeds())).toBeGreaterThan(25);
    }
  });

  it("Relu stays where zero is in the middle of the range, and where others read what is in front of it", async () => {
    const symmetric = await quantized(relu, image, { activationSymmetric: true });
    expect(ops(symmetric)).toContain("Relu");
    expect(await agreementDb(relu, symmetric, feeds())).toBeGreaterThan(25);
    const both = followed([
      ["Relu", ["c"], ["r"]],
      ["Add", ["c", "r"], ["y"]],
    ]);
    const made = await quantized(both);
    expect(ops(made)).toContain("Relu");
    expect(await kernelsOf(made)).toEqual({ QLinearConv: 1 });
    expect(await agreementDb(both, made, feeds())).toBeGreaterThan(25);
  });

  it("BatchNormalization, and constants a channel, go into the weights of every mode", async () => {
    const vector = (name: string, seed: number, shift = 0) =>
      tensorToProto(
        tensor(
          "float32",
          [12],
          noise(12, seed, 0.2).map((v) => Math.abs(v) + shift),
        ),
        name,
      );
    const m = followed(
      [
        ["BatchNormalization", ["c", "g", "B", "mu", "var"], ["n"]],
        ["Mul", ["n", "m"], ["p"]],
        ["Add", ["one", "p"], ["q"]],
        ["Relu", ["q"], ["y"]],
      ],
      [
        vector("g", 4, 0.5),
        vector("B", 5),
        vector("mu", 6),
        vector("var", 8, 0.3),
        scalar("m", 1.5),
        scalar("one", 0.25),
      ],
    );
    const made = await quantized(m);
    expect(ops(made).filter((op) => !op.endsWith("Linear"))).toEqual(["Conv"]);
    expect(await kernelsOf(made)).toEqual({ QLinearConv: 1 });
    expect(await agreementDb(m, made, feeds())).toBeGreaterThan(28);
  });
});

describe("biases that are large beside the weights", () => {
  it("keep their value: scales make room for them in int32", async () => {
    const weights = noise(12 * 72, 1, 0.2).map((w, i) => (i < 72 ? 0 : i < 144 ? w * 1e-9 : w));
    const biases = noise(12, 3).map((b, i) => (i < 2 ? 40 + i : b));
    const m = convolution({
      initializers: [
        tensorToProto(tensor("float32", [12, 8, 3, 3], weights), "W"),
        tensorToProto(tensor("float32", [12], biases), "b"),
      ],
    });
    const made = await quantized(m);
    const integers = stored(made, "b_q").data as Int32Array;
    const steps = stored(made, "b_scale").data as Float32Array;
    for (const [i, bias] of biases.entries()) {
      expect(Math.abs(integers[i] ?? 0)).toBeLessThanOrEqual(2 ** 30 + 64);
      expect((integers[i] ?? 0) * (steps[i] ?? 0)).toBeCloseTo(bias, 2);
    }
    expect(await agreementDb(m, made, feeds())).toBeGreaterThan(25);
  });
});

describe("convolutions that stay in float say why", () => {
  it.each<[string, readonly number[], { readonly group?: number }, RegExp]>([
    ["depthwise over two axes", [64, 1, 3, 3], { group: 64 }, /measured slower .*depthwise over 2 axes/],
    [
      "small groups",
      [64, 8, 3, 3],
      { group: 8 },
      /measured slower .*8 input channels a group, fewer than 32/,
    ],
    ["few products", [16, 3, 3, 3], {}, /measured slower .*27 products a value, fewer than 64/],
  ])("%s", async (_, weight, attributes, reason) => {
    const [outputs = 0, channels = 0] = weight;
    const shape = [1, channels * (attributes.group ?? 1), 9, 9];
    const m = convolution({
      nodes: [
        node("Conv", ["x", "W"], ["c"], { name: "conv", attributes }),
        node("Conv", ["c", "V"], ["y"], { name: "other" }),
      ],
      initializers: [matrix("W", weight), matrix("V", [8, outputs, 3, 3])],
      shape,
    });
    const plan = await planOf(m, shape);
    expect(reasonsOf(plan)).toEqual([["conv", expect.stringMatching(reason)]]);
    expect(await kernelsOf((await apply(m, plan)).model)).toEqual({ Conv: 1, QLinearConv: 1 });
  });

  it("a convolution of constants", async () => {
    const m = convolution({
      nodes: [
        node("Conv", ["K", "W"], ["c"], { name: "constant", attributes }),
        node("Conv", ["x", "W"], ["d"], { name: "conv", attributes }),
        node("Add", ["c", "d"], ["y"]),
      ],
      initializers: [matrix("W", [8, 8, 3, 3], 1, 0.2), matrix("K", image, 2)],
    });
    const plan = await planOf(m);
    expect(reasonsOf(plan)).toEqual([["constant", "its input is constant too"]]);
    expect(await agreementDb(m, (await apply(m, plan)).model, feeds())).toBeGreaterThan(25);
  });

  it("a bias that is computed", async () => {
    const m = convolution({
      nodes: [
        node("ReduceMean", ["x"], ["c"], { attributes: { axes: [0, 2, 3], keepdims: 0 } }),
        node("Conv", ["x", "W", "c"], ["y"], { name: "conv", attributes }),
      ],
      initializers: [matrix("W", [8, 8, 3, 3])],
    });
    expect(reasonsOf(await planOf(m))).toEqual([
      ["conv", expect.stringContaining("its bias is not constant")],
    ]);
  });
});

describe("recurrent layers", () => {
  const recurrent = (op: "LSTM" | "GRU" | "RNN", gates: number) =>
    model({
      nodes: [
        node(op, ["x", "W", "R"], ["", "h"], { name: "steps", attributes: { hidden_size: 8 } }),
        node("MatMul", ["h", "P"], ["y"], { name: "head" }),
      ],
      initializers: [
        matrix("W", [1, 8 * gates, 16]),
        matrix("R", [1, 8 * gates, 8], 2),
        matrix("P", [8, 16], 3),
      ],
      inputs: [makeValueInfo("x", "float32", [5, 1, 16])],
    });
  const shape = [5, 1, 16];

  it.each([
    ["GRU", 3],
    ["RNN", 1],
  ] as const)("%s stays in float in every mode, of any size, and says why", async (op, gates) => {
    for (const mode of ["dynamic", "static", "int4", "weight-only"] as const) {
      const m = recurrent(op, gates);
      const data = mode === "static" ? { calibrationData: batches(shape) } : {};
      const made = await plan(m, { mode, ...data });
      expect(reasonsOf(made)).toEqual([
        ["steps", `ONNX Runtime has no int8 kernel for ${op} (it has one for LSTM, dynamic)`],
      ]);
      expect(ops((await apply(m, made)).model)).toContain(op);
    }
  });

  it("an LSTM stays in float in static mode, and can be quantized in its result", async () => {
    const m = recurrent("LSTM", 4);
    const made = await planOf(m, shape);
    expect(reasonsOf(made)).toEqual([
      [
        "steps",
        expect.stringContaining(
          "quantized at run time (use dynamic quantization, here or on the static result",
        ),
      ],
    ]);
    const { model: first } = await apply(m, made);
    const both = await dynamic.quantize(first, { opTypes: ["LSTM"] });
    expect(await kernelsOf(both)).toMatchObject({ DynamicQuantizeLSTM: 1, MatMulIntegerToFloat: 1 });
    expect(await agreementDb(m, both, feeds(shape))).toBeGreaterThan(20);
  });
});

describe("one input of several", () => {
  const three = ["a", "b", "c"];
  it("is quantized once for convolutions, and a convolution's result is not rounded again", async () => {
    const m = convolution({
      nodes: [
        node("Conv", ["x", "Wa"], ["a"], { attributes }),
        node("Conv", ["x", "Wb"], ["b"], { attributes }),
        node("Add", ["a", "b"], ["s"]),
        node("Conv", ["a", "Wc"], ["t"], { attributes }),
        node("Add", ["s", "t"], ["y"]),
      ],
      initializers: three.map((name, i) => matrix(`W${name}`, [8, 8, 3, 3], i + 1, 0.2)),
    });
    const made = await quantized(m);
    // x, and the three results.
    expect(ops(made).filter((op) => op === "QuantizeLinear")).toHaveLength(4);
    expect(await kernelsOf(made)).toEqual({ QLinearConv: 3 });
    expect(await agreementDb(m, made, feeds())).toBeGreaterThan(25);
  });

  it("is quantized once for query, key and value in either mode", async () => {
    const m = model({
      nodes: [
        ...three.map((name) => node("MatMul", ["x", `W${name}`], [name])),
        node("Add", ["a", "b"], ["s"]),
        node("Add", ["s", "c"], ["y"]),
      ],
      initializers: three.map((name, i) => matrix(`W${name}`, [16, 16], i + 1)),
    });
    const shape = [2, 5, 16];
    expect(ops(await quantized(m, shape)).filter((op) => op === "QuantizeLinear")).toHaveLength(1);
    const made = await dynamic.quantize(m);
    expect(ops(made).filter((op) => op === "DynamicQuantizeLinear")).toHaveLength(1);
    expect(await kernelsOf(made)).toEqual({ MatMulIntegerToFloat: 3 });
  });
});

describe("old operator sets", () => {
  it.each([7, 8, 9])("a model of opset %i is raised to 10, which has QLinearConv", async (opset) => {
    const m = convolution({
      opset,
      irVersion: 3,
      inputs: ["x", "W", "b"].map((name, i) =>
        makeValueInfo(name, "float32", [image, [12, 8, 3, 3], [12]][i] ?? []),
      ),
    });
    const made = await quantized(m);
    expect(made.opsetImport.find(({ domain }) => domain === "")?.version).toBe(10n);
    expect(await kernelsOf(made)).toEqual({ QLinearConv: 1 });
    expect(await agreementDb(m, made, feeds())).toBeGreaterThan(28);
  });
});
