import type { Tensor } from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Batch,
  type CheckpointStore,
  onnxEngine,
  seededRandom,
  shuffled,
  type Trainer,
  trainLoop,
  type TrainingEvent,
} from "../../src/index.js";
import { fileCheckpoint } from "../../src/node.js";

const [vocabulary, labels, width] = [20, 3, 8];

function tagger(hidden = width) {
  const random = seededRandom(11);
  const weight = (name: string, shape: readonly number[]) =>
    makeTensor(name, "float32", {
      shape,
      values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * 0.3),
    });
  const graph = makeGraph("tagger", {
    nodes: [
      makeNode("Gather", ["words", "ids"], ["x"]),
      makeNode("Dropout", ["x", "ratio"], ["d"], { name: "drop" }),
      makeNode("MatMul", ["d", "W"], ["h"]),
      makeNode("Tanh", ["h"], ["t"]),
      makeNode("MatMul", ["t", "V"], ["logits"]),
    ],
    inputs: [makeValueInfo("ids", "int64", ["batch", "length"])],
    outputs: [makeValueInfo("logits", "float32", ["batch", "length", labels])],
    initializers: [
      weight("words", [vocabulary, width]),
      weight("W", [width, hidden]),
      weight("V", [hidden, labels]),
      makeTensor("ratio", "float32", { values: [0.2], shape: [] }),
    ],
  });
  return makeModel(graph);
}

/** Label = id mod 3; batches of several lengths. */
const data: readonly Batch[] = Array.from({ length: 6 }, (_, k) => {
  const random = seededRandom(100 + k);
  const length = 3 + (k % 3);
  const ids = Array.from({ length: 4 * length }, () => random.below(vocabulary));
  const int = (values: readonly number[]): Tensor => ({
    dtype: "int64",
    shape: [4, length],
    data: BigInt64Array.from(values, BigInt),
  });
  return { ids: int(ids), labels: int(ids.map((id) => id % labels)) };
});

const load = (seed = 1, model = tagger()): Promise<Trainer> =>
  onnxEngine.load(model, {
    loss: { kind: "cross-entropy", logits: "logits", labels: "labels" },
    optimizer: {
      kind: "adamw",
      learningRate: 0.05,
      averageDecay: 0.9,
      clipNorm: 1,
      schedule: { kind: "linear", totalSteps: 60 },
    },
    seed,
  });

const bytesOf = (weights: ReadonlyMap<string, Float32Array>): string =>
  [...weights]
    .map(([name, w]) => `${name}:${Buffer.from(w.buffer, w.byteOffset, w.byteLength).toString("hex")}`)
    .join();

