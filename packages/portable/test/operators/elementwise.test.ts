import { type DType, tensor } from "@nasty/core";
import fc from "fast-check";
import { describe, it } from "vitest";
import { type Case, compare, floats, seeds, shapes, sizes, tried, wholes } from "../against.js";

/** Two shapes that broadcast to a third: axes of size 1 and axes left out. */
const pairs = fc
  .tuple(
    shapes({ min: 0, max: 4 }),
    fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    sizes(0, 4),
    seeds,
  )
  .map(([shape, ones, dropped, seed]) => {
    const a = shape.map((size, axis) => (ones[axis] === true ? 1 : size));
    const b = shape
      .map((size, axis) => (ones[axis + 4] === true ? 1 : size))
      .slice(Math.min(dropped, shape.length));
    return { a, b, seed };
  });

describe("operators of two values", () => {
  it.each(["Add", "Sub", "Mul", "Div", "Min", "Max"])("%s of floats gives the same numbers", (op) =>
    tried(pairs, ({ a, b, seed }) =>
      compare({ op, inputs: [floats(a, seed), floats(b, seed + 1)], outputs: ["float32"] }, { float: 0 }),
    ),
  );

  it.each(["Add", "Sub", "Mul"])("%s of integers gives the same numbers, also of weights", (op) =>
    tried(pairs, async ({ a, b, seed }) => {
      for (const dtype of ["int64", "int32"] as const) {
        const inputs = [
          wholes(dtype, a, { seed, min: -9, max: 9 }),
          wholes(dtype, b, { seed: seed + 1, min: -9, max: 9 }),
        ];
        await compare({ op, inputs, outputs: [dtype] });
        await compare({ op, inputs, weights: [0, 1], outputs: [dtype] });
      }
    }),
  );

  it.each(["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"])("%s compares", (op) =>
    tried(pairs, async ({ a, b, seed }) => {
      const whole = (shape: number[], s: number) => wholes("int64", shape, { seed: s, min: 0, max: 2 });
      await compare({ op, inputs: [whole(a, seed), whole(b, seed + 1)], outputs: ["bool"] });
      await compare({ op, inputs: [floats(a, seed), floats(b, seed + 1)], outputs: ["bool"] });
    }),
  );

  it.each(["And", "Or", "Xor"])("%s of truth values", (op) =>
    tried(pairs, ({ a, b, seed }) => {
      const truth = (shape: number[], s: number) => wholes("bool", shape, { seed: s, min: 0, max: 1 });
      return compare({ op, inputs: [truth(a, seed), truth(b, seed + 1)], outputs: ["bool"] });
    }),
  );

  it("Where chooses, Not turns", () =>
    tried(pairs, async ({ a, b, seed }) => {
      const condition = wholes("bool", a, { seed, min: 0, max: 1 });
      await compare({
        op: "Where",
        inputs: [condition, floats(b, seed), floats(a, seed + 1)],
        outputs: ["float32"],
      });
      await compare({ op: "Not", inputs: [condition], outputs: ["bool"] });
    }));
});

describe("operators of one value", () => {
  const exact = ["Neg", "Abs", "Relu", "Floor", "Ceil", "Round", "Reciprocal"];
  it.each(exact)("%s gives the same numbers", (op) =>
    tried(fc.tuple(shapes({ min: 0, max: 3 }), seeds), ([shape, seed]) =>
      compare({ op, inputs: [floats(shape, seed)], outputs: ["float32"] }, { float: 0 }),
    ),
  );

  const spread: Readonly<Record<string, number>> = { Exp: 80, Sigmoid: 30, Tanh: 12, Erf: 5, Gelu: 8 };
  it.each(Object.keys(spread))("%s is as exact as float32 allows", (op) =>
    tried(fc.tuple(shapes({ min: 1, max: 2 }, 40), seeds), async ([shape, seed]) => {
      const one: Case = { op, inputs: [floats(shape, seed, spread[op])], outputs: ["float32"] };
      await compare(one, { float: 3e-6 });
      await compare({ ...one, inputs: [floats(shape, seed, 0.01)] });
    }),
  );

  it("Gelu by tanh, Sqrt, Pow and Clip", () =>
    tried(fc.tuple(shapes({ min: 1, max: 3 }), seeds), async ([shape, seed]) => {
      const x = floats(shape, seed);
      const positive = tensor("float32", shape, x.data.map(Math.abs));
      const number = (value: number) => tensor("float32", [], Float32Array.of(value));
      const outputs = ["float32"] as const;
      await compare(
        { op: "Gelu", inputs: [x], attributes: { approximate: "tanh" }, outputs },
        { float: 3e-6 },
      );
      await compare({ op: "Sqrt", inputs: [positive], outputs }, { float: 0 });
      await compare({ op: "Pow", inputs: [x, number(2)], weights: [1], outputs }, { float: 0 });
      await compare(
        { op: "Clip", inputs: [x, number(-1), number(0.5)], weights: [1, 2], outputs },
        { float: 0 },
      );
      await compare({ op: "Clip", inputs: [x, undefined, number(0.5)], weights: [2], outputs }, { float: 0 });
    }));

  it("Cast between all types that graphs of taggers have", () =>
    tried(
      fc.tuple(shapes({ min: 0, max: 2 }), seeds),
      async ([shape, seed]) => {
        const codes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;
        const limits = { seed, min: 0, max: 1 };
        const given = [
          floats(shape, seed, 100),
          ...(["uint8", "int8", "int32", "int64"] as const).map((dtype) =>
            wholes(dtype, shape, { ...limits, max: 99 }),
          ),
          wholes("bool", shape, limits),
        ];
        for (const x of given)
          for (const [to, code] of Object.entries(codes)) {
            // A float below zero as an unsigned byte is not defined.
            if (x.dtype === "float32" && (to === "uint8" || to === "int8")) continue;
            await compare({ op: "Cast", inputs: [x], attributes: { to: code }, outputs: [to as DType] });
          }
      },
      6,
    ));
});
