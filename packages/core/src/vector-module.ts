/*
 * A WebAssembly module of the loops over weights: their ranges, the ranges of their pairs, their quantization with what
 * it loses, their columns on one scale, whether their exponents are full, and whether pairs of integers are safe. Four
 * float32 at a time; what a scale is multiplied with is float64, as in the loops of TypeScript.
 */
import {
  type Code,
  f32x4,
  f64x2,
  i16x8,
  i32,
  i32x4,
  i8x16,
  type Local,
  repeatWhile,
  type Scope,
  v128,
  type WasmModule,
  wasmModule,
} from "./wasm/index.js";

const { chooseMin, chooseMax } = f32x4;

/** Repeats over `count` float32, a multiple of four and at least that; `at` is the address of the next four. */
const overFloats = (
  f: Scope & { readonly count: Local },
  body: (at: (base: Local) => Code) => Code,
): Code => {
  const offset = f.local("i32");
  return repeatWhile(
    [body((base) => i32.add(base.get, offset.get)), offset.set(i32.add(offset.get, i32.const(16)))],
    i32.lessUnsigned(offset.get, i32.shiftLeft(f.count.get, i32.const(2))),
  );
};

/** ranges(x, low, high, count): the range of each column grows by a row; 1 if none of it is NaN. */
const defineRanges = (module: WasmModule): void => {
  const parameters = { x: "i32", low: "i32", high: "i32", count: "i32" } as const;
  module.define("ranges", { parameters, result: "i32" }, (f) => {
    const [value, numbers] = [f.local("v128"), f.local("v128")];
    return [
      numbers.set(f32x4.equal(f32x4.const(0), f32x4.const(0))),
      overFloats(f, (at) => [
        value.set(v128.load(at(f.x))),
        v128.store(at(f.low), chooseMin(v128.load(at(f.low)), value.get)),
        v128.store(at(f.high), chooseMax(v128.load(at(f.high)), value.get)),
        numbers.set(v128.and(numbers.get, f32x4.equal(value.get, value.get))),
      ]),
      i32x4.allTrue(numbers.get),
    ];
  });
};

/** range(x, low, high, count): one range, in four parts at `low` and `high`, grows by all values; 1 if none is NaN. */
const defineRange = (module: WasmModule): void => {
  const parameters = { x: "i32", low: "i32", high: "i32", count: "i32" } as const;
  module.define("range", { parameters, result: "i32" }, (f) => {
    const [value, numbers, low, high] = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];
    return [
      numbers.set(f32x4.equal(f32x4.const(0), f32x4.const(0))),
      low.set(v128.load(f.low.get)),
      high.set(v128.load(f.high.get)),
      overFloats(f, (at) => [
        value.set(v128.load(at(f.x))),
        low.set(chooseMin(low.get, value.get)),
        high.set(chooseMax(high.get, value.get)),
        numbers.set(v128.and(numbers.get, f32x4.equal(value.get, value.get))),
      ]),
      v128.store(f.low.get, low.get),
      v128.store(f.high.get, high.get),
      i32x4.allTrue(numbers.get),
    ];
  });
};

/** pairs(x, y, low, high, count): the range of each column grows by the sums of two rows. */
const definePairs = (module: WasmModule): void => {
  const parameters = { x: "i32", y: "i32", low: "i32", high: "i32", count: "i32" } as const;
  module.define("pairs", { parameters }, (f) => {
    const sum = f.local("v128");
    return overFloats(f, (at) => [
      sum.set(f32x4.add(v128.load(at(f.x)), v128.load(at(f.y)))),
      v128.store(at(f.low), chooseMin(v128.load(at(f.low)), sum.get)),
      v128.store(at(f.high), chooseMax(v128.load(at(f.high)), sum.get)),
    ]);
  });
};

