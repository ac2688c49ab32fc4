import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "@nasty/core";
import { type ModelProto, withMetadata } from "@nasty/formats/onnx";
import { ModelGraph, unsafePairs } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import {
  type FakeQuantizationOptions,
  quantizationRecordKey,
  type QuantizationRecord,
  serializeQuantizationRecord,
  withWeights,
} from "@nasty/training";
import { describe, expect, it } from "vitest";
import { dynamic, int4, int8, qat } from "../../src/index.js";
import { batches, recurrent, tied, train, transformer } from "./trained-models.js";

const withRecord = (model: ModelProto, record: QuantizationRecord): ModelProto =>
  withMetadata(model, { [quantizationRecordKey]: serializeQuantizationRecord(record) });

async function logitsOf(model: ModelProto, optimization: "none" | "all" = "none"): Promise<Float32Array[]> {
  const session = await openSession(model, { optimization });
  const all: Float32Array[] = [];
  for (const { feeds } of batches) all.push((await session.run(feeds))["logits"]?.data as Float32Array);
  await session.close();
  return all;
}

function furthest(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  return Math.max(
    ...a.flatMap((values, i) => Array.from(values, (v, j) => Math.abs(v - (b[i]?.[j] as number)))),
  );
}

describe("what was trained is what is exported", () => {
  it.each<[string, () => ModelProto, FakeQuantizationOptions, string, number]>([
    ["a transformer, static", transformer, {}, "static", 1e-5],
    ["a transformer, learned steps", transformer, { ranges: "learned" }, "static", 1e-5],
    ["a transformer, dynamic", transformer, { activations: "dynamic" }, "dynamic", 1e-5],
    ["a transformer, 4 bits", transformer, { bits: 4, blockSize: 16 }, "int4", 1e-5],
    ["a transformer, 4 bits with zero points", transformer, { bits: 4, symmetric: false }, "int4", 1e-5],
    // The kernel rounds the state of each step too.
    ["an LSTM", recurrent, {}, "dynamic", 0.03],
    ["an LSTM, its products static", recurrent, { activations: "static" }, "static", 1e-5],
    ["an LSTM, 4 bits", recurrent, { bits: 4 }, "int4", 0.03],
    ["tables that products read too", tied, { activations: "dynamic" }, "dynamic", 1e-4],
    ["a transformer, full pairs", transformer, { pairs: "full" }, "static", 1e-5],
  ])("%s", async (_, make, options, mode, tolerance) => {
    const { model, record } = await train(make(), options, { steps: 50, learningRate: 0.02 });
    const float = withRecord(model, record);
    const plan = await qat.plan(float);
    expect(plan).toMatchObject({ mode, options: { quantizationAware: true } });
    const { model: quantized } = await qat.apply(float, plan);
    const unsafe = unsafePairs(ModelGraph.from(quantized)).filter((row) => row.unsafe > 0);
    expect(unsafe.length > 0).toBe(options.pairs === "full");
    const trained = await logitsOf(qat.simulate(float));
    const distance = furthest(trained, await logitsOf(quantized));
    expect(distance).toBeLessThan(tolerance);
    // Kernels that sum in another order round a few activations the other way. Full pairs are another matter: exact
    // with dot products only.
    if (options.pairs !== "full")
      expect(furthest(trained, await logitsOf(quantized, "all"))).toBeLessThan(0.1);
    expect(furthest(trained, await logitsOf(float))).toBeGreaterThan(distance);
    const { share, positions } = await qat.agreement(float, quantized, batches);
    expect(positions).toBe(27);
    if (options.pairs !== "full") expect(share).toBe(1);
  });

  it("with the trained ranges, which are none of calibration's", async () => {
    const { model, record } = await train(transformer(), {});
    const { activations } = await qat.plan(model, { record });
    for (const { name, scale, zeroPoint } of activations) {
      const source = { x: "rows", dropped: "z" }[name] ?? name;
      expect(record.activations[source]).toMatchObject({ scale, zeroPoint });
    }
    const measured = await int8.plan(model, { calibrationData: batches });
    expect(measured.activations.map(({ scale }) => scale)).not.toEqual(activations.map(({ scale }) => scale));
  });

  it("with safe pairs where the record says so, and in full ranges where it is older than the choice", async () => {
    const { model, record } = await train(transformer(), { pairs: "full" });
    const { pairs, ...older } = record;
    expect(pairs).toBe("full");
    const [first] = (await qat.plan(model, { record: older })).tensors;
    expect(first).toMatchObject({ pairs: "full" });
    await qat.quantize(model, { record: older });
    await expect(qat.quantize(model, { record: { ...record, pairs: "safe" } })).rejects.toMatchObject({
      code: "scale-mismatch",
    });
  });

  it("as a file, however it is saved", async () => {
    const { model, record } = await train(transformer(), {});
    const path = join(await mkdtemp(join(tmpdir(), "qat-")), "tagger_qat.onnx");
    const { bytes, sha256 } = await qat.save(withRecord(model, record), path);
    const session = await qat.load(path, { optimization: "none" });
    const { feeds } = batches[0] as (typeof batches)[number];
    const { logits } = await qat.predict(session, feeds);
    await session.close();
    const quantized = await qat.quantize(model, { record });
    expect((logits as Tensor<"float32">).data).toEqual((await logitsOf(quantized))[0]);
    expect(await qat.save(await qat.quantize(withRecord(model, record)), path)).toEqual({ bytes, sha256 });
  });

  it("with float activations beside 4 bits, unless the kernel may round them", async () => {
    const { model, record } = await train(transformer(), { bits: 4 });
    const levels = async (accuracyLevel?: 1 | 4) => {
      const quantized = await qat.quantize(model, {
        record,
        ...(accuracyLevel === undefined ? {} : { accuracyLevel }),
      });
      const nodes = quantized.graph?.node.filter(({ opType }) => opType === "MatMulNBits") ?? [];
      return new Set(
        nodes.map(({ attribute }) => attribute.find(({ name }) => name === "accuracy_level")?.i),
      );
    };
    expect(await levels()).toEqual(new Set([1n]));
    expect(await levels(4)).toEqual(new Set([4n]));
  });

  it("leaves in float what was trained in float", async () => {
    const { model, record } = await train(transformer(), { skipLayers: ["classifier", /^W[12]$/] });
    expect(record.weights.map(({ name }) => name)).toEqual(["E", "Wq", "Wk", "Wv", "Wo"]);
    const plan = await qat.plan(model, { record });
    expect(plan.tensors.map(({ name }) => name)).toEqual(["E", "Wq", "Wk", "Wv", "Wo"]);
  });
});

