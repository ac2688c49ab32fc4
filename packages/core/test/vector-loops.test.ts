import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type * as Core from "../src/index.js";

const values = fc.float({ min: Math.fround(-3), max: Math.fround(3), noNaN: true });

/** Shapes of some thousand elements: rows of columns, runs, longer ones than the loops' memory, odd sizes. */
const shapes = fc.constantFrom<readonly [number, number]>(
  [64, 65],
  [5, 1027],
  [4100, 1],
  [1, 4099],
  [2, 20_003],
  [131, 33],
);

const filled = ([rows, columns]: readonly [number, number], few: readonly number[], core: typeof Core) =>
  core.tensor(
    "float32",
    [rows, columns],
    Float32Array.from(
      { length: rows * columns },
      (_, i) => (few[i % few.length] as number) * (((i * 7919) % 211) / 100 - 1),
    ),
  );

const sameBytes = (got: ArrayBufferView, wanted: ArrayBufferView): void => {
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  expect(bytes(got).equals(bytes(wanted))).toBe(true);
};

const sameRanges = (got: Core.GroupRanges, wanted: Core.GroupRanges): void => {
  sameBytes(got.min, wanted.min);
  sameBytes(got.max, wanted.max);
};

/** The package as an engine without WebAssembly has it. */
const withoutWebAssembly = async (): Promise<typeof Core> => {
  vi.stubGlobal("WebAssembly", undefined);
  vi.resetModules();
  const core = await import("../src/index.js");
  core.parametersOf(filled([64, 64], [1], core), { dtype: "int8", symmetric: true }, core.perTensor);
  vi.unstubAllGlobals();
  return core;
};

describe("loops in WebAssembly give what those in TypeScript give", () => {
  let plain: typeof Core;
  let fast: typeof Core;
  beforeEach(async () => {
    plain = await withoutWebAssembly();
    vi.resetModules();
    fast = await import("../src/index.js");
  });
  afterEach(() => vi.unstubAllGlobals());

  it("ranges, ranges of pairs, quantized values, and to nine digits what was lost", () => {
    const granularities = [fast.perTensor, fast.perChannel(0), fast.perChannel(1), fast.perBlock(0, 16)];
    fc.assert(
      fc.property(
        shapes,
        fc.array(values, { minLength: 3, maxLength: 17 }),
        fc.constantFrom(...granularities),
        fc.constantFrom(0, 1),
        (shape, few, granularity, pairAxis) => {
          const x = filled(shape, few, fast);
          sameRanges(fast.groupRanges(x, granularity), plain.groupRanges(x, granularity));
          const isAlong =
            granularity.kind === "per-block" || ("axis" in granularity && granularity.axis === pairAxis);
          if (!isAlong)
            sameRanges(fast.pairRanges(x, granularity, pairAxis), plain.pairRanges(x, granularity, pairAxis));
          const p = fast.parametersOf(x, { dtype: "int8", symmetric: true }, granularity);
          const [got, wanted] = [fast.quantizeMeasured(x, p), plain.quantizeMeasured(x, p)];
          sameBytes(got.quantized.data, wanted.quantized.data);
          if (Number.isFinite(wanted.sqnrDb)) expect(got.sqnrDb).toBeCloseTo(wanted.sqnrDb, 9);
          else expect(got.sqnrDb).toBe(wanted.sqnrDb);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("values that saturate, and NaN, wherever they stand", () => {
    for (const place of [0, 3, 4157, 4159])
      for (const granularity of [fast.perTensor, fast.perChannel(0), fast.perChannel(1)]) {
        const x = filled([64, 65], [1], fast);
        const p = fast.parametersOf(x, { dtype: "int8", symmetric: true }, granularity);
        x.data[place] = 1e6;
        sameBytes(fast.quantizeMeasured(x, p).quantized.data, plain.quantizeMeasured(x, p).quantized.data);
        x.data[place] = Number.NaN;
        const message = `element ${place}: value: expected`;
        expect(() => fast.groupRanges(x, granularity)).toThrow(message);
        expect(() => fast.quantizeMeasured(x, p)).toThrow(message);
        x.data[place] = Number.POSITIVE_INFINITY;
        expect(() => fast.groupRanges(x, granularity)).toThrow(message);
      }
  });

  it("are used: a weight of some thousand values makes a module", () => {
    const { WebAssembly: api } = globalThis as unknown as {
      readonly WebAssembly: { Module: new () => object };
    };
    const made = vi.spyOn(api, "Module");
    const x = filled([64, 65], [1], fast);
    fast.parametersOf(x, { dtype: "int8", symmetric: true }, fast.perChannel(1));
    expect(made).toHaveBeenCalledTimes(1);
    made.mockRestore();
  });
});
