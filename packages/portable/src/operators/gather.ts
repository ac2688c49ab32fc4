import { elementCount, bitsOf, type Tensor } from "@nasty/core";
import { intAttribute } from "@nasty/formats/onnx";
import type { BuiltNode, Operator } from "../plan/operator.js";
import { type Planner, sizeOf } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import { axisOf, checked, checkType, input, onlyAttributes } from "./checks.js";
import { emptyTensor } from "./on-host.js";

const outside = (position: number, size: number, got: number | bigint | string): RangeError =>
  new RangeError(`indices: element ${position}: expected ${-size} to ${size - 1}, got ${got}`);

/** Rows of what was fed, copied straight from there. */
const lookUp = (planner: Planner, table: Value, indices: Value): Value => {
  const rowShape = table.shape.slice(1);
  const width = elementCount(rowShape);
  const result = planner.result(table.dtype, [...indices.shape, ...rowShape]);
  const [at, count, isWide] = [planner.address(indices), sizeOf(indices), indices.dtype === "int64"];
  const { heap, feeds } = planner;
  const fed = table.fed as number;
  planner.step(() => {
    const { data, shape } = feeds.current[fed] as (typeof feeds.current)[number];
    const rows = shape[0] as number;
    const target = heap.view(table.dtype, [count * width], result.at).data as Float32Array;
    const source = data as Float32Array;
    const places = heap.i32;
    for (let i = 0; i < count; i++) {
      const place = at / 4 + (isWide ? 2 * i : i);
      const low = places[place] as number;
      if (isWide && (places[place + 1] as number) !== low >> 31) throw outside(i, rows, "a larger one");
      const row = low < 0 ? low + rows : low;
      if (row < 0 || row >= rows) throw outside(i, rows, low);
      target.set(source.subarray(row * width, (row + 1) * width), i * width);
    }
  });
  return result;
};

const gatherOnHost = (given: number): NonNullable<BuiltNode["host"]> => {
  return ([x, indices]) => {
    const { shape, data, dtype } = x as Tensor;
    const axis = axisOf(given, shape.length);
    const size = shape[axis] as number;
    const outer = elementCount(shape.slice(0, axis));
    const inner = elementCount(shape.slice(axis + 1));
    const places = (indices as Tensor).data;
    const result = emptyTensor(dtype, [
      ...shape.slice(0, axis),
      ...(indices as Tensor).shape,
      ...shape.slice(axis + 1),
    ]);
    let to = 0;
    for (let block = 0; block < outer; block++)
      for (let i = 0; i < places.length; i++) {
        const given = Number(places[i]);
        const place = given < 0 ? given + size : given;
        if (place < 0 || place >= size) throw outside(i, size, given);
        const from = (block * size + place) * inner;
        (result.data as Uint8Array).set(data.subarray(from, from + inner) as Uint8Array, to);
        to += inner;
      }
    return [result];
  };
};

const gather: Operator = (open) => {
  onlyAttributes(open, ["axis"]);
  const { dtype } = input(open, 0);
  checked(bitsOf(dtype) >= 8, `input 0: type: expected whole bytes, got ${dtype}`);
  checkType(open, 1, ["int32", "int64"]);
  const given = intAttribute(open.node, "axis", 0);
  return {
    outputs: [dtype],
    host: gatherOnHost(given),
    plan(planner, [x, indices]) {
      const table = x as Value;
      const places = indices as Value;
      if (table.fed !== undefined) return [lookUp(planner, table, places)];
      const axis = axisOf(given, table.shape.length);
      const size = table.shape[axis] as number;
      const outer = elementCount(table.shape.slice(0, axis));
      const rowBytes = (elementCount(table.shape.slice(axis + 1)) * bitsOf(dtype)) / 8;
      const result = planner.result(dtype, [
        ...table.shape.slice(0, axis),
        ...places.shape,
        ...table.shape.slice(axis + 1),
      ]);
      const [data, at, count] = [planner.address(table), planner.address(places), sizeOf(places)];
      const isWide = places.dtype === "int64" ? 1 : 0;
      const { heap } = planner;
      const run = planner.kernels.gather;
      planner.step(() => {
        for (let block = 0; block < outer; block++) {
          const wrong = run(
            data + block * size * rowBytes,
            at,
            isWide,
            count,
            rowBytes,
            size,
            result.at + block * count * rowBytes,
          );
          if (wrong >= 0)
            throw outside(wrong, size, heap.view(places.dtype, [count], at).data[wrong] as number | bigint);
        }
      });
      return [result];
    },
  };
};

export const gatherOperators: Readonly<Record<string, Operator>> = { Gather: gather };
