import { tensor } from "@nasty/core";
import { makeGraph, makeValueInfo, serializeModel, tensorToProto } from "@nasty/formats/onnx";
import { auditModel } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import {
  CompressionError,
  dynamic,
  historyOf,
  int4,
  int8,
  type QuantizationPlan,
  weightOnly,
} from "../../src/index.js";
import {
  agreementDb,
  float,
  initializerNames,
  int64,
  linear,
  matrix,
  model,
  node,
  noise,
  ops,
  run,
} from "../tiny-models.js";

const x = { x: float([2, 5, 16]) };

async function failure(action: Promise<unknown>): Promise<CompressionError> {
  try {
    await action;
  } catch (error) {
    expect(error).toBeInstanceOf(CompressionError);
    return error as CompressionError;
  }
  return expect.unreachable();
}

describe("dynamic: products", () => {
  it("writes the pattern that the runtime fuses, bias included, into one kernel", async () => {
    const quantized = await dynamic.quantize(linear());
    expect(ops(quantized)).toEqual(["DynamicQuantizeLinear", "MatMulInteger", "Cast", "Mul", "Mul", "Add"]);
    const audit = await auditModel(quantized);
    expect(audit.kernels).toEqual([
      { op: "DynamicQuantizeMatMul", domain: "com.microsoft", class: "quantized", count: 1 },
    ]);
    expect(audit.nodes).toBe(1);
    expect(await agreementDb(linear(), quantized, x)).toBeGreaterThan(35);
  });

  it("quantizes an input that several products read once", async () => {
    const m = model({
      nodes: [
        node("MatMul", ["x", "A"], ["a"]),
        node("MatMul", ["x", "B"], ["b"]),
        node("Add", ["a", "b"], ["y"]),
      ],
      initializers: [matrix("A", [16, 16]), matrix("B", [16, 16], 5)],
    });
    const quantized = await dynamic.quantize(m);
    expect(ops(quantized).filter((op) => op === "DynamicQuantizeLinear")).toHaveLength(1);
    expect((await auditModel(quantized)).quantizedKernels).toBe(2);
    expect(await agreementDb(m, quantized, x)).toBeGreaterThan(35);
  });

  it("has one scale a column, or one in all", async () => {
    const scaleDims = async (perChannel: boolean): Promise<bigint[] | undefined> =>
      (await dynamic.quantize(linear(), { perChannel })).graph?.initializer.find(
        ({ name }) => name === "W_scale",
      )?.dims;
    expect(await scaleDims(true)).toEqual([24n]);
    expect(await scaleDims(false)).toEqual([]);
  });

  it("gives asymmetric weights their zero points, and reduced ones 7 bits", async () => {
    const shifted = tensorToProto(
      tensor(
        "float32",
        [16, 24],
        noise(384).map((value) => value + 2),
      ),
      "W",
    );
    const m = linear({ initializers: [shifted, matrix("b", [24], 3)] });
    const asymmetric = await dynamic.quantize(m, { symmetric: false });
    expect(initializerNames(asymmetric)).toContain("W_zp");
    expect(initializerNames(await dynamic.quantize(m))).not.toContain("W_zp");
    expect(await agreementDb(m, asymmetric, x)).toBeGreaterThan(
      await agreementDb(m, await dynamic.quantize(m), x),
    );
    const reduced = await dynamic.quantize(linear(), { reduceRange: true });
    const raw = reduced.graph?.initializer.find(({ name }) => name === "W_q")?.rawData ?? new Uint8Array();
    expect(Math.max(...new Int8Array(raw).map(Math.abs))).toBe(64);
  });

  it("splits Gemm with transposed operands, alpha and beta", async () => {
    const gemm = (
      attributes: Record<string, number | { kind: "float"; value: number }>,
      weight: readonly number[],
    ) =>
      model({
        nodes: [node("Gemm", ["x", "W", "c"], ["y"], { name: "g", attributes })],
        initializers: [matrix("W", weight), matrix("c", [24], 2)],
        inputs: [makeValueInfo("x", "float32", ["rows", "columns"])],
      });
    const half = { kind: "float", value: 0.5 } as const;
    for (const m of [
      gemm({}, [16, 24]),
      gemm({ transB: 1 }, [24, 16]),
      gemm({ transB: 1, alpha: half, beta: half }, [24, 16]),
      gemm({ transA: 1, alpha: half }, [16, 24]),
    ]) {
      const rows =
        m.graph?.node[0]?.attribute.some(({ name }) => name === "transA") === true ? [16, 3] : [3, 16];
      const quantized = await dynamic.quantize(m);
      expect(ops(quantized)).not.toContain("Gemm");
      expect(await agreementDb(m, quantized, { x: float(rows) })).toBeGreaterThan(30);
    }
  });

  it("finds weights in Constant nodes, through Identity and Transpose, and stores a shared one once", async () => {
    const weight = tensor("float32", [16, 16], noise(256, 4));
    const m = model({
      nodes: [
        node("Constant", [], ["K"], { attributes: { value: weight } }),
        node("Identity", ["K"], ["K2"]),
        node("Transpose", ["K"], ["KT"], { attributes: { perm: [1, 0] } }),
        node("MatMul", ["x", "K2"], ["a"], { name: "first" }),
        node("Relu", ["a"], ["r"]),
        node("MatMul", ["r", "K"], ["b"], { name: "second" }),
        node("MatMul", ["b", "KT"], ["y"], { name: "turned" }),
      ],
    });
    const { model: quantized, report } = await dynamic.apply(m, await dynamic.plan(m));
    expect(ops(quantized)).not.toContain("Constant");
    // Straight columns and transposed columns are different groups of the same matrix.
    expect(report.tensors.map(({ name, granularity }) => [name, granularity])).toEqual([
      ["K", { kind: "per-channel", axis: 1 }],
      ["K", { kind: "per-channel", axis: 0 }],
    ]);
    expect(report.warnings.join()).toContain("K is read along different axes");
    expect((await auditModel(quantized)).quantizedKernels).toBe(3);
    expect(await agreementDb(m, quantized, x)).toBeGreaterThan(30);
  });

  it("uses the runtime's own operator where the operator set is too old", async () => {
    const m = linear({ opset: 9, irVersion: 4 });
    const quantized = await dynamic.quantize(m);
    expect(ops(quantized)).toEqual(["DynamicQuantizeMatMul", "Add"]);
    expect(await agreementDb(m, quantized, x)).toBeGreaterThan(35);
  });

  it("quantizes the bodies of If", async () => {
    const branch = (name: string, weight: string) =>
      makeGraph(name, {
        nodes: [node("MatMul", ["x", weight], [`${name}_y`], { name: `${name}_dense` })],
        outputs: [makeValueInfo(`${name}_y`, "float32")],
        initializers: weight === "inner" ? [matrix("inner", [16, 16], 8)] : [],
      });
    const m = model({
      nodes: [
        node("If", ["c"], ["y"], {
          attributes: { then_branch: branch("yes", "inner"), else_branch: branch("no", "outer") },
        }),
      ],
      initializers: [matrix("outer", [16, 16], 9)],
      inputs: [makeValueInfo("x", "float32", ["batch", "length", 16]), makeValueInfo("c", "bool", [])],
    });
    const quantized = await dynamic.quantize(m);
    expect((await auditModel(quantized)).quantizedKernels).toBe(2);
    for (const c of [0, 1]) {
      expect(
        await agreementDb(m, quantized, { ...x, c: tensor("bool", [], Uint8Array.of(c)) }),
      ).toBeGreaterThan(35);
    }
  });
});

