import { type Tensor, tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CalibrationBatch,
  type CalibrationMethod,
  collectRanges,
  collectTables,
  type Histogram,
} from "../src/index.js";

/** ids [batch, length] → h = table[ids] → scores = h · hᵀ + (1 − mask) · −10000 → weights → y = weights · h · W. */
const attention = (table: readonly number[]): ModelProto =>
  makeModel(
    makeGraph("attention", {
      nodes: [
        makeNode("Gather", ["table", "ids"], ["h"]),
        makeNode("Transpose", ["h"], ["ht"], { attributes: { perm: [0, 2, 1] } }),
        makeNode("MatMul", ["h", "ht"], ["raw"]),
        makeNode("Cast", ["mask"], ["m"], { attributes: { to: 1 } }),
        makeNode("Sub", ["one", "m"], ["inverse"]),
        makeNode("Mul", ["inverse", "huge"], ["bias"]),
        makeNode("Unsqueeze", ["bias", "axis"], ["bias3"]),
        makeNode("Add", ["raw", "bias3"], ["scores"]),
        makeNode("Softmax", ["scores"], ["weights"]),
        makeNode("MatMul", ["weights", "h"], ["mixed"]),
        makeNode("MatMul", ["mixed", "W"], ["y"]),
      ],
      inputs: [
        makeValueInfo("ids", "int64", ["batch", "length"]),
        makeValueInfo("mask", "int64", ["batch", "length"]),
      ],
      outputs: [makeValueInfo("y", "float32", ["batch", "length", 2])],
      initializers: [
        makeTensor("table", "float32", { values: table, shape: [table.length / 3, 3] }),
        makeTensor("W", "float32", { values: [1, 0.5, -1, 2, 0.25, -0.5], shape: [3, 2] }),
        makeTensor("one", "float32", { values: [1], shape: [] }),
        makeTensor("huge", "float32", { values: [-10000], shape: [] }),
        makeTensor("axis", "int64", { values: [1] }),
      ],
    }),
    { opsets: { "": 17 }, irVersion: 8 },
  );

/** Row 0 is the padding's: far outside the range of the others, as an untrained padding vector may be. */
const table = [90, -90, 90, ...Array.from({ length: 27 }, (_, i) => Math.fround(Math.sin(i * 1.7) * 2))];
const model = attention(table);

const ids = (rows: readonly (readonly number[])[]): CalibrationBatch => {
  const length = Math.max(...rows.map((row) => row.length));
  const padded = rows.flatMap((row) => [...row, ...Array.from({ length: length - row.length }, () => 0)]);
  const real = rows.flatMap((row) => Array.from({ length }, (_, i) => (i < row.length ? 1n : 0n)));
  const mask = tensor("int64", [rows.length, length], BigInt64Array.from(real));
  const feeds: Record<string, Tensor> = {
    ids: tensor("int64", [rows.length, length], BigInt64Array.from(padded, BigInt)),
    mask,
  };
  return { feeds, mask };
};

/** Cuts sentences into batches of the given sizes, in turn. */
const cut = (sentences: readonly (readonly number[])[], sizes: readonly number[]): CalibrationBatch[] => {
  const batches: CalibrationBatch[] = [];
  for (let at = 0, turn = 0; at < sentences.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    batches.push(ids(sentences.slice(at, at + size)));
    at += size;
  }
  return batches;
};

/**
 * words [U] → vectors = table[words] [U, 3]; index [batch, length] → y = vectors[index] · W: distinct words are
 * described once.
 */
const described = makeModel(
  makeGraph("described", {
    nodes: [
      makeNode("Gather", ["table", "words"], ["vectors"]),
      makeNode("Gather", ["vectors", "index"], ["placed"]),
      makeNode("MatMul", ["placed", "W"], ["y"]),
    ],
    inputs: [
      makeValueInfo("words", "int64", ["distinct"]),
      makeValueInfo("index", "int64", ["batch", "length"]),
    ],
    outputs: [makeValueInfo("y", "float32", ["batch", "length", 2])],
    initializers: [
      makeTensor("table", "float32", { values: table, shape: [table.length / 3, 3] }),
      makeTensor("W", "float32", { values: [1, 0.5, -1, 2, 0.25, -0.5], shape: [3, 2] }),
    ],
  }),
  { opsets: { "": 17 }, irVersion: 8 },
);

const watched = ["h", "scores", "weights", "mixed", "y"];
const sentences = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [2, 2], [9, 1, 4, 3]];

