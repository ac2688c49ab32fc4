import {
  type Code,
  f32,
  f32x4,
  fillBytes,
  i16x8,
  i32,
  i32x4,
  type Local,
  type Scope,
  select,
  upTo,
  v128,
  type WasmFunction,
  type WasmModule,
  when,
} from "@nasty/core/wasm";

/**
 * Where the parameters of quantized activations lie, in bytes from their address: scale, zero point, and the limits of
 * the integers that are left when the zero point is taken off, all as float32; the zero point as an integer too.
 */
export const parameterBytes = {
  scale: 0,
  zeroPoint: 4,
  low: 8,
  high: 12,
  integerZeroPoint: 16,
  size: 20,
} as const;

/** Adding and taking it off rounds a float32 below 2²² to the nearest integer, halves to the even one. */
const roundingNumber = 12582912;

/** The integer x/scale rounds to, held between `low` and `high`; `low` for NaN. */
const rounded = (x: Code, { scale, low, high }: Readonly<Record<"scale" | "low" | "high", Local>>): Code => {
  const quotient = f32x4.div(x, scale.get);
  const inside = f32x4.chooseMin(high.get, f32x4.chooseMax(low.get, quotient));
  return i32x4.sub(
    f32x4.add(inside, f32x4.const(roundingNumber)),
    v128.const([...new Uint8Array(Float32Array.of(...Array<number>(4).fill(roundingNumber)).buffer)]),
  );
};

/** The four lanes in one, by an operation on halves. */
const acrossLanes = (vector: Local, combine: (a: Code, b: Code) => Code): Code => {
  const [a, b, c, d] = [0, 1, 2, 3].map((index) => f32x4.extract(vector.get, index)) as [
    Code,
    Code,
    Code,
    Code,
  ];
  return combine(combine(a, b), combine(c, d));
};

/**
 * range(x, count, out): the parameters of DynamicQuantizeLinear, whose range holds zero: scale = (max − min)/255 (1 for
 * a range of zero), zeroPoint = the nearest integer to −min/scale within 0..255.
 */
const defineRange = (module: WasmModule): WasmFunction =>
  module.define("range", { parameters: { x: "i32", count: "i32", out: "i32" } }, (f) => {
    const [least, most, value] = [f.local("v128"), f.local("v128"), f.local("v128")];
    const [low, high, scale, zero] = [f.local("f32"), f.local("f32"), f.local("f32"), f.local("f32")];
    const [end, whole] = [f.local("i32"), f.local("i32")];
    const take = (x: Code): Code => [
      value.set(x),
      least.set(f32x4.chooseMin(least.get, value.get)),
      most.set(f32x4.chooseMax(most.get, value.get)),
    ];
    const { out } = f;
    return [
      end.set(i32.add(f.x.get, i32.shiftLeft(f.count.get, i32.const(2)))),
      whole.set(i32.add(f.x.get, i32.shiftLeft(i32.and(f.count.get, i32.const(-4)), i32.const(2)))),
      upTo(f.x, whole.get, 16, take(v128.load(f.x.get))),
      upTo(f.x, end.get, 4, take(v128.load32Splat(f.x.get))),
      low.set(acrossLanes(least, f32.min)),
      high.set(acrossLanes(most, f32.max)),
      scale.set(f32.div(f32.sub(high.get, low.get), f32.const(255))),
      // A range of zero has the scale 1; so has one that is so small that the division gives zero.
      scale.set(select(f32.const(1), scale.get, f32.equal(scale.get, f32.const(0)))),
      zero.set(
        f32.nearest(
          f32.max(f32.const(0), f32.min(f32.const(255), f32.div(f32.sub(f32.const(0), low.get), scale.get))),
        ),
      ),
      f32.store(out.get, scale.get, parameterBytes.scale),
      f32.store(out.get, zero.get, parameterBytes.zeroPoint),
      f32.store(out.get, f32.sub(f32.const(0), zero.get), parameterBytes.low),
      f32.store(out.get, f32.sub(f32.const(255), zero.get), parameterBytes.high),
      i32.store(out.get, i32.truncate(zero.get), parameterBytes.integerZeroPoint),
    ];
  });

const spreadParameters = (f: Scope & { readonly parameters: Local }) => {
  const [scale, low, high] = [f.local("v128"), f.local("v128"), f.local("v128")];
  const load = (offset: number): Code => v128.load32Splat(f.parameters.get, offset);
  return {
    scale,
    low,
    high,
    before: [
      scale.set(load(parameterBytes.scale)),
      low.set(load(parameterBytes.low)),
      high.set(load(parameterBytes.high)),
    ],
  };
};

/**
 * centre(x, rows, columns, parameters, out, stride): quantized, with the zero point taken off, as 16-bit integers; rows
 * are `stride` bytes apart and filled up with zeros.
 */