describe("dynamic: embeddings", () => {
  const ids = { ids: int64([1, 30, 7, 7, 0, 2], [2, 3]) };
  const inputs = [makeValueInfo("ids", "int64", ["batch", "length"])];
  const table = (options = {}) =>
    dynamic.quantize(
      model({ nodes: [node("Gather", ["T", "ids"], ["y"])], initializers: [matrix("T", [32, 16])], inputs }),
      options,
    );
  const original = model({
    nodes: [node("Gather", ["T", "ids"], ["y"])],
    initializers: [matrix("T", [32, 16])],
    inputs,
  });

  it("gathers int8 rows and scales only those", async () => {
    for (const options of [
      {},
      { perChannel: false },
      { symmetric: false },
      { perChannel: false, symmetric: false },
    ]) {
      const quantized = await table(options);
      const read = ops(quantized).filter((op) => op !== "Gather");
      expect(read.slice(0, 2)).toEqual(["Cast", "Mul"]);
      expect(initializerNames(quantized)).not.toContain("T");
      expect(await agreementDb(original, quantized, ids)).toBeGreaterThan(38);
    }
  });

  it("has a scale for each row, or for each column of a table with few rows", async () => {
    const made = async (shape: readonly number[]) => {
      const m = model({
        nodes: [node("Gather", ["T", "ids"], ["y"])],
        initializers: [matrix("T", shape)],
        inputs,
      });
      return dynamic.apply(m, await dynamic.plan(m));
    };
    const long = await made([40, 16]);
    expect(long.report.tensors[0]?.granularity).toEqual({ kind: "per-channel", axis: 0 });
    expect(ops(long.model)).toEqual(["Gather", "Cast", "Gather", "Mul"]);
    const short = await made([8, 16]);
    expect(short.report.tensors[0]?.granularity).toEqual({ kind: "per-channel", axis: 1 });
    expect(ops(short.model)).toEqual(["Gather", "Cast", "Mul"]);
  });

  it("keeps a loud row's scale from the others", async () => {
    const values = noise(40 * 16);
    values.fill(50, 16, 32);
    const m = model({
      nodes: [node("Gather", ["T", "ids"], ["y"])],
      initializers: [tensorToProto(tensor("float32", [40, 16], values), "T")],
      inputs,
    });
    const quiet = { ids: int64([0, 2, 3, 30], [1, 4]) };
    expect(await agreementDb(m, await dynamic.quantize(m), quiet)).toBeGreaterThan(38);
    expect(await agreementDb(m, await dynamic.quantize(m, { perChannel: false }), quiet)).toBeLessThan(15);
  });

  it("stores a table once that an output layer is tied to", async () => {
    const m = model({
      nodes: [
        node("Gather", ["T", "ids"], ["e"]),
        node("Transpose", ["T"], ["Tt"], { attributes: { perm: [1, 0] } }),
        node("MatMul", ["e", "Tt"], ["y"]),
      ],
      initializers: [matrix("T", [32, 16])],
      inputs,
    });
    const { model: quantized, report } = await dynamic.apply(m, await dynamic.plan(m));
    expect(report.tensors).toHaveLength(1);
    const bytes = quantized.graph?.initializer
      .filter(({ dataType }) => dataType === 3)
      .map(({ rawData }) => rawData.length);
    expect(bytes).toEqual([32 * 16]);
    expect((await auditModel(quantized)).quantizedKernels).toBe(1);
    expect(await agreementDb(m, quantized, ids)).toBeGreaterThan(30);
  });
});

