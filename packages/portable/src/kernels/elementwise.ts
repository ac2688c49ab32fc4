import {
  type Code,
  f32,
  f32x4,
  i32,
  type Local,
  type Scope,
  upTo,
  v128,
  type WasmModule,
  when,
} from "@nasty/core/wasm";
import { canonical, erf, exp, gelu, geluByTanh, relu, sigmoid, tanh } from "./numbers.js";

/*
 * Loops over float32 store four values at a time, also past the end of a row: what they overwrite is the row that comes
 * next, or the padding behind the last. Results must lie apart from operands.
 */

type Unary = (scope: Scope, x: Code) => Code;
type Binary = (scope: Scope, a: Code, b: Code) => Code;

/** By the name of the kernel: op(x, count, out). */
export const unaryKernels = {
  relu,
  sigmoid,
  tanh,
  erf,
  exp,
  gelu,
  geluByTanh,
  canonical,
  sqrt: (_, x) => f32x4.sqrt(x),
  neg: (_, x) => f32x4.neg(x),
  abs: (_, x) => f32x4.abs(x),
  reciprocal: (_, x) => f32x4.div(f32x4.const(1), x),
  square: (scope, x) => {
    const given = scope.local("v128");
    return [given.set(x), f32x4.mul(given.get, given.get)];
  },
} satisfies Readonly<Record<string, Unary>>;

/** By the name of the kernel: op(a, b, out, rows, columns, aRow, aColumn, bRow, bColumn); see `defineBinary`. */
export const binaryKernels = {
  add: (_, a, b) => f32x4.add(a, b),
  sub: (_, a, b) => f32x4.sub(a, b),
  mul: (_, a, b) => f32x4.mul(a, b),
  div: (_, a, b) => f32x4.div(a, b),
  min: (_, a, b) => f32x4.min(a, b),
  max: (_, a, b) => f32x4.max(a, b),
} satisfies Readonly<Record<string, Binary>>;

const defineUnary = (module: WasmModule, name: string, operation: Unary): void => {
  module.define(name, { parameters: { x: "i32", count: "i32", out: "i32" } }, (f) => {
    const end = f.local("i32");
    return [
      end.set(i32.add(f.x.get, i32.shiftLeft(f.count.get, i32.const(2)))),
      upTo(f.x, end.get, 16, [
        v128.store(f.out.get, operation(f, v128.load(f.x.get))),
        f.out.set(i32.add(f.out.get, i32.const(16))),
      ]),
    ];
  });
};

/**
 * Rows and columns of the result, and for each operand the bytes from row to row, and from column to column: 4, or 0
 * where one value serves the whole row.
 */
const defineBinary = (module: WasmModule, name: string, operation: Binary): void => {
  const parameters = {
    a: "i32",
    b: "i32",
    out: "i32",
    rows: "i32",
    columns: "i32",
    aRow: "i32",
    aColumn: "i32",
    bRow: "i32",
    bColumn: "i32",
  } as const;
  module.define(name, { parameters }, (f) => {
    const [row, offset, bytes] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const [first, second] = [f.local("v128"), f.local("v128")];
    const at = (base: Local): Code => v128.load(i32.add(base.get, offset.get));
    const over = (before: Code, a: Code, b: Code): Code => [
      before,
      upTo(offset, bytes.get, 16, v128.store(i32.add(f.out.get, offset.get), operation(f, a, b))),
    ];
    const spreadSecond = second.set(v128.load32Splat(f.b.get));
    return [
      bytes.set(i32.shiftLeft(f.columns.get, i32.const(2))),
      upTo(row, f.rows.get, 1, [
        offset.set(i32.const(0)),
        when(
          f.aColumn.get,
          when(f.bColumn.get, over([], at(f.a), at(f.b)), over(spreadSecond, at(f.a), second.get)),
          [
            first.set(v128.load32Splat(f.a.get)),
            when(f.bColumn.get, over([], first.get, at(f.b)), over(spreadSecond, first.get, second.get)),
          ],
        ),
        f.a.set(i32.add(f.a.get, f.aRow.get)),
        f.b.set(i32.add(f.b.get, f.bRow.get)),
        f.out.set(i32.add(f.out.get, bytes.get)),
      ]),
    ];
  });
};

/** toFloat of bytes and 32-bit integers: op(x, count, out). */
const defineConversion = (module: WasmModule, name: string, load: (x: Code, index: Code) => Code): void => {
  module.define(name, { parameters: { x: "i32", count: "i32", out: "i32" } }, (f) => {
    const index = f.local("i32");
    const at = i32.add(f.out.get, i32.shiftLeft(index.get, i32.const(2)));
    return upTo(index, f.count.get, 1, f32.store(at, f32.fromInt(load(f.x.get, index.get))));
  });
};

export const defineElementwise = (module: WasmModule): void => {
  for (const [name, operation] of Object.entries(unaryKernels)) defineUnary(module, name, operation);
  for (const [name, operation] of Object.entries(binaryKernels)) defineBinary(module, name, operation);
  defineConversion(module, "floatOfInt8", (x, i) => i32.load8Signed(i32.add(x, i)));
  defineConversion(module, "floatOfUint8", (x, i) => i32.load8(i32.add(x, i)));
  defineConversion(module, "floatOfInt32", (x, i) => i32.load(i32.add(x, i32.shiftLeft(i, i32.const(2)))));
};
