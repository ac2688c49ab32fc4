/*
 * A WebAssembly module of loops over vectors of four float32: the square roots and divisions of Adam take V8 one at
 * a time, and the optimizer half as long as a small model's backward pass.
 */
import {
  type Code,
  f32x4,
  f64,
  f64x2,
  i32,
  type Local,
  repeatWhile,
  type Scope,
  v128,
  type WasmModule,
  wasmModule,
} from "@nasty/core/wasm";

/** A vector that holds a scalar in every place. */
const spread = (scope: Scope, scalar: Local): { readonly before: Code; readonly get: Code } => {
  const vector = scope.local("v128");
  return { before: vector.set(f32x4.splat(scalar.get)), get: vector.get };
};

/** Repeats over the elements of arrays, four at a time; there is at least one vector. */
const overVectors = (scope: Scope, bytes: Local, body: (at: (base: Local) => Code) => Code): Code => {
  const index = scope.local("i32");
  return repeatWhile(
    [body((base) => i32.add(base.get, index.get)), index.set(i32.add(index.get, i32.const(16)))],
    i32.lessUnsigned(index.get, bytes.get),
  );
};

/**
 * The adam loop over `w, g, m, v, bytes, β₁, gain₁, β₂, gain₂, size, ε, shrink, tiny`: `adamKernel` without coupled
 * decay.
 */
const defineAdam = (module: WasmModule): void => {
  const places = { w: "i32", g: "i32", m: "i32", v: "i32", bytes: "i32" } as const;
  const scalars = {
    beta1: "f32",
    gain1: "f32",
    beta2: "f32",
    gain2: "f32",
    size: "f32",
    epsilon: "f32",
    shrink: "f32",
    tiny: "f32",
  } as const;
  module.define("adam", { parameters: { ...places, ...scalars } }, (f) => {
    const [beta1, gain1, beta2, gain2] = [
      spread(f, f.beta1),
      spread(f, f.gain1),
      spread(f, f.beta2),
      spread(f, f.gain2),
    ];
    const [size, epsilon, shrink] = [spread(f, f.size), spread(f, f.epsilon), spread(f, f.shrink)];
    const tiny = spread(f, f.tiny);
    const [first, second] = [f.local("v128"), f.local("v128")];
    const { abs, add, sub, mul, div, less, sqrt } = f32x4;
    const cleared = (moment: Local): Code =>
      moment.set(v128.and(moment.get, v128.not(less(abs(moment.get), tiny.get))));
    return [
      [beta1, gain1, beta2, gain2, size, epsilon, shrink, tiny].map(({ before }) => before),
      overVectors(f, f.bytes, (at) => {
        const x = v128.load(at(f.g));
        const step = div(mul(first.get, size.get), add(sqrt(second.get), epsilon.get));
        return [
          first.set(add(mul(v128.load(at(f.m)), beta1.get), mul(x, gain1.get))),
          second.set(add(mul(v128.load(at(f.v)), beta2.get), mul(mul(x, x), gain2.get))),
          cleared(first),
          cleared(second),
          v128.store(at(f.m), first.get),
          v128.store(at(f.v), second.get),
          v128.store(at(f.w), sub(mul(v128.load(at(f.w)), shrink.get), step)),
        ];
      }),
    ];
  });
};

/** The average loop over `a, w, bytes, gain`: a += gain·(w − a). */
const defineAverage = (module: WasmModule): void => {
  const parameters = { a: "i32", w: "i32", bytes: "i32", gain: "f32" } as const;
  module.define("average", { parameters }, (f) => {
    const gain = spread(f, f.gain);
    const old = f.local("v128");
    const { add, sub, mul } = f32x4;
    return [
      gain.before,
      overVectors(f, f.bytes, (at) => [
        old.set(v128.load(at(f.a))),
        v128.store(at(f.a), add(mul(sub(v128.load(at(f.w)), old.get), gain.get), old.get)),
      ]),
    ];
  });
};

/** The squares loop over `x, bytes`, two vectors at a time: Σ x², added up in float64. */
const defineSquares = (module: WasmModule): void => {
  module.define("squares", { parameters: { x: "i32", bytes: "i32" }, result: "f64" }, (f) => {
    const [value, end] = [f.local("v128"), f.local("i32")];
    const sums = Array.from({ length: 4 }, () => f.local("v128"));
    const { add, mul, extract, fromFloats } = f64x2;
    const doubles = f.local("v128");
    // The upper two floats are moved down: only the lower two can be widened.
    const halves = [value.get, v128.shuffle(value.get, value.get, upperHalfFirst)];
    return [
      end.set(i32.add(f.x.get, f.bytes.get)),
      repeatWhile(
        [
          [0, 1].map((vector) => [
            value.set(v128.load(f.x.get, 16 * vector)),
            halves.map((half, i) => {
              const sum = sums[2 * vector + i] as Local;
              return [doubles.set(fromFloats(half)), sum.set(add(sum.get, mul(doubles.get, doubles.get)))];
            }),
          ]),
          f.x.set(i32.add(f.x.get, i32.const(32))),
        ],
        i32.lessUnsigned(f.x.get, end.get),
      ),
      value.set(sums.map(({ get }) => get).reduce(add)),
      f64.add(extract(value.get, 0), extract(value.get, 1)),
    ];
  });
};

const upperHalfFirst = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];

/** The module's bytes: it imports `nasty.memory` and exports `adam`, `average` and `squares`. */
export function vectorModule(): Uint8Array<ArrayBuffer> {
  const module = wasmModule();
  defineAdam(module);
  defineAverage(module);
  defineSquares(module);
  return module.bytes();
}
