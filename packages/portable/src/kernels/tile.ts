/*
 * What the products share: a tile of the result is kept in registers while the inner dimension is walked once. The
 * right operand lies in panels of eight columns, so that a tile reads it one after the other.
 */
import {
  type Code,
  f32,
  f32x4,
  i32,
  type Local,
  type Scope,
  upTo,
  v128,
  type WasmFunction,
  type WasmModule,
  when,
} from "@nasty/core/wasm";

/** Rows and panels of a tile: as many sums as fit into sixteen registers with what they are made of. */
export interface TileSize {
  readonly rows: number;
  readonly panels: number;
}

const tall: TileSize = { rows: 4, panels: 1 };
const wide: TileSize = { rows: 1, panels: 4 };
const single: TileSize = { rows: 1, panels: 1 };

/** Stores the first `count` of four values, where at least one is to be stored. */
export const storeSome = (address: Code, value: Local, count: Code): Code =>
  when(
    i32.atLeast(count, i32.const(4)),
    v128.store(address, value.get),
    [0, 1, 2].map((lane) =>
      when(i32.greater(count, i32.const(lane)), f32.store(address, f32x4.extract(value.get, lane), lane * 4)),
    ),
  );

/** What a tile is given; `columns` counts from its first column to the end of the result. */
export const tileParameters = {
  a: "i32",
  aStride: "i32",
  b: "i32",
  depth: "i32",
  out: "i32",
  outStride: "i32",
  columns: "i32",
  scale: "f32",
  scales: "i32",
  bias: "i32",
  mode: "i32",
} as const;

export type TileScope = Scope & { readonly [K in keyof typeof tileParameters]: Local };

/** One local a sum: [row][panel][half]. */
export type Sums = readonly (readonly (readonly [Local, Local])[])[];

export const sumsOf = (scope: Scope, { rows, panels }: TileSize): Sums =>
  Array.from({ length: rows }, () =>
    Array.from({ length: panels }, () => [scope.local("v128"), scope.local("v128")] as const),
  );

/** Pointers to the rows of A, set to their beginnings, to B, and the distances of its panels from the first. */
export interface Walk {
  readonly rows: readonly Local[];
  readonly b: Local;
  /** The address in each panel. */
  readonly panels: readonly Code[];
  readonly before: Code;
}

export const walkOf = (f: TileScope, { rows, panels }: TileSize, panelBytes: Code): Walk => {
  const pointers = Array.from({ length: rows }, () => f.local("i32"));
  const distances = Array.from({ length: panels - 1 }, () => f.local("i32"));
  const b = f.local("i32");
  return {
    rows: pointers,
    b,
    panels: [b.get, ...distances.map(({ get }) => i32.add(b.get, get))],
    before: [
      pointers.map((pointer, row) =>
        pointer.set(row === 0 ? f.a.get : i32.add((pointers[row - 1] as Local).get, f.aStride.get)),
      ),
      b.set(f.b.get),
      distances.map((distance, panel) => distance.set(i32.mul(panelBytes, i32.const(panel + 1)))),
    ],
  };
};

/** A sum that is about to be stored, in `value`. */
export interface FinishedSum {
  readonly sum: Local;
  readonly value: Local;
  readonly row: number;
  /** Of its first column from that of the tile. */
  readonly columnBytes: number;
  readonly address: Code;
}

/** Stores the sums of a tile; `finish` sets the value that is stored of a sum. */
export const storeTile = (f: TileScope, sums: Sums, finish: (one: FinishedSum) => Code): Code => {
  const [pointer, value, left] = [f.local("i32"), f.local("v128"), f.local("i32")];
  return [
    pointer.set(f.out.get),
    sums.map((panels, row) => [
      panels.map((halves, panel) =>
        halves.map((sum, half) => {
          const first = panel * 8 + half * 4;
          const address = i32.add(pointer.get, i32.const(first * 4));
          return [
            left.set(i32.sub(f.columns.get, i32.const(first))),
            when(i32.greater(left.get, i32.const(0)), [
              finish({ sum, value, row, columnBytes: first * 4, address }),
              storeSome(address, value, left.get),
            ]),
          ];
        }),
      ),
      pointer.set(i32.add(pointer.get, f.outStride.get)),
    ]),
  ];
};

/** What is stored of a sum: itself, times the scales of the columns, plus the bias. */
export const productMode = { raw: 0, scaled: 1, biased: 2 } as const;

export const withBias = (f: TileScope, { value, columnBytes }: FinishedSum): Code =>
  when(
    i32.equal(f.mode.get, i32.const(productMode.biased)),
    value.set(f32x4.add(value.get, v128.load(f.bias.get, columnBytes))),
  );

const productParameters = {
  a: "i32",
  aStride: "i32",
  b: "i32",
  depth: "i32",
  rows: "i32",
  columns: "i32",
  out: "i32",
  outStride: "i32",
  scale: "f32",
  scales: "i32",
  bias: "i32",
  mode: "i32",
} as const;

export interface ProductDefinition {
  readonly name: string;
  /** Bytes of a panel, given its depth. */
  readonly panelBytes: (depth: Code) => Code;
  /** Defines the tile of a size. */
  readonly tile: (size: TileSize) => WasmFunction;
  /** Whether `bias` holds a value a column or a value a row. */
  readonly biasOf: "columns" | "rows";
}

/**
 * Defines a product of any size out of tiles: out [rows, columns] of a [rows, depth] and b in panels.
 *
 * Rows go by fours down one panel, which stays in the nearest cache; those left over go one by one over four panels.
 */
export const defineProduct = (
  module: WasmModule,
  { name, panelBytes, tile, biasOf }: ProductDefinition,
): WasmFunction => {
  const [tallTile, wideTile, singleTile] = [tile(tall), tile(wide), tile(single)];
  return module.define(name, { parameters: productParameters }, (f) => {
    const [panel, row, tallRows] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const [b, bytes] = [f.local("i32"), f.local("i32")];
    const columnBytes = i32.shiftLeft(panel.get, i32.const(5));
    const call = (of: WasmFunction): Code =>
      of(
        i32.add(f.a.get, i32.mul(row.get, f.aStride.get)),
        f.aStride.get,
        b.get,
        f.depth.get,
        i32.add(i32.add(f.out.get, i32.mul(row.get, f.outStride.get)), columnBytes),
        f.outStride.get,
        i32.sub(f.columns.get, i32.shiftLeft(panel.get, i32.const(3))),
        f.scale.get,
        i32.add(f.scales.get, columnBytes),
        i32.add(f.bias.get, biasOf === "columns" ? columnBytes : i32.shiftLeft(row.get, i32.const(2))),
        f.mode.get,
      );
    const panels = i32.shiftRight(i32.add(f.columns.get, i32.const(7)), i32.const(3));
    const atPanel = b.set(i32.add(f.b.get, i32.mul(panel.get, bytes.get)));
    const fullPanels = i32.and(panels, i32.const(-4));
    return [
      bytes.set(panelBytes(f.depth.get)),
      tallRows.set(i32.and(f.rows.get, i32.const(-4))),
      when(
        i32.greater(tallRows.get, i32.const(0)),
        upTo(panel, panels, 1, [atPanel, row.set(i32.const(0)), upTo(row, tallRows.get, 4, call(tallTile))]),
      ),
      row.set(tallRows.get),
      upTo(row, f.rows.get, 1, [
        panel.set(i32.const(0)),
        upTo(panel, fullPanels, 4, [atPanel, call(wideTile)]),
        upTo(panel, panels, 1, [atPanel, call(singleTile)]),
      ]),
    ];
  });
};
