/*
 * A WebAssembly module of two loops over vectors of four float32, assembled here: the square roots and divisions of
 * Adam take V8 one at a time, and the optimizer half as long as a small model's backward pass.
 *
 * Source: WebAssembly Core Specification 2.0, binary format (section 5), vector instructions (section 5.4.10).
 */

const [i32, f32, v128] = [0x7f, 0x7d, 0x7b] as const;

const unsigned = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];
const text = (value: string): number[] => [...unsigned(value.length), ...new TextEncoder().encode(value)];

const join = (...parts: readonly (readonly number[])[]): number[] => parts.flat();
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const i32Add = [0x6a];
const i32LessThan = [0x49];
const constant = (value: number): number[] => [0x41, value];
const simd = (code: number): number[] => [0xfd, ...unsigned(code)];
const splat = simd(0x13);
const [sqrt, add, sub, mul, div] = [simd(0xe3), simd(0xe4), simd(0xe5), simd(0xe6), simd(0xe7)] as const;
/** Four floats at address local + index. */
const load = (base: number, index: number): number[] => [
  ...get(base),
  ...get(index),
  ...i32Add,
  ...simd(0x00),
  2,
  0,
];
const store = (base: number, index: number, value: readonly number[]): number[] =>
  join(get(base), get(index), i32Add, value, simd(0x0b), [2, 0]);

interface Loop {
  /** Number of addresses among the parameters; the number of bytes and the scalars follow. */
  readonly pointers: number;
  readonly scalars: number;
  readonly temporaries: number;
  readonly body: (locals: {
    readonly index: number;
    readonly scalar: (k: number) => number[];
    readonly temporary: (k: number) => number;
  }) => readonly number[];
}

function loopFunction({ pointers, scalars, temporaries, body }: Loop): { type: number[]; code: number[] } {
  const parameters = [
    ...Array.from({ length: pointers + 1 }, () => i32),
    ...Array.from({ length: scalars }, () => f32),
  ];
  const index = parameters.length;
  const firstVector = index + 1;
  const spread = Array.from({ length: scalars }, (_, k) => [
    ...get(pointers + 1 + k),
    ...splat,
    ...set(firstVector + k),
  ]);
  const loop = [0x03, 0x40]; // without a result
  const branchIf = [0x0d, 0];
  const end = [0x0b];
  const instructions = join(
    spread.flat(),
    loop,
    body({
      index,
      scalar: (k) => get(firstVector + k),
      temporary: (k) => firstVector + scalars + k,
    }),
    join(get(index), constant(16), i32Add, set(index)),
    join(get(index), get(pointers), i32LessThan, branchIf),
    end,
    end,
  );
  const locals = vector([
    [1, i32],
    [scalars + temporaries, v128],
  ]);
  const code = [...locals, ...instructions];
  return {
    type: [0x60, ...unsigned(parameters.length), ...parameters, 0],
    code: [...unsigned(code.length), ...code],
  };
}

/** adam(w, g, m, v, bytes, β₁, gain₁, β₂, gain₂, size, ε, shrink), as `adamKernel` without coupled decay. */
const adam: Loop = {
  pointers: 4,
  scalars: 7,
  temporaries: 2,
  body({ index, scalar, temporary }) {
    const [w, g, m, v] = [0, 1, 2, 3];
    const [first, second] = [temporary(0), temporary(1)];
    const [beta1, gain1, beta2, gain2, size, epsilon, shrink] = [0, 1, 2, 3, 4, 5, 6].map(scalar) as [
      number[],
      number[],
      number[],
      number[],
      number[],
      number[],
      number[],
    ];
    const x = load(g, index);
    const epsilonRoot = join(get(second), sqrt, epsilon, add);
    return join(
      join(load(m, index), beta1, mul, x, gain1, mul, add, set(first)),
      join(load(v, index), beta2, mul, x, x, mul, gain2, mul, add, set(second)),
      store(m, index, get(first)),
      store(v, index, get(second)),
      store(w, index, join(load(w, index), shrink, mul, get(first), size, mul, epsilonRoot, div, sub)),
    );
  },
};

/** average(a, w, bytes, gain): a += gain·(w − a). */
const average: Loop = {
  pointers: 2,
  scalars: 1,
  temporaries: 1,
  body({ index, scalar, temporary }) {
    const [a, w] = [0, 1];
    const old = temporary(0);
    const moved = join(load(w, index), get(old), sub, scalar(0), mul, get(old), add);
    return join(load(a, index), set(old), store(a, index, moved));
  },
};

/** The module's bytes: it imports `nasty.memory` and exports `adam` and `average`. */
export function vectorModule(): Uint8Array<ArrayBuffer> {
  const functions = [adam, average].map(loopFunction);
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return Uint8Array.from([
    ...header,
    ...section(1, vector(functions.map(({ type }) => type))),
    ...section(2, vector([[...text("nasty"), ...text("memory"), 2, 0, 1]])),
    ...section(3, vector(functions.map((_, i) => [i]))),
    ...section(
      7,
      vector([
        [...text("adam"), 0, 0],
        [...text("average"), 0, 1],
      ]),
    ),
    ...section(10, vector(functions.map(({ code }) => code))),
  ]);
}
