import {
  type Code,
  f32,
  f32x4,
  i32,
  i32x4,
  type Local,
  repeatWhile,
  v128,
  type WasmFunction,
  type WasmModule,
  when,
} from "@nasty/core/wasm";
import {
  defineProduct,
  type FinishedSum,
  productMode,
  storeTile,
  type Sums,
  sumsOf,
  tileParameters,
  type TileScope,
  type TileSize,
  type Walk,
  walkOf,
  withBias,
} from "./tile.js";

/** How the weights of a panel are stored: pairs along the depth, eight columns beside each other. */
export type PackedWeights = "int8" | "int16";

const pairBytes = (weights: PackedWeights): number => (weights === "int8" ? 16 : 32);

/** The four columns of one half of a panel at a pair of rows, as eight 16-bit integers. */
const weightsAt = (weights: PackedWeights, address: Code, half: 0 | 1): Code =>
  weights === "int8" ? v128.load8x8Signed(address, half * 8) : v128.load(address, half * 16);

/**
 * Adds the products of one pair of the depth to the sums.
 *
 * `i32x4.dot_i16x8_s` multiplies pairs of 16-bit integers and adds the two products in 32 bits, which cannot overflow
 * here.
 */
const addPair = (
  sums: Sums,
  { rows, panels }: Walk,
  {
    weights,
    registers: [left, low, high],
  }: { weights: PackedWeights; registers: readonly [Local, Local, Local] },
): Code =>
  panels.map((address, panel) => [
    low.set(weightsAt(weights, address, 0)),
    high.set(weightsAt(weights, address, 1)),
    sums.map((row, r) => {
      const [first, second] = row[panel] as readonly [Local, Local];
      return [
        // With one row, what was read for the first panel serves the others.
        sums.length > 1 || panel === 0 ? left.set(v128.load32Splat((rows[r] as Local).get)) : [],
        first.set(i32x4.add(first.get, i32x4.dot(left.get, low.get))),
        second.set(i32x4.add(second.get, i32x4.dot(left.get, high.get))),
      ];
    }),
  ]);

const addAllPairs = (f: TileScope, sums: Sums, walk: Walk, weights: PackedWeights): Code => {
  const end = f.local("i32");
  const registers = [f.local("v128"), f.local("v128"), f.local("v128")] as const;
  const bytes = pairBytes(weights);
  return [
    walk.before,
    end.set(i32.add(walk.b.get, i32.mul(f.depth.get, i32.const(bytes)))),
    repeatWhile(
      [
        addPair(sums, walk, { weights, registers }),
        walk.rows.map((pointer) => pointer.set(i32.add(pointer.get, i32.const(4)))),
        walk.b.set(i32.add(walk.b.get, i32.const(bytes))),
      ],
      i32.lessUnsigned(walk.b.get, end.get),
    ),
  ];
};

const scaledByColumns = (f: TileScope, one: FinishedSum): Code => {
  const { sum, value, columnBytes } = one;
  const scales = f32x4.mul(f32x4.splat(f.scale.get), v128.load(f.scales.get, columnBytes));
  return when(i32.equal(f.mode.get, i32.const(productMode.raw)), value.set(sum.get), [
    value.set(f32x4.mul(f32x4.fromInt(sum.get), scales)),
    withBias(f, one),
  ]);
};

/** Added to what is there: the sum times the scale of its row, which `bias` holds, and that of its column. */
const addedByRows = (f: TileScope, { sum, value, row, columnBytes, address }: FinishedSum): Code => {
  const rowScale = f32x4.splat(f32.load(f.bias.get, row * 4));
  const scales = f32x4.mul(rowScale, v128.load(f.scales.get, columnBytes));
  return value.set(f32x4.add(v128.load(address), f32x4.mul(f32x4.fromInt(sum.get), scales)));
};

export interface IntegerProduct {
  readonly name: string;
  readonly weights: PackedWeights;
  /**
   * `columns`: sums are stored as integers, or times `scale` and the scales of the columns, with the bias. `added`:
   * sums of one block of the depth are scaled and added to the result, with the rows' scales in place of the bias.
   */
  readonly result: "columns" | "added";
}

/**
 * Defines the product of 16-bit integers with packed weights of 8 (or 16) bits, whose 32-bit sums are exact.
 *
 * `depth` counts pairs; a panel has 16 (32) bytes a pair.
 */
export const defineIntegerProduct = (
  module: WasmModule,
  { name, weights, result }: IntegerProduct,
): WasmFunction => {
  const panelBytes = (depth: Code): Code => i32.mul(depth, i32.const(pairBytes(weights)));
  const tile = (size: TileSize): WasmFunction =>
    module.define(`${name}${size.rows}x${size.panels}`, { parameters: tileParameters }, (f) => {
      const sums = sumsOf(f, size);
      return [
        addAllPairs(f, sums, walkOf(f, size, panelBytes(f.depth.get)), weights),
        storeTile(f, sums, (one) => (result === "columns" ? scaledByColumns(f, one) : addedByRows(f, one))),
      ];
    });
  return defineProduct(module, {
    name,
    panelBytes,
    tile,
    biasOf: result === "columns" ? "columns" : "rows",
  });
};