async function whole(options: Partial<Parameters<typeof trainLoop>[0]> = {}, seed = 1) {
  const trainer = await load(seed);
  const events: TrainingEvent[] = [];
  try {
    const result = await trainLoop({
      trainer,
      epochs: 4,
      batches: ({ random }) => shuffled(data, random),
      validate: async () => -(await trainer.loss(data[0] as Batch)),
      onEvent: (event) => events.push(event),
      eventEvery: 2,
      ...options,
    });
    return { result, events, last: bytesOf(trainer.readWeights()) };
  } finally {
    await trainer.close();
  }
}

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-training-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("trainLoop", () => {
  it("learns, and repeats byte for byte with the same seed only", async () => {
    const [a, b, c] = [
      await whole({ epochs: 10 }),
      await whole({ epochs: 10 }),
      await whole({ epochs: 10 }, 2),
    ];
    expect(a.last).toBe(b.last);
    expect(bytesOf(a.result.weights)).toBe(bytesOf(b.result.weights));
    expect(a.last).not.toBe(c.last);
    const { history } = a.result;
    expect(history).toHaveLength(10);
    expect(history.at(-1)?.loss).toBeLessThan(0.6 * (history[0]?.loss as number));
    expect(a.result.stopped).toBe("finished");
  });

  it("goes on after an interruption at any step to the same bytes", async () => {
    const expected = await whole();
    for (const stopAfter of [1, 5, 6, 13]) {
      const checkpoint = fileCheckpoint(join(folder, `at-${stopAfter}`));
      const controller = new AbortController();
      let steps = 0;
      const first = await whole({
        checkpoint,
        signal: controller.signal,
        eventEvery: 1,
        onEvent: ({ event }) => event === "step" && ++steps === stopAfter && controller.abort(),
      });
      expect(first.result.stopped).toBe("interrupted");
      expect(first.result.steps).toBe(stopAfter);
      const second = await whole({ checkpoint });
      expect(second.events[0]).toMatchObject({ event: "resume", step: stopAfter });
      expect(second.last).toBe(expected.last);
      expect(bytesOf(second.result.weights)).toBe(bytesOf(expected.result.weights));
      expect(second.result.history).toEqual(expected.result.history);
    }
    expect((await readdir(folder)).filter((name) => name.includes("tmp"))).toEqual([]);
  });

  it("goes on after a crash from the last checkpoint", async () => {
    const expected = await whole();
    const checkpoint = fileCheckpoint(join(folder, "crash"));
    const broken = function* ({
      random,
      epoch,
    }: {
      random: Parameters<typeof shuffled>[1];
      epoch: number;
    }): Generator<Batch> {
      for (const [i, batch] of shuffled(data, random).entries()) {
        if (epoch === 2 && i === 5) throw new Error("power cut");
        yield batch;
      }
    };
    await expect(whole({ checkpoint, checkpointEvery: 2, batches: broken })).rejects.toThrow("power cut");
    const second = await whole({ checkpoint });
    expect(second.events[0]).toEqual({ event: "resume", epoch: 2, step: 10 });
    expect(second.last).toBe(expected.last);
  });

  it("stops early and returns the best weights", async () => {
    const metrics = [0.5, 0.9, 0.7, 0.6, 0.95];
    const seen: string[] = [];
    const trainer = await load();
    const result = await trainLoop({
      trainer,
      epochs: 5,
      batches: () => data,
      patience: 2,
      validate: ({ epoch }) => {
        seen.push(bytesOf(trainer.readWeights({ averaged: true })));
        return metrics[epoch - 1] as number;
      },
    });
    await trainer.close();
    expect(result).toMatchObject({ stopped: "patience", bestEpoch: 2, bestMetric: 0.9 });
    expect(result.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(bytesOf(result.weights)).toBe(seen[1]);
    const saved = result.model.graph?.initializer.find(({ name }) => name === "W")?.rawData;
    expect(Buffer.from(saved as Uint8Array).toString("hex")).toBe(
      (seen[1] as string)
        .split(",")
        .find((part) => part.startsWith("W:"))
        ?.slice(2),
    );
  });

  it("tells progress with the time left once an epoch is counted", async () => {
    const { events } = await whole();
    const steps = events.filter((event) => event.event === "step");
    expect(steps).toHaveLength(12);
    expect(steps[0]).toMatchObject({ epoch: 1, step: 2, totalSteps: undefined, secondsLeft: undefined });
    expect(steps[5]).toMatchObject({ epoch: 2, step: 12, totalSteps: 24 });
    expect(steps[5]?.secondsLeft).toBeGreaterThan(0);
    expect(() => JSON.stringify(events)).not.toThrow();
  });

  it("stops at a loss that is not finite, naming the step, and keeps the checkpoint", async () => {
    const memory: { bytes?: Uint8Array } = {};
    const store: CheckpointStore = {
      load: () => Promise.resolve(memory.bytes),
      save: (chunks) => Promise.resolve(void (memory.bytes = Buffer.concat([...chunks]))),
    };
    const trainer = await load();
    const run = trainLoop({
      trainer,
      epochs: 3,
      checkpoint: store,
      batches: async function* ({ epoch }) {
        for (const [i, batch] of data.entries()) {
          if (epoch === 2 && i === 3)
            trainer.restore({
              ...trainer.state(),
              weights: { ...trainer.state().weights, W: new Float32Array(width * width).fill(Number.NaN) },
            });
          yield batch;
        }
      },
    });
    await expect(run).rejects.toMatchObject({
      code: "non-finite-loss",
      step: 10,
      kind: "input",
      message: "step 10: loss: expected a finite number, got NaN",
    });
    await trainer.close();
    const { last } = await whole({ checkpoint: store, batches: () => data, epochs: 3 });
    expect(last).toBe((await whole({ batches: () => data, epochs: 3 })).last);
  });

  it("refuses checkpoints of another model, another identity, and other files", async () => {
    const checkpoint = fileCheckpoint(join(folder, "other"));
    await whole({ checkpoint, identity: "a", epochs: 1 });
    await expect(whole({ checkpoint, identity: "b" })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
      message: 'trainLoop: checkpoint: identity: expected "b", got "a"',
    });
    const trainer = await load(1, tagger(5));
    await expect(
      trainLoop({ trainer, epochs: 1, batches: () => data, checkpoint, identity: "a" }),
    ).rejects.toMatchObject({
      code: "checkpoint-mismatch",
      message: 'restore: weight "W": expected 40 elements, got 64',
    });
    await trainer.close();
    await expect(
      whole({
        checkpoint: { load: () => Promise.resolve(new Uint8Array(20)), save: () => Promise.resolve() },
      }),
    ).rejects.toMatchObject({ code: "checkpoint-format" });
  });

  it("refuses a checkpoint of which a bit differs, that was cut off, or that has no checksum", async () => {
    const path = join(folder, "damaged");
    await whole({ checkpoint: fileCheckpoint(path), epochs: 1 });
    const written = readFileSync(path);
    const resumed = (bytes: Uint8Array) =>
      whole({ checkpoint: { load: () => Promise.resolve(bytes), save: () => Promise.resolve() }, epochs: 2 });
    await resumed(written);
    // Places in the header, in its text, and all over the weights and the optimizer's state.
    for (let place = 3; place < written.length; place += Math.ceil(written.length / 60)) {
      const flipped = Uint8Array.from(written);
      flipped[place] = (flipped[place] as number) ^ (1 << (place % 8));
      await expect(resumed(flipped), `byte ${place}`).rejects.toMatchObject({ code: "checkpoint-format" });
    }
    await expect(resumed(written.subarray(0, -4))).rejects.toMatchObject({ code: "checkpoint-format" });
    const old = Buffer.from(
      written.toString("latin1").replace('version\\":\\"2', 'version\\":\\"1'),
      "latin1",
    );
    await expect(resumed(old)).rejects.toThrow(
      /version: expected 2, got 1; remove the checkpoint to start anew$/,
    );
  });

  it("refuses an empty epoch and senseless options", async () => {
    await expect(whole({ batches: () => [] })).rejects.toMatchObject({
      code: "invalid-batch",
      message: "trainLoop: epoch 1: batches: expected at least 1, got 0",
    });
    await expect(whole({ epochs: 0 })).rejects.toMatchObject({
      code: "invalid-option",
      message: "trainLoop: epochs: expected a positive integer, got 0",
    });
  });
});