describe("dynamic: LSTM and Conv", () => {
  const lstm = (direction: string) => {
    const directions = direction === "bidirectional" ? 2 : 1;
    return model({
      nodes: [node("LSTM", ["x", "W", "R", "B"], ["", "y"], { attributes: { hidden_size: 8, direction } })],
      initializers: [
        matrix("W", [directions, 32, 16]),
        matrix("R", [directions, 32, 8], 2),
        matrix("B", [directions, 64], 3),
      ],
    });
  };

  it("turns LSTM into the runtime's int8 one, in each direction and granularity", async () => {
    for (const direction of ["forward", "reverse", "bidirectional"]) {
      for (const perChannel of [true, false]) {
        const quantized = await dynamic.quantize(lstm(direction), { perChannel });
        expect(ops(quantized)).toEqual(["DynamicQuantizeLSTM"]);
        expect(await agreementDb(lstm(direction), quantized, x)).toBeGreaterThan(25);
      }
    }
  });

  /** Two LSTMs in a row, the second of which reads other weights or some of the first's. */
  const stacked = (second: { readonly W: string; readonly R: string }, hidden = 16) =>
    model({
      nodes: [
        node("LSTM", ["x", "W1", "R1", "B"], ["h4"], { attributes: { hidden_size: hidden } }),
        node("Squeeze", ["h4", "axis"], ["h"]),
        node("LSTM", ["h", second.W, second.R, "B"], ["", "y"], { attributes: { hidden_size: hidden } }),
      ],
      initializers: [
        matrix("W1", [1, 4 * hidden, 16]),
        matrix("R1", [1, 4 * hidden, hidden], 2),
        matrix("W2", [1, 4 * hidden, hidden], 3),
        matrix("R2", [1, 4 * hidden, hidden], 4),
        matrix("B", [1, 8 * hidden], 5),
        tensorToProto(tensor("int64", [1], BigInt64Array.of(1n)), "axis"),
      ],
    });

  it.each([
    ["the recurrent weight of another LSTM", { W: "W2", R: "R1" }, 16],
    ["both weights of another", { W: "W1", R: "R1" }, 16],
    ["another's weights the other way round", { W: "R1", R: "W1" }, 16],
    ["one weight twice", { W: "W2", R: "W2" }, 16],
    ["another's recurrent weight, as its input weight, of unequal sizes", { W: "R1", R: "R2" }, 12],
  ])("binds the weights of an LSTM by the inputs that read them: %s", async (_, second, hidden) => {
    const m = stacked(second, hidden);
    for (const quantized of [
      await dynamic.quantize(m),
      await dynamic.quantize(m, { perChannel: false }),
      await int4.quantize(m),
    ])
      expect(await agreementDb(m, quantized, x)).toBeGreaterThan(25);
  });

  it("gives channels of zeros the zero point that the kernel takes for all", async () => {
    const weights = noise(8 * 5 * 3);
    // The first channel: its zero point was the only one that was passed on.
    weights.fill(0, 0, 15);
    weights.fill(0, 45, 60);
    const convolution = (W: Float32Array) =>
      model({
        nodes: [node("Conv", ["x", "W"], ["y"], { name: "conv", attributes: { pads: [1, 1] } })],
        initializers: [tensorToProto(tensor("float32", [8, 5, 3], W), "W")],
        inputs: [makeValueInfo("x", "float32", ["batch", 5, "length"])],
      });
    const m = convolution(weights);
    for (const options of [{}, { perChannel: false }, { symmetric: false }, { reduceRange: true }]) {
      const quantized = await dynamic.quantize(m, { opTypes: ["Conv"], ...options });
      const db = await agreementDb(m, quantized, { x: float([2, 5, 9]) });
      expect(db, JSON.stringify(options)).toBeGreaterThan(25);
    }
    const empty = convolution(new Float32Array(120));
    const { y } = await run(await dynamic.quantize(empty, { opTypes: ["Conv"] }), { x: float([2, 5, 9]) });
    expect(y).toMatchObject({ data: new Float32Array(2 * 8 * 9) });
  });

  it("leaves Conv in float unless asked, and says why", async () => {
    const m = model({
      nodes: [node("Conv", ["x", "W", "b"], ["y"], { name: "conv", attributes: { pads: [1, 1] } })],
      initializers: [matrix("W", [8, 5, 3]), matrix("b", [8], 2)],
      inputs: [makeValueInfo("x", "float32", ["batch", 5, "length"])],
    });
    const { keptInFloat } = await dynamic.plan(m);
    expect(keptInFloat).toEqual([
      { name: "conv", op: "Conv", reason: expect.stringContaining("no fast int8 kernel") },
    ]);
    const quantized = await dynamic.quantize(m, { opTypes: ["Conv"] });
    expect(ops(quantized)).toContain("ConvInteger");
    expect(await agreementDb(m, quantized, { x: float([2, 5, 9]) })).toBeGreaterThan(30);
  });
});

