import { createHash } from "node:crypto";
import {
  copyMessage,
  makeValueInfo,
  type ModelProto,
  serializeModel,
  withMetadata,
} from "@nasty/formats/onnx";
import { quantizationRecordKey, type QuantizationRecord, serializeQuantizationRecord } from "@nasty/training";
import { beforeAll, describe, expect, it } from "vitest";
import {
  apply,
  dynamic,
  int4,
  int8,
  plan,
  type PlanMode,
  type PlanOptions,
  qat,
  type QuantizationPlan,
  weightOnly,
} from "../../src/index.js";
import { train, transformer } from "../qat/trained-models.js";
import { int64, matrix, model, node } from "../tiny-models.js";

const words = model({
  nodes: [
    node("Gather", ["E", "ids"], ["x"], { name: "embed" }),
    node("MatMul", ["x", "W1"], ["h"], { name: "first" }),
    node("Add", ["h", "b"], ["hb"], { name: "bias" }),
    node("MatMul", ["hb", "W2"], ["y"], { name: "second" }),
  ],
  initializers: [
    matrix("E", [40, 16], 5),
    matrix("W1", [16, 32]),
    matrix("b", [32], 3),
    matrix("W2", [32, 16], 2),
  ],
  inputs: [makeValueInfo("ids", "int64", ["batch", "length"])],
});
const range = { min: -1.5, max: 2.25, seenMin: -2, seenMax: 3, count: 10, masked: 0 };
const calibrationTable = {
  schemaVersion: 1,
  method: "percentile",
  parameters: { percentile: 99.99 },
  samples: 5,
  tensors: { x: range, hb: range },
} as const;
const batches = [{ feeds: { ids: int64([1, 5, 39, 17], [1, 4]) } }];

const through = (made: QuantizationPlan): QuantizationPlan => JSON.parse(JSON.stringify(made));
const hash = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex").slice(0, 16);
const bytesOf = async (
  source: ModelProto,
  made: QuantizationPlan,
  options?: Parameters<typeof apply>[2],
): Promise<Uint8Array> => serializeModel((await apply(source, made, options)).model);