/** magnitudes(x, high, count): the largest magnitude of each column grows by a row. */
const defineMagnitudes = (module: WasmModule): void => {
  const parameters = { x: "i32", high: "i32", count: "i32" } as const;
  module.define("magnitudes", { parameters }, (f) =>
    overFloats(f, (at) =>
      v128.store(at(f.high), chooseMax(v128.load(at(f.high)), f32x4.abs(v128.load(at(f.x))))),
    ),
  );
};

/** divide(x, y, count): x becomes x / y. */
const defineDivide = (module: WasmModule): void => {
  const parameters = { x: "i32", y: "i32", count: "i32" } as const;
  module.define("divide", { parameters }, (f) =>
    overFloats(f, (at) => v128.store(at(f.x), f32x4.div(v128.load(at(f.x)), v128.load(at(f.y))))),
  );
};

/** carries(x, mask, addend, count): the bits of all (x & mask) + addend, words of 32 bits, in one. */
const defineCarries = (module: WasmModule): void => {
  const parameters = { x: "i32", mask: "i32", addend: "i32", count: "i32" } as const;
  module.define("carries", { parameters, result: "i32" }, (f) => {
    const [mask, addend, bits] = [f.local("v128"), f.local("v128"), f.local("v128")];
    const lane = (place: number): Code => i32x4.extract(bits.get, place);
    return [
      mask.set(i32x4.splat(f.mask.get)),
      addend.set(i32x4.splat(f.addend.get)),
      overFloats(f, (at) =>
        bits.set(v128.or(bits.get, i32x4.add(v128.and(v128.load(at(f.x)), mask.get), addend.get))),
      ),
      i32.or(i32.or(lane(0), lane(1)), i32.or(lane(2), lane(3))),
    ];
  });
};

/** Largest magnitude of int8 sums so far, in `largest`, and whether it is above a limit. */
const aboveLimit = (
  f: Scope & { readonly count: Local; readonly limit: Local },
  sumsAt: (at: (base: Local) => Code) => readonly Code[],
): Code => {
  const largest = f.local("v128");
  return [
    overFloats(f, (at) => sumsAt(at).map((sums) => largest.set(i16x8.max(largest.get, i16x8.abs(sums))))),
    v128.anyTrue(i16x8.greater(largest.get, i16x8.splat(f.limit.get))),
  ];
};

/**
 * rowsAbove(x, limit, count, y): 1 if the sum of two int8 at the same place is above a limit in magnitude;
 * neighboursAbove(x, limit, count): of two neighbours (2i, 2i + 1). `count` is of words of 32 bits.
 */
const defineAbove = (module: WasmModule): void => {
  const parameters = { x: "i32", limit: "i32", count: "i32" } as const;
  module.define("rowsAbove", { parameters: { ...parameters, y: "i32" }, result: "i32" }, (f) =>
    aboveLimit(f, (at) =>
      [i16x8.extendLowSigned, i16x8.extendHighSigned].map((extended) =>
        i16x8.add(extended(v128.load(at(f.x))), extended(v128.load(at(f.y)))),
      ),
    ),
  );
  module.define("neighboursAbove", { parameters, result: "i32" }, (f) =>
    aboveLimit(f, (at) => [i16x8.addNeighbours(v128.load(at(f.x)))]),
  );
};

const secondHalf = [8, 9, 10, 11, 12, 13, 14, 15];
const half = (x: Local): Code => v128.shuffle(x.get, x.get, [...secondHalf, ...secondHalf]);

/** Addresses from `sums`: of Σx² and of Σ(x − x̂)², each in four parts of float64. */
const sumsBytes = { signal: 0, noise: 32 } as const;

interface Scales {
  readonly reciprocals: readonly [Code, Code];
  readonly scales: Code;
}

