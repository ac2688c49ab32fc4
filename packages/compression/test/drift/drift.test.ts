import { tensor, type Tensor } from "@nasty/core";
import {
  copyMessage,
  type GraphProto,
  makeValueInfo,
  type ModelProto,
  tensorFromProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import {
  dynamic,
  firstDeparture,
  int4,
  madeFeeds,
  measureDrift,
  type Reference,
  referenceOf,
  sessionDrift,
} from "../../src/index.js";
import { tinyBert, vocabulary } from "../pruning/tiny-bert.js";
import { int64, linear, matrix, model, node, run } from "../tiny-models.js";

/** The model with the values of one initializer changed. */
function planted(m: ModelProto, name: RegExp, change: (value: number, index: number) => number): ModelProto {
  const graph = m.graph as GraphProto;
  const initializer = graph.initializer.map((proto) => {
    if (!name.test(proto.name)) return proto;
    const found = tensorFromProto(proto) as Tensor<"float32">;
    return tensorToProto({ ...found, data: found.data.map(change) }, proto.name);
  });
  return copyMessage(m, { graph: copyMessage(graph, { initializer }) });
}

const referenceTo = async (m: ModelProto): Promise<Reference> =>
  (await referenceOf(m, [[{ feeds: madeFeeds(m) ?? {} }]])) as Reference;

describe("measureDrift", () => {
  it("is near 1 for what quantizing does, in 8 and in 4 bits", async () => {
    const m = tinyBert();
    const reference = await referenceTo(m);
    for (const quantized of [await dynamic.quantize(m), await int4.quantize(m)]) {
      const [logits, ...others] = await measureDrift(reference, quantized);
      expect(others).toEqual([]);
      expect(logits).toMatchObject({ name: "logits", finite: true });
      expect(logits?.cosine).toBeGreaterThan(0.95);
    }
  });

  it("finds scales that went wrong, and the node where values part", async () => {
    const m = tinyBert();
    const plain = (await dynamic.apply(m, await dynamic.plan(m))).model;
    const wrong = planted(plain, /layer\.1.*value.*_scale$/, (value, i) => value * (i % 2 === 0 ? -4 : 6));
    expect(wrong).not.toEqual(plain);
    const reference = await referenceTo(m);
    const [logits] = await measureDrift(reference, wrong);
    expect(logits?.cosine).toBeLessThan(0.9);
    const [batch] = reference.batches;
    const departure = await firstDeparture(m, wrong, batch as never, { minCosine: 0.9 });
    expect(departure).toMatchObject({ op: "MatMul", node: expect.stringContaining("layer.1") as string });
    expect(departure?.node).toContain("value");
    expect(departure?.cosine).toBeLessThan(0.9);
    expect(await firstDeparture(m, plain, batch as never, { minCosine: 0.9 })).toBeUndefined();
  });

  it("calls an output that is not finite by its name, and zeros alike", async () => {
    const m = linear();
    const infinite = planted(await dynamic.quantize(m), /_scale$/, () => 3e38);
    expect(await measureDrift(await referenceTo(m), infinite)).toMatchObject([
      { name: "y", cosine: 0, finite: false },
    ]);
    const zero = linear({
      initializers: [
        tensorToProto(tensor("float32", [16, 24], new Float32Array(384)), "W"),
        tensorToProto(tensor("float32", [24], new Float32Array(24)), "b"),
      ],
    });
    expect(await measureDrift(await referenceTo(zero), zero)).toMatchObject([
      { name: "y", cosine: 1, finite: true },
    ]);
  });

  /** What says the same to all inputs. */
  const session = (values: Float32Array) =>
    ({
      inputs: [],
      outputs: [{ name: "y", dtype: "float32", shape: ["n"] }],
      run: async () => ({ y: tensor("float32", [values.length], values) }),
    }) as never;

  it("leaves out what both have infinite, and calls an output unlike where only the original has", async () => {
    const outputs = new Map([["y", [Float32Array.of(1, 2, Number.NEGATIVE_INFINITY)]]]);
    const saying = (last: number) => session(Float32Array.of(1, 2, last));
    const cosineOf = async (last: number) =>
      (await sessionDrift({ batches: [{ feeds: {} }], outputs }, saying(last)))[0]?.cosine;
    expect(await cosineOf(Number.NEGATIVE_INFINITY)).toBeCloseTo(1, 12);
    expect(await cosineOf(0)).toBe(0);
  });

  it("an output with fewer values, or more, is not like the original's", async () => {
    const reference = { batches: [{ feeds: {} }], outputs: new Map([["y", [Float32Array.of(1, 2)]]]) };
    const saying = (...values: number[]) => session(Float32Array.from(values));
    expect(await sessionDrift(reference, saying(1, 2))).toMatchObject([
      { name: "y", cosine: expect.closeTo(1, 12), finite: true },
    ]);
    for (const values of [[1], [1, 2, 0]])
      expect(await sessionDrift(reference, saying(...values))).toMatchObject([
        { name: "y", cosine: 0, finite: false },
      ]);
  });
});

describe("referenceOf", () => {
  it("takes the first inputs that the model accepts", async () => {
    const m = linear();
    const fit = { feeds: madeFeeds(m) ?? {} };
    const unfit = { feeds: { x: tensor("float32", [1, 1, 3], new Float32Array(3)) } };
    expect((await referenceOf(m, [[unfit], [fit]]))?.batches).toEqual([fit]);
    expect(await referenceOf(m, [[unfit]])).toBeUndefined();
  });
});

describe("madeFeeds", () => {
  it("chooses rows of the tables that ids are looked up in, and ones for masks", () => {
    const feeds = madeFeeds(tinyBert(), { length: 200 }) ?? {};
    const ids = Array.from((feeds["input_ids"] as Tensor<"int64">).data, Number);
    expect(feeds["input_ids"]?.shape).toEqual([2, 200]);
    expect(Math.max(...ids)).toBeLessThan(vocabulary);
    expect(new Set(ids).size).toBeGreaterThan(vocabulary / 2);
    expect([...(feeds["attention_mask"] as Tensor<"int64">).data].every((value) => value === 1n)).toBe(true);
    expect(madeFeeds(tinyBert())).toEqual(madeFeeds(tinyBert()));
    expect(madeFeeds(tinyBert(), { seed: 2 })).not.toEqual(madeFeeds(tinyBert()));
    const larger = Object.values(madeFeeds(tinyBert(), { batchSize: 3 }) ?? {});
    expect(new Set(larger.map(({ shape }) => shape[0]))).toEqual(new Set([3]));
  });

  it("gives dimensions of one name one size, lengths of sequences the longest, and every type its values", async () => {
    const m = model({
      nodes: [
        node("LSTM", ["x", "W", "R", "", "lengths"], ["", "h"], { attributes: { hidden_size: 8 } }),
        node("Where", ["flag", "scale", "other"], ["s"]),
        node("Mul", ["h", "s"], ["y"]),
      ],
      initializers: [matrix("W", [1, 32, 16]), matrix("R", [1, 32, 8], 2)],
      inputs: [
        makeValueInfo("x", "float32", ["time", "batch", 16]),
        makeValueInfo("lengths", "int32", ["batch"]),
        makeValueInfo("flag", "bool", [1]),
        makeValueInfo("scale", "float32", [1]),
        makeValueInfo("other", "float32", [1]),
      ],
    });
    const feeds = madeFeeds(m) ?? {};
    expect(feeds["x"]?.shape).toEqual([2, 8, 16]);
    expect([...(feeds["lengths"] as Tensor<"int32">).data]).toEqual(Array(8).fill(2));
    expect([...(feeds["flag"] as Tensor<"bool">).data]).toEqual([1]);
    expect((await run(m, feeds))["y"]?.shape).toEqual([1, 8, 8]);
  });

  it("gives a recurrent state the batch, and a choice one of the numbers that it is compared with", async () => {
    const m = model({
      nodes: [
        node("Equal", ["rate", "known"], ["isKnown"]),
        node("LSTM", ["x", "W", "R", "", "", "h0", "c0"], ["", "h"], { attributes: { hidden_size: 8 } }),
        node("Where", ["isKnown", "h", "other"], ["y"]),
      ],
      initializers: [
        matrix("W", [1, 32, 16]),
        matrix("R", [1, 32, 8], 2),
        tensorToProto(int64([16000], []), "known"),
        tensorToProto(tensor("float32", [], new Float32Array(1)), "other"),
      ],
      inputs: [
        makeValueInfo("x", "float32", [5, undefined, 16]),
        makeValueInfo("h0", "float32", [1, undefined, 8]),
        makeValueInfo("c0", "float32", [1, undefined, 8]),
        makeValueInfo("rate", "int64", []),
      ],
    });
    const feeds = madeFeeds(m) ?? {};
    expect(feeds["h0"]?.shape).toEqual([1, 2, 8]);
    expect(feeds["rate"]?.data).toEqual(BigInt64Array.of(16000n));
    const { y } = await run(m, feeds);
    expect(Array.from(y?.data ?? [], Number).some((value) => value !== 0)).toBe(true);
  });

  it("makes none for strings", () => {
    const inputs = [makeValueInfo("x", "float32", ["n", 16])];
    const text = copyMessage(inputs[0] as never) as (typeof inputs)[number];
    const elem = text.type?.value as { value: { elemType: number } };
    elem.value.elemType = 8;
    const m = model({ nodes: [node("Identity", ["x"], ["y"])], inputs: [text] });
    expect(madeFeeds(m)).toBeUndefined();
  });
});