describe("one plan and one apply for every mode", () => {
  // Hashes of the plan's JSON and of the file: neither may change unless a decision says so.
  it.each<[PlanOptions, string, string]>([
    [{ mode: "dynamic" }, "38b958ed3642c8f7", "4faaa7914476799c"],
    [
      { mode: "static", calibrationTable, opTypes: ["MatMul", "Gemm", "Gather"] },
      "ef66a5858a833f4b",
      "f7243ae2b770cd2a",
    ],
    [{ mode: "static", calibrationTable }, "75046defb0deaa8c", "7cb392a7928f4865"],
    [{ mode: "int4", blockSize: 16, rounding: "mse" }, "5015f2d92baf52c3", "7369c4ee440137a2"],
    [{ mode: "weight-only", blockSize: 16 }, "aaa4072218d02544", "8ce5a9cdf90ab3a9"],
  ])("$mode", async (options, json, file) => {
    const made = await plan(words, options);
    expect(made.mode).toBe(options.mode);
    expect(hash(JSON.stringify(made))).toBe(json);
    expect(hash(await bytesOf(words, made))).toBe(file);
    expect(hash(await bytesOf(words, through(made)))).toBe(file);
  });

  it("compensates errors by data that is given with the plan, not in it", async () => {
    const made = await plan(words, { mode: "int4", blockSize: 16, rounding: "gptq" });
    await expect(apply(words, made)).rejects.toMatchObject({ code: "no-calibration-data" });
    const options = { calibrationData: batches };
    const direct = await bytesOf(words, made, options);
    expect(await bytesOf(words, through(made), options)).toEqual(direct);
    const nearest = await plan(words, { mode: "int4", blockSize: 16 });
    expect(direct).not.toEqual(await bytesOf(words, nearest));
  });

  it("mixed", async () => {
    const made = await plan(words, { mode: "mixed", targetBytes: 4000, batches, blockSize: 16 });
    expect(made.mode).toBe("mixed");
    const direct = await bytesOf(words, made);
    expect(direct.length).toBeLessThanOrEqual(4000);
    expect(await bytesOf(words, through(made))).toEqual(direct);
  });

  it("has a door for each in the guide's words", async () => {
    expect(await dynamic.plan(words)).toEqual(await plan(words, { mode: "dynamic" }));
    expect(await int8.plan(words, { calibrationTable })).toEqual(
      await plan(words, { mode: "static", calibrationTable }),
    );
    expect(await int4.plan(words)).toEqual(await plan(words, { mode: "int4" }));
    expect(await weightOnly.plan(words)).toEqual(await plan(words, { mode: "weight-only" }));
    expect(hash(serializeModel(await dynamic.quantize(words)))).toBe("ac4a5b038a53f221");
    expect(hash(serializeModel(await int8.quantize(words, { calibrationTable })))).toBe("55e0ba9c72b8c84e");
    // A plan knows its mode: any door's apply carries it out.
    const made = await plan(words, { mode: "weight-only" });
    expect(serializeModel((await dynamic.apply(words, made)).model)).toEqual(await bytesOf(words, made));
  });

  it("takes the guide's word for the method of calibration", async () => {
    const data = { calibrationData: batches, percentile: 90 };
    const made = await int8.plan(words, { ...data, calibrationMethod: "percentile" });
    expect(made).toEqual(await plan(words, { mode: "static", ...data, method: "percentile" }));
    expect(made).not.toEqual(await plan(words, { mode: "static", ...data }));
    expect(made.options["calibrationMethod"]).toBe("percentile");
    for (const refused of [int8.plan, int8.quantize])
      await expect(
        refused(words, { ...data, calibrationMethod: "percentile", method: "mse" }),
      ).rejects.toMatchObject({
        code: "invalid-option",
        message: "int8.plan: calibrationMethod: expected mse, as method says, got percentile",
      });
  });

  it.each(["int5", "constructor", undefined])("refuses the mode %s", async (mode) => {
    const expected = "dynamic, static, int4, weight-only, mixed";
    await expect(plan(words, { mode: mode as PlanMode })).rejects.toMatchObject({
      code: "invalid-option",
      message: `plan: mode: expected ${expected}, trained, got ${mode}`,
    });
    const made = { ...(await plan(words, { mode: "dynamic" })), mode } as QuantizationPlan;
    await expect(apply(words, made)).rejects.toMatchObject({
      code: "plan-mismatch",
      message: `apply: plan: mode: expected ${expected}, got ${JSON.stringify(mode) ?? "none"}`,
    });
  });

  it("refuses a plan of another version, or in parts", async () => {
    const made = await plan(words, { mode: "dynamic" });
    for (const [change, message] of [
      [{ schemaVersion: 2 }, "apply: plan: schemaVersion: expected 1, got 2"],
      [{ tensors: undefined }, "apply: plan: tensors: expected a list, got none"],
      [{ warnings: "none" }, 'apply: plan: warnings: expected a list, got "none"'],
    ] as const)
      await expect(apply(words, { ...made, ...change } as never)).rejects.toMatchObject({
        code: "plan-mismatch",
        message,
      });
  });
});

describe("a plan of what was trained", () => {
  let trained: ModelProto;
  let record: QuantizationRecord;
  beforeAll(async () => {
    const tuned = await train(transformer(), {}, { steps: 5, learningRate: 0.02 });
    record = tuned.record;
    trained = withMetadata(tuned.model, { [quantizationRecordKey]: serializeQuantizationRecord(record) });
  });

  it("has the mode that was trained for, and says that it was", async () => {
    const made = await plan(trained, { mode: "trained" });
    expect(made).toMatchObject({ mode: "static", options: { quantizationAware: true } });
    expect(made).toEqual(await qat.plan(trained));
    const direct = await bytesOf(trained, made);
    expect(await bytesOf(trained, through(made))).toEqual(direct);
    expect(serializeModel((await qat.apply(trained, made)).model)).toEqual(direct);
    expect(serializeModel(await qat.quantize(trained))).toEqual(direct);
  });

  it("is held to the trained scales whoever applies it", async () => {
    const made = through(await plan(trained, { mode: "trained" }));
    const weights = record.weights.map((weight) => ({ ...weight, scalesHash: "0" }));
    for (const door of [apply, dynamic.apply, qat.apply])
      await expect(door(trained, made, { record: { ...record, weights } })).rejects.toMatchObject({
        code: "scale-mismatch",
      });
    const part = { ...made, tensors: made.tensors.slice(1) };
    await expect(apply(trained, part)).rejects.toMatchObject({ code: "scale-mismatch" });
    const { metadataProps } = trained;
    const withoutRecord = copyMessage(trained, {
      metadataProps: metadataProps.filter(({ key }) => key !== quantizationRecordKey),
    });
    await expect(apply(withoutRecord, made)).rejects.toMatchObject({ code: "no-trained-ranges" });
  });
});