describe("dynamic: what stays in float", () => {
  it("lists each node with its reason", async () => {
    const m = model({
      nodes: [
        node("MatMul", ["x", "W"], ["a"], { name: "kept" }),
        node("MatMul", ["a", "a"], ["s"], { name: "scores" }),
        node("MatMul", ["a", "V"], ["y"], { name: "wanted" }),
        node("MatMul", ["a", "tiny"], ["t"], { name: "small" }),
      ],
      initializers: [matrix("W", [16, 16]), matrix("V", [16, 16], 2), matrix("tiny", [16, 2])],
      outputs: ["y", "s", "t"],
    });
    const { keptInFloat, tensors } = await dynamic.plan(m, { skipLayers: ["kept"] });
    expect(keptInFloat).toEqual([
      { name: "scores", op: "MatMul", reason: "weight is not constant" },
      { name: "kept", op: "MatMul", reason: "skipped by pattern kept" },
      { name: "small", op: "MatMul", reason: "smaller than 64 elements (32)" },
    ]);
    expect(tensors.map(({ name }) => name)).toEqual(["V"]);
    expect((await dynamic.plan(m, { minimumElements: 0, opTypes: ["Gather"] })).tensors).toEqual([]);
  });

  it("skips by the weight's name too, and refuses a pattern that matches nothing", async () => {
    expect((await dynamic.plan(linear(), { skipLayers: ["W"] })).tensors).toEqual([]);
    const error = await failure(dynamic.plan(linear(), { skipLayers: ["dence"] }));
    expect(error.code).toBe("no-such-layer");
    expect(error.message).toBe(
      "dynamic.plan: skipLayers: dence: expected at least one matching layer, got none of 1 (nearest: dense, W)",
    );
  });

  it("says that a graph was fused or quantized before", async () => {
    const fused = model({
      nodes: [node("FusedMatMul", ["x", "W"], ["y"], { name: "f", domain: "com.microsoft" })],
      initializers: [matrix("W", [16, 128])],
    });
    const plan = await dynamic.plan(fused);
    expect(plan.warnings.join()).toContain("FusedMatMul ×1");
    expect(plan.keptInFloat[0]?.reason).toContain("no int8 kernel for FusedMatMul");
    expect((await failure(dynamic.quantize(fused))).code).toBe("nothing-to-quantize");
    const twice = await failure(dynamic.quantize(await dynamic.quantize(linear())));
    expect(twice.code).toBe("already-quantized");
    expect(twice.message).toContain("quantized already (DynamicQuantizeLinear, MatMulInteger)");
  });

  it("refuses in every mode what is quantized in part: left-over scales are no weights", async () => {
    const ids = makeValueInfo("i", "int64", ["length"]);
    const table = model({
      nodes: [node("Gather", ["E", "i"], ["e"]), node("MatMul", ["e", "W"], ["y"], { name: "dense" })],
      initializers: [matrix("E", [90, 16]), matrix("W", [16, 24])],
      inputs: [ids],
    });
    for (const skipLayers of [["dense"], ["E"]]) {
      const half = await dynamic.quantize(table, { skipLayers });
      const what = skipLayers[0] === "dense" ? "Gather" : "DynamicQuantizeLinear, MatMulInteger";
      for (const plan of [dynamic.plan, int4.plan, weightOnly.plan])
        expect((await failure(plan(half))).message).toContain(`quantized already (${what})`);
      await expect(int8.plan(half, {})).rejects.toMatchObject({ code: "already-quantized" });
    }
  });

  it("quantizes LSTMs after all else, where only they are asked for, and only once", async () => {
    const attributes = { hidden_size: 8, direction: "forward" };
    const m = model({
      nodes: [
        node("Gather", ["E", "i"], ["e"]),
        node("LSTM", ["e", "W", "R", "B"], ["", "y"], { attributes }),
      ],
      initializers: [
        matrix("E", [90, 16]),
        matrix("W", [1, 32, 16]),
        matrix("R", [1, 32, 8], 5),
        matrix("B", [1, 64], 7),
      ],
      inputs: [makeValueInfo("i", "int64", ["length", "batch"])],
    });
    const half = await dynamic.quantize(m, { opTypes: ["Gather"] });
    expect((await failure(dynamic.plan(half))).code).toBe("already-quantized");
    const whole = await dynamic.quantize(half, { opTypes: ["LSTM"] });
    expect(ops(whole)).toContain("DynamicQuantizeLSTM");
    expect((await failure(dynamic.plan(whole, { opTypes: ["LSTM"] }))).code).toBe("already-quantized");
  });

  it("makes constants of weights that are listed as inputs", async () => {
    const listed = linear({
      inputs: [makeValueInfo("x", "float32", ["b", "l", 16]), makeValueInfo("W", "float32", [16, 24])],
    });
    expect((await dynamic.plan(listed)).warnings.join()).toContain("1 weights are listed as inputs");
    const quantized = await dynamic.quantize(listed);
    expect(quantized.graph?.input.map(({ name }) => name)).toEqual(["x"]);
    expect(await agreementDb(linear(), quantized, x)).toBeGreaterThan(35);
  });
});