/** Quantizes to signed 8 bits and adds up what is lost; 1 if nothing saturates and none is NaN. */
const measured = (
  f: Scope & Readonly<Record<"x" | "out" | "sums" | "count", Local>>,
  scalesAt: (at: (base: Local) => Code, doublesAt: (base: Local) => Code) => Scales,
): Code => {
  const [value, low, high, rounded, back] = [0, 1, 2, 3, 4].map(() => f.local("v128")) as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ];
  const [fits, bytes, place] = [f.local("v128"), f.local("v128"), f.local("i32")];
  const sums = [0, 1, 2, 3].map(() => f.local("v128")) as [Local, Local, Local, Local];
  const places = [sumsBytes.signal, sumsBytes.signal + 16, sumsBytes.noise, sumsBytes.noise + 16];
  const squareInto = (sum: Local, x: Code): Code => [
    back.set(x),
    sum.set(f64x2.add(sum.get, f64x2.mul(back.get, back.get))),
  ];
  const restored = f.local("v128");
  return [
    fits.set(f32x4.equal(f32x4.const(0), f32x4.const(0))),
    sums.map((sum, i) => sum.set(v128.load(f.sums.get, places[i]))),
    overFloats(f, (at) => {
      const doublesAt = (base: Local): Code => i32.add(at(base), i32.sub(at(base), base.get));
      const { reciprocals, scales } = scalesAt(at, doublesAt);
      return [
        value.set(v128.load(at(f.x))),
        low.set(f64x2.fromFloats(value.get)),
        high.set(f64x2.fromFloats(half(value))),
        rounded.set(f32x4.fromDoubles(f64x2.mul(low.get, reciprocals[0]))),
        back.set(f32x4.fromDoubles(f64x2.mul(high.get, reciprocals[1]))),
        rounded.set(
          f32x4.nearest(
            v128.shuffle(rounded.get, back.get, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]),
          ),
        ),
        fits.set(v128.and(fits.get, f32x4.atMost(f32x4.abs(rounded.get), f32x4.const(127)))),
        bytes.set(i32x4.truncate(rounded.get)),
        bytes.set(i16x8.narrow(bytes.get, bytes.get)),
        i32.store(i32.add(f.out.get, place.get), i32x4.extract(i8x16.narrow(bytes.get, bytes.get), 0)),
        place.set(i32.add(place.get, i32.const(4))),
        restored.set(f32x4.mul(rounded.get, scales)),
        squareInto(sums[0], low.get),
        squareInto(sums[1], high.get),
        squareInto(sums[2], f64x2.sub(low.get, f64x2.fromFloats(restored.get))),
        squareInto(sums[3], f64x2.sub(high.get, f64x2.fromFloats(half(restored)))),
      ];
    }),
    sums.map((sum, i) => v128.store(f.sums.get, sum.get, places[i])),
    i32x4.allTrue(fits.get),
  ];
};

/** measureRow(x, out, sums, reciprocals, scales, count): a scale a column; measureRun(…, reciprocal, scale, count). */
const defineMeasured = (module: WasmModule): void => {
  const places = { x: "i32", out: "i32", sums: "i32" } as const;
  module.define(
    "measureRow",
    { parameters: { ...places, reciprocals: "i32", scales: "i32", count: "i32" }, result: "i32" },
    (f) =>
      measured(f, (at, doublesAt) => ({
        reciprocals: [v128.load(doublesAt(f.reciprocals)), v128.load(doublesAt(f.reciprocals), 16)],
        scales: v128.load(at(f.scales)),
      })),
  );
  module.define(
    "measureRun",
    { parameters: { ...places, reciprocal: "f64", scale: "f32", count: "i32" }, result: "i32" },
    (f) => {
      const [reciprocals, scales] = [f.local("v128"), f.local("v128")];
      return [
        reciprocals.set(f64x2.splat(f.reciprocal.get)),
        scales.set(f32x4.splat(f.scale.get)),
        measured(f, () => ({ reciprocals: [reciprocals.get, reciprocals.get], scales: scales.get })),
      ];
    },
  );
};

/** The module's bytes: it imports `nasty.memory`. */
export const vectorModule = (): Uint8Array<ArrayBuffer> => {
  const module = wasmModule();
  defineRanges(module);
  defineRange(module);
  definePairs(module);
  defineMagnitudes(module);
  defineDivide(module);
  defineCarries(module);
  defineAbove(module);
  defineMeasured(module);
  return module.bytes();
};
