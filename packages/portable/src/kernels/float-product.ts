import {
  type Code,
  f32,
  f32x4,
  i32,
  type Local,
  repeatWhile,
  upTo,
  v128,
  type WasmFunction,
  type WasmModule,
  when,
} from "@nasty/core/wasm";
import {
  defineProduct,
  storeTile,
  type Sums,
  sumsOf,
  tileParameters,
  type TileSize,
  type Walk,
  walkOf,
  withBias,
} from "./tile.js";

const addStep = (
  sums: Sums,
  { rows, panels }: Walk,
  [left, low, high]: readonly [Local, Local, Local],
): Code =>
  panels.map((address, panel) => [
    low.set(v128.load(address)),
    high.set(v128.load(address, 16)),
    sums.map((row, r) => {
      const [first, second] = row[panel] as readonly [Local, Local];
      return [
        sums.length > 1 || panel === 0 ? left.set(v128.load32Splat((rows[r] as Local).get)) : [],
        first.set(f32x4.add(first.get, f32x4.mul(left.get, low.get))),
        second.set(f32x4.add(second.get, f32x4.mul(left.get, high.get))),
      ];
    }),
  ]);

/**
 * Defines the product of float32 matrices: each sum is taken along the depth from its beginning to its end, in every
 * tile alike, so it does not depend on where its row stands.
 *
 * The sum is stored, or `scale` times the sum (which is exact for 1), plus the bias where `mode` asks for it.
 */
export const defineFloatProduct = (module: WasmModule): WasmFunction => {
  const panelBytes = (depth: Code): Code => i32.shiftLeft(depth, i32.const(5));
  const tile = (size: TileSize): WasmFunction =>
    module.define(`floatProduct${size.rows}x${size.panels}`, { parameters: tileParameters }, (f) => {
      const sums = sumsOf(f, size);
      const walk = walkOf(f, size, panelBytes(f.depth.get));
      const end = f.local("i32");
      const registers = [f.local("v128"), f.local("v128"), f.local("v128")] as const;
      return [
        walk.before,
        end.set(i32.add(walk.b.get, panelBytes(f.depth.get))),
        repeatWhile(
          [
            addStep(sums, walk, registers),
            walk.rows.map((pointer) => pointer.set(i32.add(pointer.get, i32.const(4)))),
            walk.b.set(i32.add(walk.b.get, i32.const(32))),
          ],
          i32.lessUnsigned(walk.b.get, end.get),
        ),
        storeTile(f, sums, (one) => [
          one.value.set(f32x4.mul(one.sum.get, f32x4.splat(f.scale.get))),
          withBias(f, one),
        ]),
      ];
    });
  return defineProduct(module, { name: "floatProduct", panelBytes, tile, biasOf: "columns" });
};

/**
 * Defines the packing of a float32 matrix into panels: element (k, n) of the matrix lies `rowStride`·k +
 * `columnStride`·n bytes from its first. Columns that are missing in the last panel become zeros.
 */
export const definePackPanels = (module: WasmModule): WasmFunction =>
  module.define(
    "packPanels",
    {
      parameters: {
        from: "i32",
        depth: "i32",
        columns: "i32",
        rowStride: "i32",
        columnStride: "i32",
        to: "i32",
      },
    },
    (f) => {
      const [column, k, lane, address] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
      const at = i32.add(f.to.get, i32.shiftLeft(lane.get, i32.const(2)));
      const inside = i32.less(i32.add(column.get, lane.get), f.columns.get);
      return upTo(column, f.columns.get, 8, [
        k.set(i32.const(0)),
        upTo(k, f.depth.get, 1, [
          address.set(
            i32.add(
              f.from.get,
              i32.add(i32.mul(k.get, f.rowStride.get), i32.mul(column.get, f.columnStride.get)),
            ),
          ),
          lane.set(i32.const(0)),
          upTo(lane, i32.const(8), 1, [
            when(inside, f32.store(at, f32.load(address.get)), f32.store(at, f32.const(0))),
            address.set(i32.add(address.get, f.columnStride.get)),
          ]),
          f.to.set(i32.add(f.to.get, i32.const(32))),
        ]),
      ]);
    },
  );
