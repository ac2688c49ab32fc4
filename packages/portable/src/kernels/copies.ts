import {
  block,
  branchIf,
  type Code,
  copyBytes,
  finish,
  i32,
  i64,
  upTo,
  type WasmModule,
  when,
} from "@nasty/core/wasm";

/** copy(from, to, and for each of three axes its size, and the bytes of a step in both): elements of `size` bytes. */
const defineCopy = (module: WasmModule): void => {
  const parameters = {
    from: "i32",
    to: "i32",
    planes: "i32",
    fromPlane: "i32",
    toPlane: "i32",
    rows: "i32",
    fromRow: "i32",
    toRow: "i32",
    columns: "i32",
    fromColumn: "i32",
    toColumn: "i32",
    size: "i32",
  } as const;
  module.define("copy", { parameters }, (f) => {
    const [plane, row, column] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const [planeFrom, planeTo] = [f.local("i32"), f.local("i32")];
    const [rowFrom, rowTo, from, to] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    const over = (move: Code): Code =>
      upTo(column, f.columns.get, 1, [
        move,
        from.set(i32.add(from.get, f.fromColumn.get)),
        to.set(i32.add(to.get, f.toColumn.get)),
      ]);
    const isDense = i32.and(i32.equal(f.fromColumn.get, f.size.get), i32.equal(f.toColumn.get, f.size.get));
    const has = (size: number): Code => i32.equal(f.size.get, i32.const(size));
    return [
      planeFrom.set(f.from.get),
      planeTo.set(f.to.get),
      upTo(plane, f.planes.get, 1, [
        rowFrom.set(planeFrom.get),
        rowTo.set(planeTo.get),
        row.set(i32.const(0)),
        upTo(row, f.rows.get, 1, [
          from.set(rowFrom.get),
          to.set(rowTo.get),
          column.set(i32.const(0)),
          when(isDense, copyBytes(to.get, from.get, i32.mul(f.columns.get, f.size.get)), [
            when(
              has(4),
              over(i32.store(to.get, i32.load(from.get))),
              when(
                has(8),
                over(i64.store(to.get, i64.load(from.get))),
                when(
                  has(2),
                  over(i32.store16(to.get, i32.load16(from.get))),
                  over(i32.store8(to.get, i32.load8(from.get))),
                ),
              ),
            ),
          ]),
          rowFrom.set(i32.add(rowFrom.get, f.fromRow.get)),
          rowTo.set(i32.add(rowTo.get, f.toRow.get)),
        ]),
        planeFrom.set(i32.add(planeFrom.get, f.fromPlane.get)),
        planeTo.set(i32.add(planeTo.get, f.toPlane.get)),
      ]),
    ];
  });
};

/**
 * gather(data, indices, wide, count, bytes, size, out): rows of `bytes` by 32-bit indices, or 64-bit ones where `wide`
 * is 1; those below zero count from the end.
 *
 * @returns the place of the first index that is outside −size..size − 1, or −1
 */
const defineGather = (module: WasmModule): void => {
  const parameters = {
    data: "i32",
    indices: "i32",
    wide: "i32",
    count: "i32",
    bytes: "i32",
    size: "i32",
    out: "i32",
  } as const;
  module.define("gather", { parameters, result: "i32" }, (f) => {
    const [place, index] = [f.local("i32"), f.local("i32")];
    const isNegative = i32.less(index.get, i32.const(0));
    // The upper half of an index that fits is the sign of the lower.
    const upperHalf = i32.load(f.indices.get, 4);
    const doesNotFit = i32.notEqual(upperHalf, i32.shiftRight(index.get, i32.const(31)));
    const from = i32.add(f.data.get, i32.mul(index.get, f.bytes.get));
    return [
      upTo(place, f.count.get, 1, [
        block([
          index.set(i32.load(f.indices.get)),
          when(f.wide.get, when(doesNotFit, finish(place.get))),
          branchIf(i32.isZero(isNegative), 0),
          index.set(i32.add(index.get, f.size.get)),
        ]),
        when(i32.atLeastUnsigned(index.get, f.size.get), finish(place.get)),
        when(
          i32.equal(f.bytes.get, i32.const(4)),
          i32.store(f.out.get, i32.load(from)),
          copyBytes(f.out.get, from, f.bytes.get),
        ),
        f.out.set(i32.add(f.out.get, f.bytes.get)),
        f.indices.set(i32.add(f.indices.get, i32.shiftLeft(i32.const(4), f.wide.get))),
      ]),
      i32.const(-1),
    ];
  });
};

export const defineCopies = (module: WasmModule): void => {
  defineCopy(module);
  defineGather(module);
};