const defineCentre = (module: WasmModule): WasmFunction =>
  module.define(
    "centre",
    {
      parameters: { x: "i32", rows: "i32", columns: "i32", parameters: "i32", out: "i32", stride: "i32" },
    },
    (f) => {
      const spread = spreadParameters(f);
      const [row, column, to, eighths] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
      return [
        spread.before,
        eighths.set(i32.and(f.columns.get, i32.const(-8))),
        upTo(row, f.rows.get, 1, [
          to.set(f.out.get),
          column.set(i32.const(0)),
          upTo(column, eighths.get, 8, [
            v128.store(
              to.get,
              i16x8.narrow(rounded(v128.load(f.x.get), spread), rounded(v128.load(f.x.get, 16), spread)),
            ),
            f.x.set(i32.add(f.x.get, i32.const(32))),
            to.set(i32.add(to.get, i32.const(16))),
          ]),
          upTo(column, f.columns.get, 1, [
            i32.store16(to.get, i32x4.extract(rounded(v128.load32Splat(f.x.get), spread), 0)),
            f.x.set(i32.add(f.x.get, i32.const(4))),
            to.set(i32.add(to.get, i32.const(2))),
          ]),
          f.out.set(i32.add(f.out.get, f.stride.get)),
          fillBytes(to.get, i32.const(0), i32.sub(f.out.get, to.get)),
        ]),
      ];
    },
  );

/** quantize(x, count, parameters, out): quantized to 8 bits. */
const defineQuantize = (module: WasmModule): WasmFunction =>
  module.define(
    "quantize",
    { parameters: { x: "i32", count: "i32", parameters: "i32", out: "i32" } },
    (f) => {
      const spread = spreadParameters(f);
      const index = f.local("i32");
      const zero = i32.load(f.parameters.get, parameterBytes.integerZeroPoint);
      const at = i32.add(f.x.get, i32.shiftLeft(index.get, i32.const(2)));
      return [
        spread.before,
        upTo(
          index,
          f.count.get,
          1,
          i32.store8(
            i32.add(f.out.get, index.get),
            i32.add(i32x4.extract(rounded(v128.load32Splat(at), spread), 0), zero),
          ),
        ),
      ];
    },
  );

/** widen(x, rows, columns, zero, out, stride): bytes (`widenSigned`: with signs) less the zero point, as `centre`. */
const defineWiden = (module: WasmModule, name: string, load: (address: Code) => Code): WasmFunction =>
  module.define(
    name,
    { parameters: { x: "i32", rows: "i32", columns: "i32", zero: "i32", out: "i32", stride: "i32" } },
    (f) => {
      const [row, column, to] = [f.local("i32"), f.local("i32"), f.local("i32")];
      return upTo(row, f.rows.get, 1, [
        to.set(f.out.get),
        column.set(i32.const(0)),
        upTo(column, f.columns.get, 1, [
          i32.store16(to.get, i32.sub(load(f.x.get), f.zero.get)),
          f.x.set(i32.add(f.x.get, i32.const(1))),
          to.set(i32.add(to.get, i32.const(2))),
        ]),
        f.out.set(i32.add(f.out.get, f.stride.get)),
        fillBytes(to.get, i32.const(0), i32.sub(f.out.get, to.get)),
      ]);
    },
  );

/**
 * centreBlocks(x, rows, columns, block, out, scales): each block of a row by the scale max|x|/127, as 16-bit integers:
 * out is [block of the row][row][block], scales [block of the row][row].
 */
const defineCentreBlocks = (module: WasmModule): WasmFunction =>
  module.define(
    "centreBlocks",
    {
      parameters: { x: "i32", rows: "i32", columns: "i32", block: "i32", out: "i32", scales: "i32" },
    },
    (f) => {
      const [start, row, k, from, end] = [
        f.local("i32"),
        f.local("i32"),
        f.local("i32"),
        f.local("i32"),
        f.local("i32"),
      ];
      const [largest, factor, value] = [f.local("f32"), f.local("f32"), f.local("f32")];
      const at = i32.add(from.get, i32.shiftLeft(k.get, i32.const(2)));
      return upTo(start, f.columns.get, 0, [
        end.set(i32.sub(f.columns.get, start.get)),
        end.set(select(f.block.get, end.get, i32.less(f.block.get, end.get))),
        row.set(i32.const(0)),
        upTo(row, f.rows.get, 1, [
          from.set(
            i32.add(
              f.x.get,
              i32.shiftLeft(i32.add(i32.mul(row.get, f.columns.get), start.get), i32.const(2)),
            ),
          ),
          largest.set(f32.const(0)),
          k.set(i32.const(0)),
          upTo(k, end.get, 1, largest.set(f32.max(largest.get, f32.abs(f32.load(at))))),
          f32.store(f.scales.get, f32.div(largest.get, f32.const(127))),
          factor.set(f32.div(f32.const(1), f32.load(f.scales.get))),
          factor.set(select(factor.get, f32.const(0), f32.less(f32.const(0), largest.get))),
          f.scales.set(i32.add(f.scales.get, i32.const(4))),
          k.set(i32.const(0)),
          upTo(k, f.block.get, 1, [
            value.set(f32.const(0)),
            when(i32.less(k.get, end.get), value.set(f32.mul(f32.load(at), factor.get))),
            i32.store16(f.out.get, i32.truncate(f32.nearest(value.get))),
            f.out.set(i32.add(f.out.get, i32.const(2))),
          ]),
        ]),
        start.set(i32.add(start.get, f.block.get)),
      ]);
    },
  );

export const defineQuantization = (module: WasmModule): { range: WasmFunction; centre: WasmFunction } => {
  const [range, centre] = [defineRange(module), defineCentre(module)];
  defineQuantize(module);
  defineWiden(module, "widen", i32.load8);
  defineWiden(module, "widenSigned", i32.load8Signed);
  defineCentreBlocks(module);
  return { range, centre };
};