describe("dynamic: the file", () => {
  it("names the tensor that holds a NaN or an infinity", async () => {
    for (const bad of [Number.NaN, Infinity]) {
      const data = noise(384);
      data[17] = bad;
      const m = linear({
        initializers: [tensorToProto(tensor("float32", [16, 24], data), "W"), matrix("b", [24])],
      });
      const error = await failure(dynamic.quantize(m));
      expect(error).toMatchObject({ code: "not-finite", tensor: "W", kind: "input" });
      expect(error.message).toBe(`quantize: tensor "W": element 17: expected a finite number, got ${bad}`);
    }
  });

  it("is the same twice, leaves its input alone, and carries no stale shapes or prose", async () => {
    const m = linear();
    const before = serializeModel(m);
    if (m.graph !== undefined) {
      m.graph.valueInfo.push(makeValueInfo("p", "float32", ["batch", "length", 24]));
      m.graph.docString = "prose";
    }
    const first = await dynamic.quantize(m);
    expect(serializeModel(first)).toEqual(serializeModel(await dynamic.quantize(m)));
    expect(first.graph?.valueInfo).toEqual([]);
    expect(first.graph?.docString).toBe("");
    expect(serializeModel(linear())).toEqual(before);
  });

  it("records the step, its options and where the input came from", async () => {
    const provenance = { inputSha256: "ab".repeat(32), versions: { compression: "1.2.3" } };
    const quantized = await dynamic.quantize(linear(), { perChannel: false, provenance });
    expect(historyOf(quantized)).toEqual([
      {
        step: "quantize",
        options: expect.objectContaining({ mode: "dynamic", perChannel: false, symmetric: true }) as unknown,
        ...provenance,
      },
    ]);
  });

  it("carries a plan through JSON, and refuses one of another model", async () => {
    const plan = JSON.parse(JSON.stringify(await dynamic.plan(linear()))) as QuantizationPlan;
    expect(serializeModel((await dynamic.apply(linear(), plan)).model)).toEqual(
      serializeModel(await dynamic.quantize(linear())),
    );
    const other = model({
      nodes: [node("MatMul", ["x", "Z"], ["y"])],
      initializers: [matrix("Z", [16, 16])],
    });
    expect((await failure(dynamic.apply(other, plan))).code).toBe("plan-mismatch");
  });
});
