import { type Tensor, tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import {
  type CalibrationBatch,
  collectRanges,
  takeBatches,
  tapActivations,
  type TappedValue,
  tapOutputs,
} from "../src/index.js";

type Sizes = readonly (number | string)[];

/**
 * ids [batch, length] → h = table[ids] [batch, length, 2] → t = h with positions first → w = t · W, and heads [batch,
 * 1, length, 2].
 *
 * Padding is id 0, whose vector is far from all others.
 */
const modelOf = (sizes: Sizes = ["batch", "length"]): ModelProto =>
  makeModel(
    makeGraph("shapes", {
      nodes: [
        makeNode("Gather", ["table", "ids"], ["h"]),
        makeNode("Transpose", ["h"], ["t"], { attributes: { perm: [1n, 0n, 2n] } }),
        makeNode("MatMul", ["t", "W"], ["w"]),
        makeNode("Unsqueeze", ["h", "one"], ["heads"]),
        makeNode("Shape", ["ids"], ["size"]),
        makeNode("Transpose", ["w"], ["y"], { attributes: { perm: [1n, 0n, 2n] } }),
      ],
      inputs: [makeValueInfo("ids", "int64", sizes)],
      outputs: [makeValueInfo("y", "float32", [...sizes, 2]), makeValueInfo("size", "int64", [2])],
      initializers: [
        makeTensor("table", "float32", {
          values: [900, -900, ...Array.from({ length: 18 }, (_, i) => Math.fround(Math.sin(i * 1.7) * 2))],
          shape: [10, 2],
        }),
        makeTensor("W", "float32", { values: [1, 0, 0, 1], shape: [2, 2] }),
        makeTensor("one", "int64", { values: [1] }),
      ],
    }),
    { opsets: { "": 17 }, irVersion: 8 },
  );

const model = modelOf();

const batchOf = (
  rows: readonly (readonly number[])[],
  length = Math.max(...rows.map((row) => row.length)),
): CalibrationBatch => {
  const flat = rows.flatMap((row) => Array.from({ length }, (_, i) => row[i] ?? 0));
  const shape = [rows.length, length];
  return {
    feeds: { ids: tensor("int64", shape, BigInt64Array.from(flat, BigInt)) },
    mask: tensor(
      "uint8",
      shape,
      Uint8Array.from(flat, (id) => (id === 0 ? 0 : 1)),
    ),
  };
};

const sentences = [[1, 2, 3], [4], [5, 6, 7, 8, 9]];
const padded = batchOf(sentences);
const names = ["h", "t", "w", "heads"];

type Look = (value: TappedValue) => Float32Array;
const vectors: Look = (value) => value.vectors().data;
const real: Look = (value) => value.real();

const seen = async (
  batches: readonly CalibrationBatch[],
  look: Look,
  from = model,
): Promise<Map<string, number[]>> => {
  const found = new Map<string, number[]>();
  await tapActivations(from, names, batches, (value) => {
    found.set(value.name, [...(found.get(value.name) ?? []), ...look(value)]);
  });
  return found;
};

describe("tapActivations", () => {
  it.each([
    ["vectors", vectors],
    ["real values", real],
  ])(
    "shows the %s of a padded batch that its sentences have alone, wherever the axes are",
    async (_, look) => {
      const alone = await seen(
        sentences.map((sentence) => batchOf([sentence])),
        look,
      );
      expect(alone.get("h")).toHaveLength(18);
      expect(await seen([padded], look)).toEqual(alone);
      // As many sentences as positions: only the names of the axes tell them apart.
      const square = [[1, 2, 3], [4], [5, 6]];
      const separate = square.map((sentence) => batchOf([sentence]));
      expect(await seen([batchOf(square)], look)).toEqual(await seen(separate, look));
    },
  );

  it("leaves out padding where the model takes sentences of one length only", async () => {
    for (const sizes of [
      ["batch", 8],
      [3, 8],
    ]) {
      const fixed = modelOf(sizes);
      const batch = batchOf(sentences, 8);
      expect(await seen([batch], vectors, fixed)).toEqual(await seen([padded], vectors));
      const { tensors } = await collectRanges(fixed, names, [batch]);
      for (const name of names) expect(tensors[name]?.max, name).toBeLessThan(3);
    }
  });

  it("shows rows without a real token to nobody", async () => {
    let samples = 0;
    await tapActivations(model, ["h"], [batchOf([[], [1, 2], []])], (value) => {
      samples += value.samples;
      expect(value.real()).toHaveLength(4);
    });
    expect(samples).toBe(1);
  });

  it("cuts the last batch at the samples asked for, and says where it is", async () => {
    const firsts: number[] = [];
    const progress: number[] = [];
    const batches = [padded, padded, padded];
    const counts: number[] = [];
    const samples = await tapActivations(
      model,
      ["h"],
      batches,
      (value) => {
        firsts.push(value.firstSample);
        counts.push(value.vectors().count);
      },
      { limit: 4, onProgress: (done) => progress.push(done) },
    );
    expect([samples, firsts, counts, progress]).toEqual([4, [0, 3], [9, 3], [3, 4]]);
  });

  it("stops before the next run when it is told to, and lets go of the batches", async () => {
    const stop = new AbortController();
    let closed = false;
    async function* endless(): AsyncGenerator<CalibrationBatch> {
      try {
        for (;;) yield padded;
      } finally {
        closed = true;
      }
    }
    let runs = 0;
    const tapped = tapActivations(
      model,
      ["h"],
      endless(),
      () => {
        runs += 1;
        if (runs === 2) stop.abort(new Error("enough"));
      },
      { signal: stop.signal },
    );
    await expect(tapped).rejects.toThrow("enough");
    expect([runs, closed]).toEqual([2, true]);
    const { signal } = stop;
    await expect(collectRanges(model, ["h"], [padded], { signal })).rejects.toThrow("enough");
  });

  it("waits for who looks", async () => {
    const order: string[] = [];
    await tapActivations(model, ["h", "t"], [padded, padded], async ({ name }) => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      order.push(`${name} ends`);
    });
    const one = ["h begins", "h ends", "t begins", "t ends"];
    expect(order).toEqual([...one, ...one]);
  });

  it("shows constants only to who asks for them", async () => {
    const shown: number[] = [];
    const visit = (value: TappedValue): void => void shown.push(...value.real());
    await tapActivations(model, ["W"], [padded], visit, { constants: true });
    expect(shown).toEqual([1, 0, 0, 1]);
    await expect(tapActivations(model, ["W"], [padded], visit)).rejects.toMatchObject({
      code: "unknown-tensor",
    });
  });

  it("runs nothing for nobody", async () => {
    const broken = makeModel(
      makeGraph("broken", { nodes: [makeNode("Nothing", ["x"], ["y"])], inputs: [], outputs: [] }),
      { opsets: { "": 17 }, irVersion: 8 },
    );
    expect(await tapActivations(broken, [], [padded, padded], () => {})).toBe(6);
  });

  it("lends the open model as it was given, also where nothing is named", async () => {
    const lent: unknown[] = [];
    for (const named of [["h"], []]) {
      await tapActivations(model, named, [padded], () => {}, {
        use: async (session) => {
          const results = await session.run(padded.feeds);
          lent.push([session.outputs.map(({ name }) => name), Object.keys(results)]);
        },
      });
    }
    const own = ["y", "size"];
    expect(lent).toEqual([
      [own, own],
      [own, own],
    ]);
  });

  it("refuses a mask of something else", async () => {
    const mask: Tensor = tensor("uint8", [5], new Uint8Array(5));
    const { feeds } = padded;
    await expect(tapActivations(model, ["h"], [{ feeds, mask }], () => {})).rejects.toMatchObject({
      code: "mask-shape",
      message: "calibrate: mask: shape: expected [batch, length], got [5]",
    });
  });
});

