import { cast, type DType, maxAbsoluteError, sqnrDb, type Tensor, toFloat32 } from "@nasty/core";
import {
  type GraphProto,
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  type ModelProto,
  type NodeProto,
  tensorFromProto,
  type TensorProto,
  TensorProto_DataType as DataType,
  tensorToProto,
} from "@nasty/formats/onnx";
import { describeGraph, liftToFloat32, validateModel } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { dynamic, int4, int8, prepareModel, pruner, weightOnly } from "../../src/index.js";
import { float, matrix, ops } from "../tiny-models.js";

type Half = "float16" | "bfloat16";

const half = (proto: TensorProto, dtype: DType = "float16"): TensorProto =>
  tensorToProto(cast(tensorFromProto(proto), dtype), proto.name);

const numberOf = { float16: DataType.FLOAT16, bfloat16: DataType.BFLOAT16 } as const;

/** The unit matrix. */
const square = (): Tensor => ({
  dtype: "float32",
  shape: [24, 24],
  data: Float32Array.from({ length: 576 }, (_, i) => (i % 25 === 0 ? 1 : 0)),
});

/** x [batch, 16] in 16 bits → products, a branch with weights of its own, constants of every kind → y in 16 bits. */
function halfModel(dtype: Half = "float16", eye: "stored" | "made" = "stored"): ModelProto {
  const type = numberOf[dtype];
  const scalar = (value: number) =>
    half(tensorToProto({ dtype: "float32", shape: [1], data: Float32Array.of(value) }, ""), dtype);
  const branch = (name: string, nodes: readonly NodeProto[], initializers: TensorProto[] = []): GraphProto =>
    makeGraph(name, { nodes, initializers, outputs: [makeValueInfo("t", dtype)] });
  const nodes = [
    makeNode("MatMul", ["x", "W"], ["p"], { name: "dense" }),
    makeNode("Constant", [], ["two"], { attributes: { value: scalar(2) } }),
    makeNode("Mul", ["p", "two"], ["m"], { name: "twice" }),
    makeNode("Shape", ["m"], ["shape"]),
    makeNode("ConstantOfShape", ["shape"], ["halves"], { attributes: { value: scalar(0.5) } }),
    makeNode("Add", ["m", "halves"], ["a"], { name: "shifted" }),
    ...(eye === "made" ? [makeNode("EyeLike", ["square"], ["eye"], { attributes: { dtype: type } })] : []),
    makeNode("MatMul", ["a", "eye"], ["e"], { name: "same" }),
    makeNode("Cast", ["e"], ["wide"], { attributes: { to: DataType.FLOAT } }),
    makeNode("Tanh", ["wide"], ["bounded"], { name: "tanh" }),
    makeNode("Cast", ["bounded"], ["narrow"], { attributes: { to: type } }),
    makeNode("If", ["condition"], ["y"], {
      name: "choice",
      attributes: {
        then_branch: branch(
          "then",
          [makeNode("MatMul", ["narrow", "V"], ["t"], { name: "inner" })],
          [half(matrix("V", [24, 16], 4), dtype)],
        ),
        else_branch: branch("else", [makeNode("Identity", ["x"], ["t"])]),
      },
    }),
  ];
  const graph = makeGraph("half", {
    nodes,
    inputs: [makeValueInfo("x", dtype, ["batch", 16]), makeValueInfo("condition", "bool", [])],
    outputs: [makeValueInfo("y", dtype, ["batch", 16])],
    valueInfo: [makeValueInfo("p", dtype, ["batch", 24])],
    initializers: [
      half(matrix("W", [16, 24]), dtype),
      eye === "made" ? tensorToProto(square(), "square") : half(tensorToProto(square(), "eye"), dtype),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

const feeds = (): Record<string, Tensor> => ({
  x: cast(float([5, 16]), "float16"),
  condition: { dtype: "bool", shape: [], data: Uint8Array.of(1) },
});

async function run(m: ModelProto, given = feeds()): Promise<Tensor> {
  const session = await openSession(m);
  try {
    return (await session.run(given))["y"] as Tensor;
  } finally {
    await session.close();
  }
}

const dtypesOf = (m: ModelProto): string[] => describeGraph(m).precisions.map(({ dtype }) => dtype);

describe("liftToFloat32", () => {
  it("computes in float32 what the runtime computes in float16, and keeps the types of inputs and outputs", async () => {
    const m = halfModel();
    const lifted = liftToFloat32(m);
    expect(lifted).toMatchObject({ from: ["float16"], tensors: 5 });
    const { model } = lifted as { model: ModelProto };
    validateModel(model);
    expect(dtypesOf(model)).toEqual(["float32"]);
    const [before, after] = [await run(m), await run(model)];
    expect(after.dtype).toBe("float16");
    expect(after.shape).toEqual(before.shape);
    // 11 bits of mantissa, values up to 4.
    expect(maxAbsoluteError(toFloat32(before), toFloat32(after))).toBeLessThan(2e-2);
    expect(ops(model).filter((op) => op === "Cast")).toHaveLength(2);
  });

  it("lifts attributes that name a type: EyeLike, for which the runtime has no kernel in float16", async () => {
    const [stored, made] = (["stored", "made"] as const).map(
      (eye) => liftToFloat32(halfModel("float16", eye))?.model,
    );
    expect(await run(made as ModelProto)).toEqual(await run(stored as ModelProto));
  });

  it("widens values exactly", () => {
    const m = halfModel();
    const [weight] = m.graph?.initializer ?? [];
    const lifted = liftToFloat32(m)?.model.graph?.initializer.find(({ name }) => name === "W");
    expect(tensorFromProto(lifted as TensorProto).data).toEqual(
      toFloat32(tensorFromProto(weight as TensorProto)),
    );
  });

  it("leaves a model without 16-bit floats alone, and float64", async () => {
    const wide = makeModel(
      makeGraph("wide", {
        nodes: [makeNode("MatMul", ["x", "W"], ["y"])],
        inputs: [makeValueInfo("x", "float64", ["batch", 16])],
        outputs: [makeValueInfo("y", "float64")],
        initializers: [half(matrix("W", [16, 16]), "float64")],
      }),
    );
    expect(liftToFloat32(wide)).toBeUndefined();
    expect(prepareModel(wide)).toEqual({ model: wide, changes: [] });
    await expect(dynamic.quantize(wide)).rejects.toThrow(/MatMul: weight is float64, expected float32/);
  });

  it("hands inputs and constants through where they are outputs", async () => {
    const m = makeModel(
      makeGraph("through", {
        nodes: [makeNode("Relu", ["x"], ["r"]), makeNode("Add", ["r", "y"], ["z"])],
        inputs: [makeValueInfo("x", "float16", [2])],
        outputs: ["x", "y", "z"].map((name) => makeValueInfo(name, "float16", [2])),
        initializers: [
          half(tensorToProto({ dtype: "float32", shape: [2], data: Float32Array.of(1, 2) }, "y")),
        ],
      }),
      { opsets: { "": 17 }, irVersion: 8 },
    );
    const session = await openSession(liftToFloat32(m)?.model as ModelProto);
    const x = cast({ dtype: "float32", shape: [2], data: Float32Array.of(-1, 3) }, "float16");
    const results = await session.run({ x });
    await session.close();
    expect(Object.values(results).map((value) => [value.dtype, ...toFloat32(value)])).toEqual([
      ["float16", -1, 3],
      ["float16", 1, 2],
      ["float16", 1, 5],
    ]);
  });

  it("refuses what it cannot cast at the boundary", () => {
    const m = halfModel();
    const [x] = m.graph?.input ?? [];
    const sequence = { case: "sequenceType", value: { elemType: x?.type } };
    const type = { ...x?.type, value: sequence };
    const graph = { ...m.graph, input: [{ ...x, type }] };
    expect(() => liftToFloat32({ ...m, graph } as never)).toThrow(
      expect.objectContaining({
        code: "unsupported-type",
        message:
          'liftToFloat32: value "x": type: expected a tensor at the boundary of the model, got a sequenceType of 16-bit floats; export the model in float32',
      }),
    );
  });
});

describe("a model in 16-bit floats", () => {
  it("is quantized in every mode and pruned, and that is said", async () => {
    const m = halfModel();
    const original = toFloat32(await run(m));
    const said = "float16 was lifted to float32 (5 tensors): inputs and outputs keep their types, by a cast";
    const plan = await dynamic.plan(m);
    expect(plan.warnings).toContain(said);
    expect(plan.tensors.map(({ name }) => name)).toEqual(["W", "eye", "V"]);
    const calibration = { calibrationData: [{ feeds: feeds() }] };
    const models: [ModelProto, decibels: number][] = [
      [(await dynamic.apply(m, plan)).model, 25],
      [await dynamic.quantize(m), 25],
      [await int8.quantize(m, calibration), 25],
      [await weightOnly.quantize(m), 25],
      [await int4.quantize(m), 12],
    ];
    for (const [quantized, decibels] of models) {
      const got = await run(quantized);
      expect(got.dtype).toBe("float16");
      expect(sqnrDb(original, toFloat32(got))).toBeGreaterThan(decibels);
    }
    const pruning = await pruner.plan(m, { sparsity: 0.5 });
    expect(pruning.warnings).toContain(said);
    expect(pruning.tensors.map(({ name }) => name)).toEqual(["W", "eye", "V"]);
    expect((await run((await pruner.apply(m, pruning)).model)).dtype).toBe("float16");
  });

  it("may be of bfloat16, which the runtime has few kernels for", async () => {
    const m = halfModel("bfloat16");
    expect(prepareModel(m).changes).toEqual([
      "bfloat16 was lifted to float32 (5 tensors): inputs and outputs keep their types, by a cast",
    ]);
    expect((await dynamic.plan(m)).tensors).toHaveLength(3);
    validateModel(await dynamic.quantize(m));
  });
});
