import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addDims,
  broadcastShapes,
  type Dim,
  divideDims,
  multiplyDims,
  subtractDims,
} from "../../src/inference/dims.js";

const values: Readonly<Record<string, number>> = { batch: 3, n: 5, past: 7 };

/** A dimension as the number it is for these symbols. */
const evaluate = (dim: Dim): number => {
  if (typeof dim === "number") return dim;
  if (dim === undefined) throw new Error("unknown");
  const names = Object.keys(values);
  return Function(...names, `return ${dim}`)(...names.map((name) => values[name])) as number;
};

const dim = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom("batch", "n", "past"));
const expression = fc.array(fc.tuple(fc.constantFrom("+", "-", "*"), dim), { minLength: 1, maxLength: 5 });

describe("symbolic dimensions", () => {
  it("compute what their symbols do", () => {
    fc.assert(
      fc.property(expression, (steps) => {
        let symbolic: Dim = 1;
        let number = 1;
        for (const [operator, operand] of steps) {
          const value = evaluate(operand);
          if (operator === "+") [symbolic, number] = [addDims(symbolic, operand), number + value];
          else if (operator === "-") [symbolic, number] = [subtractDims(symbolic, operand), number - value];
          else [symbolic, number] = [multiplyDims(symbolic, operand), number * value];
        }
        // Adding 0 makes one of the two zeros.
        expect(evaluate(symbolic) + 0).toBe(number + 0);
      }),
    );
  });

  it("divide only where the quotient is exact", () => {
    expect(divideDims(multiplyDims("n", 12), multiplyDims(4, "n"))).toBe(3);
    expect(divideDims(multiplyDims("n", "batch"), "n")).toBe("batch");
    expect(divideDims("n", 2)).toBeUndefined();
    expect(divideDims("n", "batch")).toBeUndefined();
    expect(divideDims("n", 0)).toBeUndefined();
    expect(divideDims(7, 2)).toBeUndefined();
  });

  it("are spelled one way", () => {
    expect(multiplyDims("n", multiplyDims(2, "batch"))).toBe(multiplyDims(multiplyDims("batch", "n"), 2));
    expect(multiplyDims(2, "n")).toBe("2*n");
    expect(addDims(addDims("n", 1), 2)).toBe("(n + 3)");
    expect(subtractDims(addDims("n", 1), 1)).toBe("n");
    expect(subtractDims("n", "n")).toBe(0);
  });

  it("leave an exporter's own expressions whole", () => {
    expect(multiplyDims("past_length + n", 1)).toBe("past_length + n");
    expect(divideDims(multiplyDims("past_length + n", 8), "past_length + n")).toBe(8);
  });

  it("broadcast as ONNX does", () => {
    expect(broadcastShapes([["n", 1], [4]])).toEqual(["n", 4]);
    expect(broadcastShapes([["n"], [4]])).toEqual([4]);
    expect(broadcastShapes([["n"], ["batch"]])).toEqual([undefined]);
    expect(broadcastShapes([[2], undefined])).toBeUndefined();
  });
});
