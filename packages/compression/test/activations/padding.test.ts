import type { CalibrationBatch } from "@nasty/calibration";
import { tensor, type Tensor } from "@nasty/core";
import { serializeModel, tensorToProto, type ModelProto } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import {
  correctBiases,
  dynamic,
  int4,
  int8,
  measureDrift,
  migrateOutliers,
  referenceOf,
  saturation,
  sensitivity,
} from "../../src/index.js";
import { matrix, model, node, noise } from "../tiny-models.js";

const width = 16;

/** A product behind an axis of heads, [batch, 2, length, 16], and one of positions first, [length, batch, 16]. */
const m = model({
  nodes: [
    node("Unsqueeze", ["x", "one"], ["head"]),
    node("Concat", ["head", "head"], ["heads"], { attributes: { axis: 1n } }),
    node("MatMul", ["heads", "W"], ["h"], { name: "heads" }),
    node("Transpose", ["x"], ["turned"], { attributes: { perm: [1n, 0n, 2n] } }),
    node("MatMul", ["turned", "V"], ["v"], { name: "turned" }),
    node("Transpose", ["v"], ["back"], { attributes: { perm: [1n, 0n, 2n] } }),
    node("Unsqueeze", ["back", "one"], ["w"]),
    node("Add", ["h", "w"], ["y"]),
  ],
  initializers: [
    matrix("W", [width, 24]),
    matrix("V", [width, 24], 2),
    tensorToProto(tensor("int64", [1], BigInt64Array.of(1n)), "one"),
  ],
});

const lengths = [5, 2, 7];
const longest = Math.max(...lengths);
const rows = lengths.map((length, i) => noise(length * width, 3 + i).map((value) => value + 1));

/** The sentences in one batch; padding holds what no sentence does. */
const padded: CalibrationBatch = {
  feeds: {
    x: tensor(
      "float32",
      [rows.length, longest, width],
      Float32Array.from({ length: rows.length * longest * width }, (_, at) => {
        const size = longest * width;
        return rows[Math.floor(at / size)]?.[at % size] ?? 5e3;
      }),
    ),
  },
  mask: tensor(
    "uint8",
    [rows.length, longest],
    Uint8Array.from({ length: rows.length * longest }, (_, at) =>
      at % longest < (lengths[Math.floor(at / longest)] as number) ? 1 : 0,
    ),
  ),
};

const separate = rows.map((data, i): CalibrationBatch => {
  const length = lengths[i] as number;
  const x: Tensor = tensor("float32", [1, length, width], data);
  return { feeds: { x }, mask: tensor("uint8", [1, length], new Uint8Array(length).fill(1)) };
});

const bytes = (made: ModelProto): string => Buffer.from(serializeModel(made)).toString("base64");
const plan = await dynamic.plan(m, { pairs: "full", perChannel: false });

/** What each step makes of some batches. */
const steps: Record<string, (batches: readonly CalibrationBatch[]) => Promise<unknown>> = {
  "ranges of static quantization": async (calibrationData) =>
    (await int8.plan(m, { calibrationData })).activations,
  "error compensation": async (calibrationData) =>
    bytes(await int4.quantize(m, { rounding: "gptq", calibrationData })),
  "bias correction": async (calibrationData) => {
    const options = { calibrationData };
    return bytes((await correctBiases(m, await int4.plan(m, { rounding: "nearest" }), options)).model);
  },
  "outlier migration": async (calibrationData) => {
    const even = await migrateOutliers(m, { calibrationData, outlierRatio: 0 });
    expect(even.activations).toEqual(["heads", "turned"]);
    return bytes(even.model).replace(/nasty\..*/, "");
  },
  sensitivity: async (batches) => {
    const found = await sensitivity(m, await int4.plan(m), { batches });
    return found.map(({ name, outputSqnrDb }) => [name, outputSqnrDb.toFixed(6)]);
  },
  drift: async (batches) => {
    const reference = await referenceOf(m, [batches]);
    if (reference === undefined) throw new Error("no reference");
    const drift = await measureDrift(reference, await int4.quantize(m));
    return drift.map(({ name, cosine }) => [name, cosine.toFixed(9)]);
  },
};

describe("padding never counts in", () => {
  it.each(Object.entries(steps))("%s", async (_, step) => {
    expect(await step([padded])).toEqual(await step(separate));
  });

  it("saturation, whose activations are rounded over the whole batch", async () => {
    const all = tensor("float32", [1, 14, width], Float32Array.from(rows.flatMap((row) => [...row])));
    expect(await saturation(m, plan, { calibrationData: [padded] })).toEqual(
      await saturation(m, plan, { calibrationData: [{ feeds: { x: all } }] }),
    );
  });
});

it("a signal stops whatever runs over batches", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  const calibrationData = [padded];
  const runs: readonly (() => Promise<unknown>)[] = [
    () => int8.plan(m, { calibrationData, signal }),
    () => int4.quantize(m, { rounding: "gptq", calibrationData, signal }),
    () => correctBiases(m, plan, { calibrationData, signal }),
    () => migrateOutliers(m, { calibrationData, signal }),
    () => saturation(m, plan, { calibrationData, signal }),
    () => sensitivity(m, plan, { batches: calibrationData, signal }),
  ];
  for (const run of runs) await expect(run()).rejects.toThrow("enough");
});

it("an activation that is a constant is measured as it is", async () => {
  const constant = model({
    nodes: [
      node("Gemm", ["places", "W"], ["p"], { name: "places" }),
      node("MatMul", ["x", "V"], ["v"], { name: "dense" }),
      node("Add", ["v", "p"], ["y"]),
    ],
    initializers: [matrix("places", [1, width], 9), matrix("W", [width, 24]), matrix("V", [width, 24], 2)],
  });
  const options = { rounding: "gptq", calibrationData: separate } as const;
  const quantized = await int4.quantize(constant, options);
  expect(quantized.graph?.node.filter(({ opType }) => opType === "MatMulNBits")).toHaveLength(2);
});