describe("collectRanges", () => {
  it("finds the range of real tokens alone", async () => {
    const { tensors, samples, method } = await collectRanges(model, watched, cut(sentences, [5]));
    expect([samples, method]).toEqual([5, "minmax"]);
    const used = sentences.flat().flatMap((id) => table.slice(id * 3, id * 3 + 3));
    expect(tensors.h).toEqual({
      min: Math.min(...used),
      max: Math.max(...used),
      seenMin: Math.min(...used),
      seenMax: Math.max(...used),
      count: used.length,
      masked: 0,
    });
    expect(Math.abs(tensors.scores?.min ?? Number.NaN)).toBeLessThan(20);
    expect(tensors.scores?.count).toBe(sentences.reduce((sum, row) => sum + row.length ** 2, 0));
  });

  it("would be wrong with padding counted", async () => {
    const batches = cut(sentences, [5]).map(({ feeds }) => ({ feeds }));
    const { tensors } = await collectRanges(model, watched, batches, {
      maskedBelow: Number.NEGATIVE_INFINITY,
    });
    expect(tensors.h?.max).toBe(90);
    expect(tensors.scores?.min).toBeLessThan(-9000);
  });

  it("leaves out masked scores even when nobody says what padding is", async () => {
    const batches = cut(
      sentences.map((row) => row.map((id) => id)),
      [5],
    ).map(({ feeds }) => ({ feeds }));
    const { tensors } = await collectRanges(model, ["bias"], batches);
    expect(tensors.bias).toMatchObject({ min: 0, max: 0, masked: 5 * 5 - 15 });
  });

  it.each<CalibrationMethod>(["minmax", "moving-average", "percentile", "entropy", "mse"])(
    "%s does not depend on how samples are cut into batches",
    async (method) => {
      const sentence = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 7 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(sentence, { minLength: 1, maxLength: 12 }),
          fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
          async (corpus, sizes) => {
            const options = { method, bins: 256 };
            const one = await collectRanges(model, watched, cut(corpus, [1]), options);
            const many = await collectRanges(model, watched, cut(corpus, sizes), options);
            expect(many.samples).toBe(one.samples);
            for (const name of watched) {
              const [a, b] = [one.tensors[name], many.tensors[name]];
              expect([b?.count, b?.masked]).toEqual([a?.count, a?.masked]);
              expect(b?.seenMin).toBeCloseTo(a?.seenMin as number, 4);
              expect(b?.seenMax).toBeCloseTo(a?.seenMax as number, 4);
              if (method !== "minmax" && method !== "moving-average") continue;
              expect(b?.min).toBeCloseTo(a?.min as number, 4);
              expect(b?.max).toBeCloseTo(a?.max as number, 4);
            }
            // Sums are rounded in another order in a larger batch, which may move a value to the next bin; looked-up
            // rows are the same bits, so there every method must agree exactly.
            expect(many.tensors.h).toEqual(one.tensors.h);
          },
        ),
        { numRuns: 15 },
      );
    },
  );

  it("stops at the samples asked for, and holds one batch at a time", async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<CalibrationBatch> {
      for (;;) {
        taken++;
        yield ids([[1, 2], [3]]);
      }
    }
    const progress: number[] = [];
    const found = await collectRanges(model, ["h"], endless(), {
      limit: 5,
      onProgress: (n) => progress.push(n),
    });
    expect(found.samples).toBe(5);
    expect(taken).toBe(3);
    expect(progress).toEqual([2, 4, 5]);
  });

  it("skips rows without a real token", async () => {
    const batch = ids([[1, 2], []]);
    expect((await collectRanges(model, ["h"], [batch])).samples).toBe(1);
  });

  it("watches a float input of the graph", async () => {
    const plain = makeModel(
      makeGraph("plain", {
        nodes: [makeNode("Relu", ["x"], ["y"])],
        inputs: [makeValueInfo("x", "float32", ["n", 2])],
        outputs: [makeValueInfo("y", "float32", ["n", 2])],
      }),
      { opsets: { "": 17 }, irVersion: 8 },
    );
    const feeds = { x: tensor("float32", [1, 2], Float32Array.of(-2, 3)) };
    const { tensors } = await collectRanges(plain, ["x", "y"], [{ feeds }]);
    expect(tensors.x).toMatchObject({ min: -2, max: 3 });
    expect(tensors.y).toMatchObject({ min: 0, max: 3 });
  });

  it("leaves the caller's model as it was", async () => {
    const outputs = model.graph?.output.map(({ name }) => name);
    await collectRanges(model, watched, [ids([[1]])]);
    expect(model.graph?.output.map(({ name }) => name)).toEqual(outputs);
  });
});

const failure = (
  batches: readonly CalibrationBatch[],
  { names = ["h"], ...options }: { names?: string[]; limit?: number } = {},
  from = model,
) => collectRanges(from, names, batches, options);

