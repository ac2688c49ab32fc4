import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import {
  type CheckpointStore,
  type FakeQuantization,
  fakeQuantization,
  type FakeQuantizationOptions,
  onnxEngine,
  type QuantizationRecord,
  simulateQuantization,
  trainLoop,
  type Trainer,
} from "../../src/index.js";
import { batches, batchOf, loss, smallTagger } from "./small-tagger.js";

const load = (modifier?: FakeQuantization, learningRate = 0.01): Promise<Trainer> =>
  onnxEngine.load(smallTagger(), {
    loss,
    trainable: ["E", "A", "B", "bias", ...(modifier?.trained ?? [])],
    optimizer: { kind: "adam", learningRate },
    ...(modifier === undefined ? {} : { modifiers: [modifier] }),
  });

/** Steps through the batches in turn; the record after each step. */
async function trained(options: FakeQuantizationOptions, steps: number, learningRate?: number) {
  const qat = fakeQuantization(options);
  const trainer = await load(qat, learningRate);
  const losses: number[] = [];
  const records: QuantizationRecord[] = [];
  for (let step = 0; step < steps; step++) {
    losses.push((await trainer.step(batches[step % batches.length] as Record<string, Tensor>)).loss);
    records.push(qat.record(trainer.model()));
  }
  const model = trainer.model();
  const weights = trainer.readWeights();
  await trainer.close();
  return { qat, losses, records, model, weights, last: records.at(-1) as QuantizationRecord };
}

async function logitsOf(model: ModelProto, batch: Record<string, Tensor>): Promise<Float32Array> {
  const session = await openSession(model, { optimization: "none" });
  const { labels: _, ...feeds } = batch;
  const { logits } = await session.run(feeds);
  await session.close();
  return (logits as Tensor<"float32">).data;
}

const first = batches[0] as Record<string, Tensor>;

describe("ranges by moving average", () => {
  it("are those of the batch at first, and leave padding out", async () => {
    const { last } = await trained({}, 1);
    expect(Object.keys(last.activations)).toEqual(["rows", "sum"]);
    // The longest row of the same words alone has no padding, so no row of the padding word.
    const alone = fakeQuantization();
    const trainer = await load(alone);
    await trainer.step(batchOf([[1, 2, 3, 4, 5]]));
    expect(alone.record(trainer.model()).activations["rows"]).toEqual(last.activations["rows"]);
    await trainer.close();
    const { min, max } = last.activations["rows"] as { min: number; max: number };
    expect(min).toBeLessThan(0);
    expect(max).toBeGreaterThan(0);
  });

  it("move by the averaging constant, or by 1/n as long as that is more", async () => {
    const range = async (averaging: number, steps: number) =>
      (await trained({ averaging }, steps, 1e-12)).last.activations["rows"]?.max as number;
    const one = await range(0.01, 1);
    const two = await range(0.01, 2);
    const newest = await range(1, 2);
    expect(two).toBeCloseTo((one + newest) / 2, 5);
    expect(newest).not.toBeCloseTo(one, 3);
  });

  it("stop at freezeStep", async () => {
    const { records } = await trained({ freezeStep: 2 }, 4);
    expect(records[1]?.activations).not.toEqual(records[0]?.activations);
    expect(records[3]?.activations).toEqual(records[1]?.activations);
  });
});