describe("4 bits with training", () => {
  it("lose less than 4 bits without", async () => {
    // Learnt in float first; then the same number of steps in float and with rounding.
    const { model: start } = await train(transformer(), { fakeQuantize: false }, { steps: 60 });
    const options = { steps: 200, learningRate: 0.003 };
    const plain = await train(start, { fakeQuantize: false }, options);
    const aware = await train(start, { bits: 4, blockSize: 16, startStep: 0 }, options);
    const rounded = await int4.quantize(plain.model, { blockSize: 16, accuracyLevel: 1 });
    const trained = await qat.quantize(aware.model, { record: aware.record });
    const [without, with4] = [await lossOf(rounded), await lossOf(trained)];
    expect(with4).toBeLessThan(0.7 * without);
  });
});

/** Mean cross-entropy of the real words. */
async function lossOf(model: ModelProto): Promise<number> {
  const logits = await logitsOf(model);
  let [sum, count] = [0, 0];
  batches.forEach(({ labels }, b) => {
    labels.data.forEach((label, i) => {
      if (label < 0n) return;
      const row = Array.from((logits[b] as Float32Array).subarray(i * 5, i * 5 + 5));
      sum += Math.log(row.reduce((total, z) => total + Math.exp(z), 0)) - (row[Number(label)] as number);
      count += 1;
    });
  });
  return sum / count;
}

describe("what cannot be exported as trained", () => {
  it("a model that was not trained for it", async () => {
    await expect(qat.quantize(transformer())).rejects.toMatchObject({
      name: "CompressionError",
      code: "no-trained-ranges",
      message: expect.stringContaining(
        "qat.plan: model: nasty.qat: expected what a quantization-aware training recorded, got none",
      ) as string,
    });
    expect(qat.record(transformer())).toBeUndefined();
  });

  it("weights that changed since", async () => {
    const { model, record } = await train(transformer(), {});
    const changed = withWeights(model, new Map([["Wo", new Float32Array(256).fill(0.5)]]));
    await expect(qat.quantize(changed, { record })).rejects.toMatchObject({
      code: "scale-mismatch",
      tensor: "Wo",
      message: expect.stringContaining("the weights changed after the training") as string,
    });
  });

  it("an activation without a range, another scale, a plan of another kind", async () => {
    const { model, record } = await train(transformer(), {});
    const { y: _, ...others } = record.activations;
    await expect(qat.plan(model, { record: { ...record, activations: others } })).rejects.toMatchObject({
      code: "missing-range",
      tensor: "y",
    });
    const y = { min: -1, max: 1, scale: 0.5, zeroPoint: 3 };
    await expect(
      qat.plan(model, { record: { ...record, activations: { ...record.activations, y } } }),
    ).rejects.toMatchObject({ code: "scale-mismatch", tensor: "y" });
    await expect(
      qat.apply(model, await dynamic.plan(model, { perChannel: false }), { record }),
    ).rejects.toMatchObject({ code: "scale-mismatch" });
    await expect(
      qat.apply(model, await dynamic.plan(model, { skipLayers: ["classifier"] }), { record }),
    ).rejects.toMatchObject({ code: "scale-mismatch", tensor: "Wc" });
    await expect(qat.plan(model, { record: { ...record, activationMode: "float" } })).rejects.toMatchObject({
      code: "no-trained-ranges",
    });
  });
});
