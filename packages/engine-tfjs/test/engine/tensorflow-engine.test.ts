import type { Tensor } from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { type EngineOptions, onnxEngine, trainLoop, TrainingError } from "@nasty/training";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, it } from "vitest";
import { tensorflowEngine, TfjsError } from "../../src/index.js";

const engine = tensorflowEngine({ backend: "wasm" });

/** y = table[ids] · W, and what else a test puts at its end. */
function model(last: { op: string; attributes?: Record<string, number> } = { op: "Identity" }) {
  return makeModel(
    makeGraph("lookup", {
      nodes: [
        makeNode("Gather", ["table", "ids"], ["rows"], { name: "lookup" }),
        makeNode("MatMul", ["rows", "W"], ["h"]),
        makeNode(last.op, ["h"], ["y"], { name: "last", attributes: last.attributes ?? {} }),
      ],
      inputs: [makeValueInfo("ids", "int64", ["n"])],
      outputs: [makeValueInfo("y", "float32", ["n", 2])],
      initializers: [
        makeTensor("table", "float32", { shape: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8] }),
        makeTensor("W", "float32", { shape: [2, 2], values: [0.5, -1, 1, 0.25] }),
      ],
    }),
    { opsets: { "": 21 } },
  );
}

const batch = (...ids: number[]): Record<string, Tensor> => ({
  ids: { dtype: "int64", shape: [ids.length], data: BigInt64Array.from(ids, BigInt) },
  target: { dtype: "float32", shape: [ids.length, 2], data: new Float32Array(2 * ids.length).fill(1) },
});

const options: EngineOptions = {
  loss: { kind: "mse", prediction: "y", target: "target" },
  optimizer: { kind: "adamw", learningRate: 0.1, weightDecay: 0.5, averageDecay: 0.5 },
};

async function problem(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

afterEach(() => expect(tf.memory().numTensors).toBe(0));

describe("tensorflowEngine", () => {
  it("names itself and its backend", async () => {
    const seen: unknown[] = [];
    const named = tensorflowEngine({ backend: "cpu", onBackend: (...args) => void seen.push(args) });
    expect(named.name).toBe("tensorflow");
    await (await named.load(model(), options)).close();
    expect(seen).toEqual([["cpu", []]]);
  });

  it("gives every tensor back when it is closed, and keeps only constants before", async () => {
    const trainer = await engine.load(model(), options);
    const held = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) await trainer.step(batch(0, 1, 3));
    await trainer.loss(batch(2));
    expect(tf.memory().numTensors).toBe(held);
    await trainer.close();
  });

  it("learns label sequences of a teacher as the default engine does", async () => {
    const chained = makeModel(
      makeGraph("chain", {
        nodes: [makeNode("Gather", ["table", "ids"], ["logits"])],
        inputs: [makeValueInfo("ids", "int64", ["batch", "length"])],
        outputs: [makeValueInfo("logits", "float32", ["batch", "length", 2])],
        initializers: [
          makeTensor("table", "float32", { shape: [4, 2], values: [0.1, 0.2, -0.3, 0.4, 0.5, -0.6, 0, 1] }),
          makeTensor("A", "float32", { shape: [2, 2], values: [0.3, -0.2, 0.1, 0] }),
          makeTensor("start", "float32", { values: [0.5, 0] }),
          makeTensor("end", "float32", { values: [0, 0.25] }),
        ],
      }),
      { opsets: { "": 21 } },
    );
    const sequences: EngineOptions = {
      loss: {
        kind: "soft-crf",
        emissions: "logits",
        transitions: "A",
        start: "start",
        end: "end",
        targets: "targets",
        pairs: "pairs",
      },
      optimizer: { kind: "adamw", learningRate: 0.05 },
    };
    const taught: Record<string, Tensor> = {
      ids: { dtype: "int64", shape: [2, 3], data: BigInt64Array.of(0n, 1n, 2n, 3n, 1n, 0n) },
      // The second sentence has two words.
      targets: {
        dtype: "float32",
        shape: [2, 3, 2],
        data: Float32Array.of(0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.5, 0.5, 1, 0, 0, 0),
      },
      pairs: { dtype: "float32", shape: [2, 2], data: Float32Array.of(0.9, 0.9, 0.8, 0.4) },
    };
    const losses = [];
    for (const one of [engine, onnxEngine]) {
      const trainer = await one.load(chained, sequences);
      const own: number[] = [];
      for (let i = 0; i < 4; i++) own.push((await trainer.step(taught)).loss);
      losses.push(own);
      await trainer.close();
    }
    const [own, expected] = losses as [number[], number[]];
    expect(expected[3]).toBeLessThan(expected[0] as number);
    own.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
  });

  it("leaves rows that were not looked up alone in a lazy table, as the default engine does", async () => {
    const lazy: EngineOptions = { ...options, optimizer: { ...options.optimizer, lazyFrom: 1 } };
    const tables = [];
    for (const one of [engine, onnxEngine]) {
      const trainer = await one.load(model(), lazy);
      await trainer.step(batch(1, -1, 1));
      tables.push([...(trainer.state().weights["table"] as Float32Array)]);
      await trainer.close();
    }
    const [own, expected] = tables as [number[], number[]];
    expect(own.slice(0, 2)).toEqual([1, 2]);
    expect(own.slice(4, 6)).toEqual([5, 6]);
    expect(own[2]).not.toBe(3);
    own.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
  });

  it("goes on from a saved state with the same weights, and refuses one of another model", async () => {
    const first = await engine.load(model(), options);
    await first.step(batch(0, 1));
    const { weights, optimizer } = first.state();
    const saved = structuredClone({ weights, optimizer });
    await first.step(batch(2, 3));
    const expected = first.readWeights();
    await first.close();

    const second = await engine.load(model(), options);
    second.restore(saved);
    expect(second.stepCount()).toBe(1);
    await second.step(batch(2, 3));
    expect(second.readWeights()).toEqual(expected);
    expect(() => second.restore({ ...saved, weights: {} })).toThrow(
      'restore: weight "table": expected 8 elements, got none',
    );
    await second.close();
  });

  it("trains in the loop and gives the model back with its weights", async () => {
    const trainer = await engine.load(model(), options);
    const before = await trainer.loss(batch(0, 1, 2, 3));
    const { weights } = await trainLoop({ trainer, epochs: 20, batches: () => [batch(0, 1), batch(2, 3)] });
    expect(await trainer.loss(batch(0, 1, 2, 3))).toBeLessThan(before / 4);
    expect(weights.get("W")).toHaveLength(4);
    expect(trainer.model().graph?.initializer.map(({ name }) => name)).toEqual(["table", "W"]);
    await trainer.close();
  });

  it("trains only what is selected", async () => {
    const trainer = await engine.load(model(), { ...options, trainable: ["W"] });
    expect(trainer.weights).toEqual([{ name: "W", shape: [2, 2] }]);
    await trainer.close();
  });
});