describe("training", () => {
  it("rounds from startStep on, weights and activations alike", async () => {
    const plain = await load();
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) losses.push((await plain.step(first)).loss);
    await plain.close();
    const qat = fakeQuantization({ startStep: 2 });
    const trainer = await load(qat);
    const own: number[] = [];
    for (let step = 0; step < 4; step++) own.push((await trainer.step(first)).loss);
    await trainer.close();
    expect(own[0]).toBeCloseTo(losses[0] as number, 6);
    expect(own[1]).toBeCloseTo(losses[1] as number, 6);
    expect(Math.abs((own[2] as number) - (losses[2] as number))).toBeGreaterThan(1e-5);
  });

  it("observes only, without rounding, if fakeQuantize is false", async () => {
    const plain = await load();
    const losses: number[] = [];
    for (const batch of batches) losses.push((await plain.step(batch)).loss);
    await plain.close();
    const observed = await trained({ fakeQuantize: false }, 4);
    for (const [i, value] of losses.entries()) expect(observed.losses[i]).toBeCloseTo(value, 6);
    expect(observed.last.fakeQuantize).toBe(false);
    expect(Object.keys(observed.last.activations)).toHaveLength(2);
    expect(observed.qat.simulate(observed.model)).toBe(observed.model);
  });

  it.each<FakeQuantizationOptions>([
    {},
    { activations: "dynamic" },
    { ranges: "learned" },
    { bits: 4, blockSize: 16 },
    { bits: 4, symmetric: false },
  ])("computes what the simulated model computes, not the float one: %o", async (options) => {
    const { qat, model, last } = await trained({ ...options, freezeStep: 3 }, 5);
    // Another training of the same weights: its first step's loss is that of the simulated model.
    const simulated = await logitsOf(simulateQuantization(model, last), first);
    expect(await logitsOf(qat.simulate(model), first)).toEqual(simulated);
    expect(simulated).not.toEqual(await logitsOf(model, first));
    expect(last).toMatchObject({
      schemaVersion: 1,
      bits: options.bits ?? 8,
      activationMode: options.activations ?? (options.bits === 4 ? "float" : "static"),
      rangeMode: options.ranges ?? "moving-average",
    });
    expect(last.weights.map(({ name, op }) => `${op} ${name}`)).toEqual(["Gather E", "MatMul A", "MatMul B"]);
  });

  it("takes the loss of the simulated model in each step", async () => {
    const qat = fakeQuantization({ freezeStep: 1 });
    const trainer = await load(qat, 1e-20);
    await trainer.step(first);
    const { loss: seen } = await trainer.step(first);
    const logits = await logitsOf(qat.simulate(trainer.model()), first);
    await trainer.close();
    const labels = first["labels"] as Tensor<"int64">;
    let [sum, count] = [0, 0];
    labels.data.forEach((label, i) => {
      if (label < 0n) return;
      const row = Array.from(logits.subarray(i * 5, i * 5 + 5));
      sum += Math.log(row.reduce((total, z) => total + Math.exp(z), 0)) - (row[Number(label)] as number);
      count += 1;
    });
    expect(seen).toBeCloseTo(sum / count, 5);
  });

  it("learns step sizes, from the moving average on", async () => {
    const { records, weights } = await trained({ ranges: "learned", startStep: 2 }, 6, 0.02);
    const scale = (i: number) => records[i]?.activations["rows"]?.scale as number;
    const zero = (i: number) => records[i]?.activations["rows"]?.zeroPoint;
    expect(scale(2)).not.toBe(scale(1));
    expect(scale(5)).not.toBe(scale(3));
    expect(zero(5)).toBe(zero(2));
    expect(Array.from(weights.get("fake-quantization/ratios") as Float32Array)).not.toContain(1);
    const range = records[5]?.activations["rows"];
    expect((range?.max ?? 0) - (range?.min ?? 0)).toBeCloseTo(255 * scale(5), 6);
    expect(range?.min).toBeCloseTo(-(range?.zeroPoint ?? 0) * scale(5), 6);
  });

  it("goes on after an interruption as if there had been none", async () => {
    const run = async (ranges: "moving-average" | "learned", stopAt?: number) => {
      let saved: Uint8Array | undefined;
      const checkpoint: CheckpointStore = {
        load: async () => saved,
        save: async (chunks) => {
          saved = Buffer.concat([...chunks]);
        },
      };
      const once = async (signal?: AbortSignal, onEvent = (_: { event: string; step?: number }) => {}) => {
        const qat = fakeQuantization({ ranges, startStep: 2, freezeStep: 9 });
        const trainer = await load(qat);
        const result = await trainLoop({
          trainer,
          epochs: 3,
          batches: () => batches,
          checkpoint,
          checkpointEvery: 1,
          onEvent,
          ...(signal === undefined ? {} : { signal }),
        });
        await trainer.close();
        return JSON.stringify([
          result.stopped,
          [...result.weights].map(([name, values]) => [name, [...values]]),
          qat.record(result.model, result.modifiers),
        ]);
      };
      if (stopAt === undefined) return once();
      const stop = new AbortController();
      await once(stop.signal, ({ event, step }) => {
        if (event === "checkpoint" && step === stopAt) stop.abort();
      });
      return once();
    };
    for (const ranges of ["moving-average", "learned"] as const) {
      const whole = await run(ranges);
      for (const stopAt of [1, 5, 10]) expect(await run(ranges, stopAt)).toBe(whole);
    }
  });

  it("refuses a record before any batch was seen", async () => {
    const qat = fakeQuantization();
    const trainer = await load(qat);
    expect(() => qat.record(trainer.model())).toThrow(
      "fakeQuantization: record: ranges: expected those of at least 1 step, got 0 steps",
    );
    await trainer.close();
  });
});