describe("what cannot be calibrated", () => {
  it.each([
    [[], {}, "empty-set", "calibrate: samples: count: expected at least 1, got 0"],
    [[ids([[1]])], { limit: 3 }, "too-few-samples", "calibrate: samples: count: expected 3, got 1"],
    [
      [ids([[1]])],
      { limit: 0 },
      "invalid-option",
      "calibrate: limit: expected an integer of at least 1, got 0",
    ],
    [
      [ids([[1]])],
      { names: ["nowhere"] },
      "unknown-tensor",
      "calibrate: tensor nowhere: expected an activation of the main graph, got no such value",
    ],
    [
      [ids([[1]])],
      { names: ["W"] },
      "unknown-tensor",
      "calibrate: tensor W: expected an activation of the main graph, got a constant",
    ],
    [
      [ids([[1]])],
      { names: ["ids"] },
      "unsupported-dtype",
      "calibrate: tensor ids: element type: expected a float, got int64",
    ],
  ])("is refused: %#", async (batches, options, code, message) => {
    await expect(failure(batches, options)).rejects.toMatchObject({ code, message, kind: "input" });
  });

  it("a mask of another batch", async () => {
    const { feeds } = ids([[1], [2]]);
    const { mask } = ids([[1]]);
    await expect(failure([{ feeds, ...(mask && { mask }) }])).rejects.toMatchObject({
      code: "mask-shape",
      message: "calibrate: mask: batch: expected 2, got 1",
    });
  });

  it("not inputs that run over other things than the batch, whose values all count", async () => {
    // Word 9 is at a masked position only.
    const mask = tensor("int64", [1, 4], BigInt64Array.of(1n, 1n, 1n, 0n));
    const feeds = {
      words: tensor("int64", [3], BigInt64Array.of(1n, 2n, 9n)),
      index: tensor("int64", [1, 4], BigInt64Array.of(0n, 1n, 0n, 2n)),
    };
    const { tensors } = await collectRanges(described, ["vectors", "placed"], [{ feeds, mask }]);
    expect(tensors["vectors"]?.count).toBe(9);
    expect(tensors["placed"]?.count).toBe(9);
    const seen = (words: readonly number[]): number =>
      Math.max(...words.flatMap((word) => table.slice(3 * word, 3 * word + 3)));
    expect(tensors["vectors"]?.max).toBeCloseTo(seen([1, 2, 9]), 5);
    expect(tensors["placed"]?.max).toBeCloseTo(seen([1, 2]), 5);
  });

  it("NaN names tensor and sample", async () => {
    const broken = attention(table.map((value, i) => (i === 15 ? Number.NaN : value)));
    await expect(failure([ids([[1], [2]]), ids([[3], [5]])], {}, broken)).rejects.toMatchObject({
      code: "nan",
      tensor: "h",
      sample: 3,
    });
  });

  it("a tensor of masked scores only", async () => {
    const all = attention(table.map(() => -2e4));
    await expect(failure([ids([[1]])], {}, all)).rejects.toMatchObject({
      code: "no-values",
      message: "calibrate: tensor h: values: expected at least 1 that counts, got 0 (3 masked)",
    });
  });
});

describe("histograms to look at", () => {
  it("are of the values that count, whatever the method, and change no range", async () => {
    const batches = [ids([[1, 2, 3], [4]]), ids([[5, 6]])];
    for (const method of ["minmax", "percentile"] as const) {
      const without = await collectRanges(model, ["h", "scores"], batches, { method });
      const seen = new Map<string, Histogram>();
      const table = await collectRanges(model, ["h", "scores"], batches, {
        method,
        onHistogram: (name, histogram) => seen.set(name, histogram),
      });
      expect(table).toEqual(without);
      expect([...seen.keys()]).toEqual(["h", "scores"]);
      for (const [name, { counts, limit, total }] of seen) {
        const range = table.tensors[name];
        expect(total).toBe(range?.count);
        expect(counts.reduce((a, b) => a + b, 0)).toBe(total);
        expect(limit).toBeGreaterThanOrEqual(Math.max(-(range?.seenMin ?? 0), range?.seenMax ?? 0));
        expect(counts.length).toBeLessThanOrEqual(1024);
      }
    }
  });
});

describe("collectTables", () => {
  it("gives each method the table that it alone would find, in one run over the samples", async () => {
    const methods = [
      { method: "minmax" },
      { method: "percentile", percentile: 90 },
      { method: "percentile", percentile: 99 },
      { method: "entropy" },
      { method: "mse", scheme: { dtype: "uint8", symmetric: true } },
      { method: "mse", bins: 512 },
      { method: "moving-average" },
      { method: "moving-average", averagingConstant: 0.5 },
    ] as const;
    // What can be gone through once.
    let runs = 0;
    const once = (function* () {
      for (const batch of cut(sentences, [2])) {
        runs++;
        yield batch;
      }
    })();
    const tables = await collectTables(model, watched, once, { methods });
    expect(runs).toBe(3);
    const alone = await Promise.all(
      methods.map((method) => collectRanges(model, watched, cut(sentences, [2]), method)),
    );
    expect(tables).toEqual(alone);
    expect(new Set(tables.map(({ tensors }) => JSON.stringify(tensors))).size).toBeGreaterThan(4);
  });
});
