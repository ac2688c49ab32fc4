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

  it("columns by their largest magnitudes", () => {
    fc.assert(
      fc.property(shapes, fc.array(values, { minLength: 1, maxLength: 9 }), (shape, few) => {
        const [got, wanted] = [filled(shape, few, fast), filled(shape, few, plain)];
        // A column of zeros, of both signs.
        for (const { data } of [got, wanted])
          for (let row = 0; row < shape[0]; row++) data[row * shape[1]] = row % 2 === 0 ? 0 : -0;
        fast.makeColumnsRelative(got.data as Float32Array, shape[1]);
        plain.makeColumnsRelative(wanted.data as Float32Array, shape[1]);
        sameBytes(got.data as Float32Array, wanted.data as Float32Array);
        if (shape[1] > 1)
          expect((got.data as Float32Array).some((value) => Math.abs(value) === 1)).toBe(
            few.some((value) => value !== 0),
          );
      }),
    );
  });

  it("unsafe pairs of integers", () => {
    fc.assert(
      fc.property(
        shapes,
        fc.constantFrom(0, 1),
        fc.integer({ min: 0, max: 4096 }),
        fc.integer({ min: -128, max: 127 }),
        fc.integer({ min: -128, max: 127 }),
        ([rows, columns], axis, place, a, b) => {
          const data = Int8Array.from({ length: rows * columns }, (_, i) => ((i * 7919) % 128) - 64);
          const at = place % (rows * columns);
          data[at] = a;
          data[Math.min(data.length - 1, at + (axis === 0 ? columns : 1))] = b;
          const [got, wanted] = [fast, plain].map((core) =>
            core.countUnsafePairs(core.tensor("int8", [rows, columns], data), axis),
          );
          expect(got).toBe(wanted);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("full exponents, wherever they are", () => {
    const most = 40_001;
    fc.assert(
      fc.property(
        fc.constantFrom(0x7f800000, 0x7c007c00, 0x7f807f80),
        fc.integer({ min: 0, max: most - 1 }),
        fc.integer({ min: 0, max: 7 }),
        fc.constantFrom(0, -1, 3),
        (exponents, place, offset, odd) => {
          const halves = (exponents & 0xffff) !== 0;
          const bytes = new Uint8Array(8 + 4 * most);
          const own = bytes.subarray(offset, offset + 4 * most + (halves ? 2 * Math.min(0, odd) : 0));
          const view = new DataView(own.buffer, own.byteOffset, own.length);
          // All bits but the exponent's lowest.
          for (let at = 0; at + 4 <= own.length; at += 4)
            view.setUint32(at, ~(exponents & ~(exponents << 1)) >>> 0, true);
          for (const core of [fast, plain]) expect(core.mayHaveFullExponent(own, exponents)).toBe(false);
          const at = Math.min(4 * place, own.length - 4);
          view.setUint16(at + 2, exponents >>> 16, true);
          for (const core of [fast, plain]) expect(core.mayHaveFullExponent(own, exponents)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

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
