import { pairRanges, perChannel, seededRandom, tensor, type Tensor } from "@nasty/core";
import { type ModelProto, makeNode, makeValueInfo, tensorToProto } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { complementaryOrder } from "../../src/accuracy/complementary-order.js";
import { dynamic, int8, pairUnits } from "../../src/index.js";
import { type TinyBert, tinyBert, tinyFeeds } from "../pruning/tiny-bert.js";
import { agreementDb, float, matrix, model } from "../tiny-models.js";

/** Bell-shaped weights [rows, columns]. */
function weights(rows: number, columns: number, seed = 1): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: rows * columns }, () => random.normal());
}

describe("complementaryOrder", () => {
  const [rows, columns] = [64, 48];
  const values = weights(rows, columns);
  const view = () => ({ rows, columns, values: values.slice() });

  it("is an order of all rows, the same each time, and within blocks if there are any", () => {
    const order = complementaryOrder(view());
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
    expect(complementaryOrder(view())).toEqual(order);
    const blocks = complementaryOrder(view(), 16);
    for (const [place, row] of blocks.entries()) expect(Math.floor(row / 16)).toBe(Math.floor(place / 16));
    expect(complementaryOrder({ ...view(), rows: 5 }).sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it("makes the largest sums of neighbours smaller than they come by chance", () => {
    const largest = (order: readonly number[]): number => {
      const data = Float32Array.from(
        order.flatMap((row) => [...values.subarray(row * columns, (row + 1) * columns)]),
      );
      const { min, max } = pairRanges(tensor("float32", [rows, columns], data), perChannel(1), 0);
      return max.reduce((sum, value, i) => sum + Math.max(value, -(min[i] as number)) ** 2, 0);
    };
    const byChance = largest(Array.from({ length: rows }, (_, i) => i));
    expect(largest(complementaryOrder(view()))).toBeLessThan(0.8 * byChance);
  });

  it("puts a row beside its opposite", () => {
    const rows4 = [3, 3, -3, -3];
    const order = complementaryOrder({ rows: 4, columns: 1, values: Float32Array.from(rows4) });
    expect((rows4[order[0] as number] as number) + (rows4[order[1] as number] as number)).toBe(0);
  });
});

const bytesOf = (model: ModelProto): Buffer[] =>
  (model.graph?.initializer ?? []).map(({ rawData }) => Buffer.from(rawData));

/** Lower bound of how alike two float models are that add in another order. */
const sameInFloat = 110;

function changed(before: ModelProto, after: ModelProto): string[] {
  const bytes = new Map(
    (before.graph?.initializer ?? []).map(({ name, rawData }) => [name, Buffer.from(rawData)]),
  );
  return (after.graph?.initializer ?? [])
    .filter(({ name, rawData }) => bytes.get(name)?.equals(Buffer.from(rawData)) === false)
    .map(({ name }) => name);
}

const sqnrOf = async (m: ModelProto): Promise<Map<string, number>> =>
  new Map(
    (await dynamic.apply(m, await dynamic.plan(m))).report.tensors.map(({ name, sqnrDb }) => [name, sqnrDb]),
  );

describe("pairUnits of an encoder", () => {
  it.each<TinyBert>([
    {},
    { activation: "relu", reshape: "computed", norm: "pre" },
    { activation: "gated", weights: "transposed" },
    { weights: "constant", normForm: "parts", reshape: "inferred" },
  ])("leaves the float model what it was: %j", async (options) => {
    const m = tinyBert(options);
    const { model: paired, layers } = pairUnits(m);
    expect(layers).toBe(4);
    expect(await agreementDb(m, paired, tinyFeeds())).toBeGreaterThan(sameInFloat);
  });

  it("makes what reads the units lose less, and nothing else lose more", async () => {
    const m = tinyBert({ inner: 64, layers: 1 });
    const { model: paired } = pairUnits(m);
    const [before, after] = [await sqnrOf(m), await sqnrOf(paired)];
    const gains = [...before].map(([name, db]) => (after.get(name) as number) - db);
    expect(Math.max(...gains)).toBeGreaterThan(0.8);
    expect(Math.min(...gains)).toBeGreaterThan(-0.3);
    expect(changed(m, paired).length).toBeGreaterThan(3);
  });

  it("leaves a model alone whose units are read elsewhere, or that has none", () => {
    const leaking = tinyBert({ leak: true, layers: 1, inner: 16 });
    expect(pairUnits(leaking).layers).toBeLessThan(2);
    const none = model({
      nodes: [makeNode("MatMul", ["x", "W"], ["y"])],
      initializers: [matrix("W", [16, 24])],
    });
    expect(pairUnits(none)).toEqual({ model: none, layers: 0 });
  });

  it("writes over the model's own bytes if asked to, and only then", () => {
    const m = tinyBert();
    const before = bytesOf(m);
    const { model: copy } = pairUnits(m);
    expect(bytesOf(m)).toEqual(before);
    const { model: same } = pairUnits(m, { inPlace: true });
    expect(bytesOf(same)).toEqual(bytesOf(copy));
    expect(bytesOf(m)).toEqual(bytesOf(copy));
    for (const [i, { rawData }] of (same.graph?.initializer ?? []).entries())
      expect(rawData).toBe(m.graph?.initializer[i]?.rawData);
  });

  it("orders weights over bytes that lie nowhere in particular", () => {
    const m = tinyBert();
    const { model: copy } = pairUnits(m);
    for (const proto of m.graph?.initializer ?? []) {
      const moved = new Uint8Array(proto.rawData.length + 3).subarray(3);
      moved.set(proto.rawData);
      proto.rawData = moved;
    }
    expect(bytesOf(pairUnits(m, { inPlace: true }).model)).toEqual(bytesOf(copy));
  });

  it("leaves heads of an odd number of values alone", () => {
    const odd = pairUnits(tinyBert({ heads: 16, layers: 1 }));
    expect(odd.layers).toBe(1);
  });
});

/** LSTM → Transpose → Reshape → mask → LSTM → Squeeze or Reshape → MatMul, as exporters write them. */
function recurrent({
  directions = 2,
  hidden = 8,
  nodes = [],
  outputs = ["y"],
}: {
  directions?: 1 | 2;
  hidden?: number;
  nodes?: readonly ReturnType<typeof makeNode>[];
  outputs?: readonly string[];
} = {}): ModelProto {
  const attributes = { hidden_size: hidden, direction: directions === 2 ? "bidirectional" : "forward" };
  const wide = directions * hidden;
  const joined = (from: string, to: string) =>
    directions === 2
      ? [
          makeNode("Transpose", [from], [`${from}_t`], { attributes: { perm: [0, 2, 1, 3] } }),
          makeNode("Reshape", [`${from}_t`, "shape"], [to]),
        ]
      : [makeNode("Squeeze", [from, "axis1"], [to])];
  const of = (name: string, shape: readonly number[], seed: number) =>
    tensorToProto(
      tensor(
        "float32",
        shape,
        weights(
          shape.reduce((a, b) => a * b, 1),
          1,
          seed,
        ),
      ),
      name,
    );
  return model({
    nodes: [
      makeNode("LSTM", ["x", "W0", "R0", "B0", "", "", "", "P0"], ["h0"], { attributes }),
      ...joined("h0", "s0"),
      makeNode("Mul", ["s0", "mask"], ["m0"]),
      makeNode("LSTM", ["m0", "W1", "R1", "B1"], ["h1"], { attributes }),
      ...joined("h1", "s1"),
      makeNode("Transpose", ["s1"], ["b1"], { attributes: { perm: [1, 0, 2] } }),
      makeNode("MatMul", ["b1", "V"], ["y"]),
      ...nodes,
    ],
    inputs: [
      makeValueInfo("x", "float32", ["length", "batch", 16]),
      makeValueInfo("mask", "float32", ["length", "batch", 1]),
    ],
    outputs,
    initializers: [
      of("W0", [directions, 4 * hidden, 16], 1),
      of("R0", [directions, 4 * hidden, hidden], 2),
      of("B0", [directions, 8 * hidden], 3),
      of("P0", [directions, 3 * hidden], 4),
      of("W1", [directions, 4 * hidden, wide], 5),
      of("R1", [directions, 4 * hidden, hidden], 6),
      of("B1", [directions, 8 * hidden], 7),
      of("V", [wide, 5], 8),
      tensorToProto(tensor("int64", [3], BigInt64Array.of(0n, 0n, BigInt(wide))), "shape"),
      tensorToProto(tensor("int64", [1], BigInt64Array.of(1n)), "axis1"),
    ],
  });
}

const states: Record<string, Tensor> = {
  x: float([5, 3, 16]),
  mask: tensor("float32", [5, 3, 1], new Float32Array(15).fill(1)),
};

describe("pairUnits of LSTMs", () => {
  it.each([1, 2] as const)(
    "leaves the float model what it was, all weights in order (%i directions)",
    async (directions) => {
      const m = recurrent({ directions });
      const { model: paired, layers } = pairUnits(m);
      expect(layers).toBe(2);
      expect(changed(m, paired).sort()).toEqual(["B0", "B1", "P0", "R0", "R1", "V", "W0", "W1"]);
      expect(await agreementDb(m, paired, states)).toBeGreaterThan(sameInFloat);
    },
  );

  it("makes recurrent weights lose less", async () => {
    const m = recurrent({ hidden: 64 });
    const [before, after] = [await sqnrOf(m), await sqnrOf(pairUnits(m).model)];
    for (const name of ["R0", "R1", "W1", "V"])
      expect((after.get(name) as number) - (before.get(name) as number), name).toBeGreaterThan(0.3);
  });

  it("leaves an LSTM alone whose states, or whose last state, something else reads", () => {
    const other = makeNode("ReduceMax", ["s0"], ["largest"]);
    expect(pairUnits(recurrent({ nodes: [other], outputs: ["y", "largest"] })).layers).toBe(1);
    expect(pairUnits(recurrent({ outputs: ["y", "h0"] })).layers).toBe(1);
    expect(pairUnits(recurrent({ hidden: 7 })).layers).toBe(0);
  });
});

describe("quantizing at once", () => {
  it("orders units first, unless full pairs or 7 bits are asked for", async () => {
    const m = tinyBert({ layers: 1 });
    const planned = async (source: ModelProto) =>
      (await dynamic.apply(source, await dynamic.plan(source))).model;
    const integers = (q: ModelProto) => (q.graph?.initializer ?? []).filter(({ dataType }) => dataType === 3);
    expect(integers(await dynamic.quantize(m))).toEqual(integers(await planned(pairUnits(m).model)));
    expect(integers(await dynamic.quantize(m))).not.toEqual(integers(await planned(m)));
    for (const options of [{ pairs: "full" }, { reduceRange: true }] as const)
      expect(integers(await dynamic.quantize(m, options))).toEqual(
        integers((await dynamic.apply(m, await dynamic.plan(m, options))).model),
      );
    const calibrationData = [{ feeds: tinyFeeds() }];
    const statically = await int8.quantize(m, { calibrationData });
    const { model: paired } = pairUnits(m);
    expect(integers(statically)).toEqual(
      integers((await int8.apply(paired, await int8.plan(paired, { calibrationData }))).model),
    );
  });
});