describe("what it refuses", () => {
  it("operators without a gradient, as the default engine does", async () => {
    const [own, other] = await Promise.all(
      [engine, onnxEngine].map((one) => problem(one.load(model({ op: "Hardmax" }), options))),
    );
    expect(own).toBeInstanceOf(TrainingError);
    expect(own).toMatchObject({ code: "unsupported-operator", node: "last", operator: "Hardmax" });
    expect((own as Error).message).toBe((other as Error).message);
  });

  it("operators that need no gradient but that it does not run, by name", async () => {
    const asked = makeModel(
      makeGraph("asinh", {
        nodes: [makeNode("Asinh", ["x"], ["a"], { name: "strange" }), makeNode("Mul", ["a", "W"], ["y"])],
        inputs: [makeValueInfo("x", "float32", ["n", 2])],
        outputs: [makeValueInfo("y", "float32", ["n", 2])],
        initializers: [makeTensor("W", "float32", { shape: [2], values: [1, 2] })],
      }),
      { opsets: { "": 21 } },
    );
    const error = await problem(engine.load(asked, options));
    expect(error).toBeInstanceOf(TfjsError);
    expect(error).toMatchObject({
      code: "unsupported-operator",
      kind: "input",
      node: "strange",
      operator: "Asinh",
      message: 'tensorflowEngine: node "strange": operator: expected one that it runs, got Asinh',
    });
  });

  it("indices outside the table, by node", async () => {
    const trainer = await engine.load(model(), options);
    const error = await problem(trainer.step(batch(0, 4)));
    await trainer.close();
    expect(error).toMatchObject({
      code: "unsupported-attribute",
      message: 'tensorflowEngine: node "lookup" (Gather): index 1: expected one in [-4, 3], got 4',
    });
  });

  it("batches that lack an input or have one too many", async () => {
    const trainer = await engine.load(model(), options);
    const { ids, target } = batch(0) as { ids: Tensor; target: Tensor };
    const errors = [
      await problem(trainer.step({ target })),
      await problem(trainer.step({ ids })),
      await problem(trainer.step({ ids, target, other: target })),
    ];
    await trainer.close();
    expect(errors.map((error) => (error as TrainingError).code)).toEqual([
      "invalid-batch",
      "invalid-batch",
      "invalid-batch",
    ]);
    expect((errors[0] as Error).message).toBe('step: input "ids": expected a tensor in the batch, got none');
    expect((errors[2] as Error).message).toContain('"other"');
  });

  it("a loss that is not finite; the weights stay", async () => {
    const trainer = await engine.load(model({ op: "Log" }), options);
    const before = trainer.readWeights();
    const error = await problem(trainer.step(batch(0)));
    expect(error).toMatchObject({ code: "non-finite-loss", step: 1 });
    expect(trainer.readWeights()).toEqual(before);
    await trainer.close();
  });
});
