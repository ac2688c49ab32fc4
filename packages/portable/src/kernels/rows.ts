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
} from "@nasty/core/wasm";
import { exp } from "./numbers.js";

interface Fold {
  /** Of four values and four more. */
  readonly vectors: (a: Code, b: Code) => Code;
  readonly scalars: (a: Code, b: Code) => Code;
  readonly first: number;
}

const folds = {
  sum: { vectors: f32x4.add, scalars: f32.add, first: 0 },
  max: { vectors: f32x4.max, scalars: f32.max, first: -Infinity },
  min: { vectors: f32x4.min, scalars: f32.min, first: Infinity },
} satisfies Readonly<Record<string, Fold>>;

/**
 * One value of a row: four lanes along it, then the lanes, then what is left over of the row, always in this order.
 *
 * @param map what is taken of the values
 */
const foldRow = (
  scope: Scope,
  { x, columns, into }: { readonly x: Local; readonly columns: Local; readonly into: Local },
  { vectors, scalars, first }: Fold,
  map: (x: Code) => Code = (value) => value,
): Code => {
  const [pointer, whole, end] = [scope.local("i32"), scope.local("i32"), scope.local("i32")];
  const lanes = scope.local("v128");
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => f32x4.extract(lanes.get, lane)) as [Code, Code, Code, Code];
  const address = (count: Code): Code => i32.add(x.get, i32.shiftLeft(count, i32.const(2)));
  return [
    pointer.set(x.get),
    lanes.set(f32x4.const(first)),
    whole.set(address(i32.and(columns.get, i32.const(-4)))),
    end.set(address(columns.get)),
    upTo(pointer, whole.get, 16, lanes.set(vectors(lanes.get, map(v128.load(pointer.get))))),
    into.set(scalars(scalars(a, b), scalars(c, d))),
    upTo(
      pointer,
      end.get,
      4,
      into.set(scalars(into.get, f32x4.extract(map(v128.load32Splat(pointer.get)), 0))),
    ),
  ];
};

/** Sets each value of a row to what `value` makes of the vector at the address. */
const overRow = (
  scope: Scope,
  { x, out, columns }: Readonly<Record<"x" | "out" | "columns", Local>>,
  value: (x: Code, offset: Local) => Code,
): Code => {
  const [offset, bytes] = [scope.local("i32"), scope.local("i32")];
  return [
    offset.set(i32.const(0)),
    bytes.set(i32.shiftLeft(columns.get, i32.const(2))),
    upTo(
      offset,
      bytes.get,
      16,
      v128.store(i32.add(out.get, offset.get), value(v128.load(i32.add(x.get, offset.get)), offset)),
    ),
  ];
};

const nextRow = ({ x, out, columns }: Readonly<Record<"x" | "out" | "columns", Local>>): Code => [
  x.set(i32.add(x.get, i32.shiftLeft(columns.get, i32.const(2)))),
  out.set(i32.add(out.get, i32.shiftLeft(columns.get, i32.const(2)))),
];

/** softmax(x, rows, columns, out): e^(x − max) over its sum. */
const defineSoftmax = (module: WasmModule): void => {
  module.define("softmax", { parameters: { x: "i32", rows: "i32", columns: "i32", out: "i32" } }, (f) => {
    const [row, one, many] = [f.local("i32"), f.local("f32"), f.local("v128")];
    const result = { x: f.out, out: f.out, columns: f.columns };
    return upTo(row, f.rows.get, 1, [
      foldRow(f, { x: f.x, columns: f.columns, into: one }, folds.max),
      many.set(f32x4.splat(one.get)),
      overRow(f, f, (x) => exp(f, f32x4.sub(x, many.get))),
      foldRow(f, { x: f.out, columns: f.columns, into: one }, folds.sum),
      many.set(f32x4.splat(f32.div(f32.const(1), one.get))),
      overRow(f, result, (x) => f32x4.mul(x, many.get)),
      nextRow(f),
    ]);
  });
};