describe("tapOutputs", () => {
  it("shows the float outputs of an open model, and leaves it open", async () => {
    const session = await openSession(model);
    for (let turn = 0; turn < 2; turn++) {
      const shown: [string, number][] = [];
      await tapOutputs(session, [padded], (value) => void shown.push([value.name, value.real().length]));
      expect(shown).toEqual([["y", 18]]);
    }
    await session.close();
  });
});

describe("takeBatches", () => {
  it("keeps batches until they hold enough samples, rows of padding not counted", async () => {
    const batches = [batchOf([[1], []]), batchOf([[2], []]), batchOf([[3], []])];
    expect(await takeBatches(batches, 2)).toEqual(batches.slice(0, 2));
  });
});

describe("tapActivations of integers, in a session of the caller's", () => {
  const batch = { feeds: { ids: tensor("int64", [1, 3], BigInt64Array.of(1n, 2n, 3n)) } };

  it("shows them as numbers where they are asked for, and nowhere else", async () => {
    const shown: Record<string, number[]> = {};
    const visit = ({ name, data }: TappedValue): void => void (shown[name] = Array.from(data));
    await tapActivations(modelOf(), ["size", "h"], [batch], visit, { integers: true });
    expect(shown["size"]).toEqual([1, 3]);
    expect(shown["h"]).toHaveLength(6);
    await expect(tapActivations(modelOf(), ["size"], [batch], visit)).rejects.toThrow(
      "tensor size: element type: expected a float, got int64",
    );
  });

  it("opens the observed model through the caller", async () => {
    const outputs: string[][] = [];
    await tapActivations(modelOf(), ["h"], [batch], () => undefined, {
      threads: 2,
      open: (model, options) => {
        expect(options.threads).toBe(2);
        outputs.push((model.graph?.output ?? []).map(({ name }) => name));
        return openSession(model, options);
      },
    });
    expect(outputs).toEqual([["y", "size", "h"]]);
  });
});
