import { getMetadata } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { evaluate, makeTransformerTagger } from "@nasty/taggers";
import {
  parseQuantizationRecord,
  quantizationRecordKey,
  simulateQuantization,
  type TrainingEvent,
} from "@nasty/training";
import { beforeAll, describe, expect, it } from "vitest";
import { fineTune, type FineTuned, type FineTuneOptions } from "../../src/fine-tuning/fine-tune.js";
import { toyDirectory, toySentences } from "../fine-tuning/toy.js";
import { memoryCheckpoint } from "../memory-checkpoint.js";

const labelled = toySentences.filter(({ labels }) => !labels.includes("_"));
const data = { train: toySentences, validation: labelled };
const options: FineTuneOptions = {
  epochs: 6,
  batchSize: 2,
  learningRate: 1e-2,
  dropout: 0,
  seed: 4,
  quantizationAware: true,
  qatOptions: { bits: 8, fakeQuantize: true },
};

let base: string;
beforeAll(async () => {
  base = await toyDirectory();
});

async function valueOf({ settings }: FineTuned, model: FineTuned["model"]): Promise<number> {
  const tagger = await makeTransformerTagger(await openSession(model), settings);
  const { value } = await evaluate(tagger, labelled);
  await tagger.close();
  return value;
}

describe("fine-tuning for quantization", () => {
  it("returns what the model was trained for, and keeps it in the model", async () => {
    const tuned = await fineTune(base, data, "pos_tagging", options);
    expect(tuned.qat).toMatchObject({ bits: 8, activationMode: "static", rangeMode: "moving-average" });
    expect(parseQuantizationRecord(getMetadata(tuned.model, quantizationRecordKey) ?? "")).toEqual(tuned.qat);
    // Four inputs of products in each of two layers, by the names that the model without dropout has; the head is too
    // small.
    expect(Object.keys(tuned.qat?.activations ?? {})).toHaveLength(8);
    const names = new Set(tuned.model.graph?.node.flatMap(({ output }) => output));
    for (const name of Object.keys(tuned.qat?.activations ?? {})) expect(names).toContain(name);
    const { quantizationAware: _, qatOptions: __, ...without } = options;
    const plain = await fineTune(base, data, "pos_tagging", without);
    expect(plain.qat).toBeUndefined();
    expect(getMetadata(plain.model, quantizationRecordKey)).toBeUndefined();
  });

  it("is judged as the rounded model", async () => {
    // So coarse that labels change.
    const coarse = { bits: 4, blockSize: 256, start: 0 } as const;
    let differs = 0;
    for (const seed of [1, 2, 3, 4]) {
      const tuned = await fineTune(base, data, "pos", { ...options, epochs: 1, seed, qatOptions: coarse });
      const rounded = await valueOf(tuned, simulateQuantization(tuned.model, tuned.qat as never));
      expect(tuned.bestMetric).toBe(rounded);
      if ((await valueOf(tuned, tuned.model)) !== rounded) differs += 1;
    }
    expect(differs).toBeGreaterThan(0);
  });

  it("keeps the ranges of the best epoch", async () => {
    const worse = { ...options, epochs: 5, learningRate: 0.3 };
    const best = await fineTune(base, data, "pos", worse);
    expect(best.bestEpoch).toBeLessThan(5);
    const last = await fineTune(base, { train: toySentences }, "pos", worse);
    expect(best.qat?.activations).not.toEqual(last.qat?.activations);
  });

  it("begins and freezes when it is told to", async () => {
    const weights = async (qatOptions: FineTuneOptions["qatOptions"]) => {
      const tuned = await fineTune(base, { train: toySentences }, "pos", {
        ...options,
        ...(qatOptions && { qatOptions }),
      });
      return JSON.stringify(tuned.qat);
    };
    const usual = await weights({});
    expect(await weights({ start: 0.1, freeze: 0.7 })).toBe(usual);
    expect(await weights({ start: 0.8 })).not.toBe(usual);
    expect(await weights({ freeze: 0.2 })).not.toBe(usual);
  });

  it("learns step sizes", async () => {
    const tuned = await fineTune(base, data, "pos", { ...options, qatOptions: { ranges: "learned" } });
    expect(tuned.qat?.rangeMode).toBe("learned");
    const averaged = await fineTune(base, data, "pos", options);
    expect(tuned.qat?.activations).not.toEqual(averaged.qat?.activations);
  });

  it("goes on after an interruption as if there had been none, and not with other options", async () => {
    const whole = await fineTune(base, data, "pos", options);
    const checkpoint = memoryCheckpoint();
    const stop = new AbortController();
    const onEvent = (event: TrainingEvent): void => {
      if (event.event === "checkpoint" && event.step >= 8) stop.abort();
    };
    const resumable = { ...options, checkpoint, checkpointEvery: 2 };
    await fineTune(base, data, "pos", { ...resumable, signal: stop.signal, onEvent });
    await expect(
      fineTune(base, data, "pos", { ...resumable, qatOptions: { bits: 4 } }),
    ).rejects.toMatchObject({ code: "checkpoint-mismatch" });
    const resumed = await fineTune(base, data, "pos", resumable);
    expect(resumed.qat).toEqual(whole.qat);
  });
});

it.each<[FineTuneOptions, string]>([
  [{ quantizationAware: false }, "qatOptions: expected quantizationAware: true with it, got false"],
  [{ qatOptions: { start: 1 } }, "start: expected a number in [0, 1), got 1"],
  [
    { qatOptions: { start: 0.5, freeze: 0.4 } },
    "freeze: expected a number above start (0.5), up to 1, got 0.4",
  ],
])("refuses %o", async (change, message) => {
  await expect(fineTune(base, data, "pos", { ...options, ...change })).rejects.toMatchObject({
    name: "TaggerError",
    code: "option",
    message: `fineTune: ${message}`,
  });
});