/** layerNorm(x, rows, columns, scale, bias, epsilon, out): (x − mean) / √(variance + ε) · scale + bias. */
const defineLayerNorm = (module: WasmModule): void => {
  module.define(
    "layerNorm",
    {
      parameters: {
        x: "i32",
        rows: "i32",
        columns: "i32",
        scale: "i32",
        bias: "i32",
        epsilon: "f32",
        out: "i32",
      },
    },
    (f) => {
      const [row, mean, variance, count] = [f.local("i32"), f.local("f32"), f.local("f32"), f.local("f32")];
      const [middle, factor, centred] = [f.local("v128"), f.local("v128"), f.local("v128")];
      const deviation = (x: Code): Code => [
        centred.set(f32x4.sub(x, middle.get)),
        f32x4.mul(centred.get, centred.get),
      ];
      const fromMean = (x: Code): Code => f32x4.mul(f32x4.sub(x, middle.get), factor.get);
      return [
        count.set(f32.fromInt(f.columns.get)),
        upTo(row, f.rows.get, 1, [
          foldRow(f, { x: f.x, columns: f.columns, into: mean }, folds.sum),
          middle.set(f32x4.splat(f32.div(mean.get, count.get))),
          foldRow(f, { x: f.x, columns: f.columns, into: variance }, folds.sum, deviation),
          factor.set(
            f32x4.splat(
              f32.div(f32.const(1), f32.sqrt(f32.add(f32.div(variance.get, count.get), f.epsilon.get))),
            ),
          ),
          overRow(f, f, (x, offset) =>
            f32x4.add(
              f32x4.mul(fromMean(x), v128.load(i32.add(f.scale.get, offset.get))),
              v128.load(i32.add(f.bias.get, offset.get)),
            ),
          ),
          nextRow(f),
        ]),
      ];
    },
  );
};

/** sumRows(x, rows, columns, out) and the like: one value a row, times `factor`. */
const defineRowFold = (module: WasmModule, name: string, fold: Fold): void => {
  module.define(`${name}Rows`, { parameters: { x: "i32", rows: "i32", columns: "i32", out: "i32" } }, (f) => {
    const [row, value] = [f.local("i32"), f.local("f32")];
    return upTo(row, f.rows.get, 1, [
      foldRow(f, { x: f.x, columns: f.columns, into: value }, fold),
      f32.store(f.out.get, value.get),
      f.x.set(i32.add(f.x.get, i32.shiftLeft(f.columns.get, i32.const(2)))),
      f.out.set(i32.add(f.out.get, i32.const(4))),
    ]);
  });
};

/** sumPlanes(x, planes, rows, columns, out) and the like: the rows of each plane in one, from the first to the last. */
const definePlaneFold = (module: WasmModule, name: string, { vectors, first }: Fold): void => {
  module.define(
    `${name}Planes`,
    { parameters: { x: "i32", planes: "i32", rows: "i32", columns: "i32", out: "i32" } },
    (f) => {
      const [plane, row, offset, bytes, at] = [
        f.local("i32"),
        f.local("i32"),
        f.local("i32"),
        f.local("i32"),
        f.local("i32"),
      ];
      const lanes = f.local("v128");
      return [
        bytes.set(i32.shiftLeft(f.columns.get, i32.const(2))),
        upTo(plane, f.planes.get, 1, [
          offset.set(i32.const(0)),
          upTo(offset, bytes.get, 16, [
            lanes.set(f32x4.const(first)),
            at.set(i32.add(f.x.get, offset.get)),
            row.set(i32.const(0)),
            upTo(row, f.rows.get, 1, [
              lanes.set(vectors(lanes.get, v128.load(at.get))),
              at.set(i32.add(at.get, bytes.get)),
            ]),
            v128.store(i32.add(f.out.get, offset.get), lanes.get),
          ]),
          f.x.set(i32.add(f.x.get, i32.mul(bytes.get, f.rows.get))),
          f.out.set(i32.add(f.out.get, bytes.get)),
        ]),
      ];
    },
  );
};

export const defineRows = (module: WasmModule): void => {
  defineSoftmax(module);
  defineLayerNorm(module);
  for (const [name, fold] of Object.entries(folds)) {
    defineRowFold(module, name, fold);
    definePlaneFold(module, name, fold);
  }
};
