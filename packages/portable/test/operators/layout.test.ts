import { tensor } from "@nasty/core";
import fc from "fast-check";
import { describe, it } from "vitest";
import { compare, floats, longs, seeds, shapes, sizes, tried, wholes } from "../against.js";

const outputs = ["float32"] as const;
const permutations = shapes({ min: 1, max: 5 }, 5).chain((shape) =>
  fc.tuple(
    fc.constant(shape),
    fc.shuffledSubarray(
      shape.map((_, axis) => axis),
      { minLength: shape.length },
    ),
    seeds,
  ),
);

describe("operators that move elements", () => {
  it("Transpose turns all element sizes", () =>
    tried(permutations, async ([shape, perm, seed]) => {
      await compare(
        { op: "Transpose", inputs: [floats(shape, seed)], attributes: { perm }, outputs },
        { float: 0 },
      );
      for (const dtype of ["int8", "int64"] as const)
        await compare({
          op: "Transpose",
          inputs: [wholes(dtype, shape, { seed, min: -9, max: 9 })],
          attributes: { perm },
          outputs: [dtype],
        });
    }));

  it("Slice goes forwards, backwards and past the end", () =>
    tried(
      fc.tuple(
        shapes({ min: 1, max: 3 }),
        seeds,
        sizes(-9, 9),
        sizes(-9, 9),
        fc.constantFrom(1, 2, -1, -2),
        sizes(0, 2),
      ),
      ([shape, seed, start, end, step, axis]) =>
        compare(
          {
            op: "Slice",
            inputs: [
              floats(shape, seed),
              longs([start]),
              longs([end]),
              longs([axis % shape.length]),
              longs([step]),
            ],
            weights: [1, 2, 3, 4],
            outputs,
          },
          { float: 0 },
        ),
      60,
    ));

  it("Concat and Split along every axis", () =>
    tried(
      fc.tuple(shapes({ min: 1, max: 3 }), seeds, sizes(0, 2), sizes(1, 4)),
      async ([shape, seed, k, more]) => {
        const axis = k % shape.length;
        const other = shape.with(axis, more);
        await compare(
          {
            op: "Concat",
            inputs: [floats(shape, seed), floats(other, seed + 1)],
            attributes: { axis },
            outputs,
          },
          { float: 0 },
        );
        const both = shape.with(axis, (shape[axis] as number) + more);
        await compare(
          {
            op: "Split",
            inputs: [floats(both, seed), longs([shape[axis] as number, more])],
            weights: [1],
            attributes: { axis },
            outputs: ["float32", "float32"],
          },
          { float: 0 },
        );
      },
    ));

  it("Expand and Pad", () =>
    tried(
      fc.tuple(shapes({ min: 1, max: 3 }), seeds, sizes(1, 3), sizes(-1, 3)),
      async ([shape, seed, lead, pad]) => {
        const inputs = [floats(shape.with(0, 1), seed), longs([lead, ...shape])];
        await compare({ op: "Expand", inputs, weights: [1], outputs }, { float: 0 });
        const pads = [...shape.map(() => Math.max(0, pad)), ...shape.map(() => 1)];
        const value = tensor("float32", [], Float32Array.of(7));
        await compare(
          { op: "Pad", inputs: [floats(shape, seed), longs(pads), value], weights: [1, 2], outputs },
          { float: 0 },
        );
        await compare({
          op: "Pad",
          inputs: [wholes("int64", shape, { seed, min: 0, max: 9 }), longs(pads)],
          weights: [1],
          outputs: ["int64"],
        });
      },
    ));

  it("Reshape, Flatten, Squeeze, Unsqueeze and Identity", () =>
    tried(fc.tuple(shapes({ min: 2, max: 4 }), seeds), async ([shape, seed]) => {
      const x = floats(shape, seed);
      await compare({ op: "Reshape", inputs: [x, longs([0, -1])], weights: [1], outputs }, { float: 0 });
      await compare({ op: "Flatten", inputs: [x], attributes: { axis: 1 }, outputs }, { float: 0 });
      await compare({ op: "Unsqueeze", inputs: [x, longs([0, -1])], weights: [1], outputs }, { float: 0 });
      await compare({
        op: "Squeeze",
        inputs: [floats([1, ...shape, 1], seed), longs([0, -1])],
        weights: [1],
        outputs,
      });
      await compare({ op: "Identity", inputs: [x], outputs }, { float: 0 });
    }));

  it("Gather along every axis, by indices of both widths, also below zero", () =>
    tried(
      fc.tuple(shapes({ min: 1, max: 3 }), shapes({ min: 0, max: 2 }), seeds, sizes(0, 2)),
      async ([shape, places, seed, k]) => {
        const axis = k % shape.length;
        const size = shape[axis] as number;
        for (const dtype of ["int32", "int64"] as const) {
          const indices = wholes(dtype, places, { seed, min: -size, max: size - 1 });
          const attributes = { axis };
          await compare(
            { op: "Gather", inputs: [floats(shape, seed), indices], attributes, outputs },
            { float: 0 },
          );
          const inputs = [wholes("int8", shape, { seed, min: -9, max: 9 }), indices];
          await compare({ op: "Gather", inputs, weights: [0], attributes, outputs: ["int8"] });
        }
      },
    ));

  it("Shape, Size, ConstantOfShape, Range and CumSum", () =>
    tried(fc.tuple(shapes({ min: 1, max: 3 }), seeds), async ([shape, seed]) => {
      const x = floats(shape, seed);
      await compare({ op: "Shape", inputs: [x], attributes: { start: -1 }, outputs: ["int64"] });
      await compare({ op: "Size", inputs: [x], outputs: ["int64"] });
      await compare({ op: "ConstantOfShape", inputs: [longs(shape)], weights: [0], outputs });
      const one = (value: number) => tensor("int64", [], BigInt64Array.of(BigInt(value)));
      await compare({
        op: "Range",
        inputs: [one(1), one(9), one(3)],
        weights: [0, 1, 2],
        outputs: ["int64"],
      });
      const whole = wholes("int64", shape, { seed, min: 0, max: 3 });
      for (const exclusive of [0, 1])
        for (const reverse of [0, 1])
          await compare({
            op: "CumSum",
            inputs: [whole, one(shape.length - 1)],
            weights: [1],
            attributes: { exclusive, reverse },
            outputs: ["int64"],
          });
    }));
});
