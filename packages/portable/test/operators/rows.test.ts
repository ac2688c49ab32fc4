import { tensor } from "@nasty/core";
import fc from "fast-check";
import { describe, it } from "vitest";
import { compare, floats, longs, seeds, shapes, sizes, tried } from "../against.js";

const outputs = ["float32"] as const;

describe("operators over rows", () => {
  it.each(["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"])("%s over any axes", (op) =>
    tried(
      shapes({ min: 1, max: 4 }).chain((shape) =>
        fc.tuple(
          fc.constant(shape),
          fc.subarray(
            shape.map((_, axis) => axis),
            { minLength: 1 },
          ),
          fc.constantFrom(0, 1),
          seeds,
        ),
      ),
      ([shape, axes, keepdims, seed]) =>
        compare({
          op,
          inputs: [floats(shape, seed), longs(axes)],
          weights: [1],
          attributes: { keepdims },
          outputs,
        }),
    ),
  );

  it.each(["ReduceSum", "ReduceMax", "ReduceMin"])("%s of integers", (op) =>
    tried(
      fc.tuple(shapes({ min: 1, max: 3 }), fc.constantFrom(0, 1), fc.nat(), fc.boolean(), fc.boolean()),
      ([shape, keepdims, first, isLong, isWeight]) => {
        const numbers = Array.from(floats(shape, first, 1000).data as Float32Array, Math.trunc);
        const x = isLong ? longs(numbers) : tensor("int32", [numbers.length], Int32Array.from(numbers));
        return compare({
          op,
          inputs: [{ ...x, shape }, longs([first % shape.length])],
          weights: isWeight ? [0, 1] : [1],
          attributes: { keepdims },
          outputs: [x.dtype],
        });
      },
    ),
  );

  it("Softmax along every axis", () =>
    tried(fc.tuple(shapes({ min: 1, max: 4 }, 9), seeds, sizes(0, 3)), ([shape, seed, k]) =>
      compare({
        op: "Softmax",
        inputs: [floats(shape, seed, 9)],
        attributes: { axis: k % shape.length },
        outputs,
      }),
    ));

  it("LayerNormalization with and without a bias", () =>
    tried(fc.tuple(shapes({ min: 1, max: 3 }, 20), seeds), async ([shape, seed]) => {
      const size = [shape.at(-1) as number];
      const inputs = [floats(shape, seed), floats(size, seed + 1), floats(size, seed + 2)];
      const one = { op: "LayerNormalization", attributes: { axis: -1, epsilon: 1e-5 }, outputs };
      // Few elements that are nearly equal lose digits in the difference from their mean.
      await compare({ ...one, inputs, weights: [1, 2] }, { float: 1e-4 });
      await compare({ ...one, inputs: inputs.slice(0, 2), weights: [1] }, { float: 1e-4 });
    }));
});
