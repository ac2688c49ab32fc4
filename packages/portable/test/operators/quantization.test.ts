import { packInt4, type Tensor, tensor } from "@nasty/core";
import fc from "fast-check";
import { describe, it } from "vitest";
import { compare, floats, seeds, shapes, sizes, tried, wholes } from "../against.js";

const number = (value: number): Tensor<"float32"> => tensor("float32", [], Float32Array.of(value));
const positive = (shape: readonly number[], seed: number): Tensor<"float32"> =>
  tensor(
    "float32",
    shape,
    floats(shape, seed).data.map((x) => Math.abs(x) / 50 + 0.001),
  );

describe("operators that quantize", () => {
  const three = ["uint8", "float32", "uint8"] as const;
  it("DynamicQuantizeLinear: a range that holds zero, and ranges of zero", async () => {
    await tried(
      fc.tuple(shapes({ min: 1, max: 3 }, 9), seeds, fc.constantFrom(0, 2, -2)),
      ([shape, seed, shift]) => {
        const x = floats(shape, seed, 1);
        const moved = tensor(
          "float32",
          shape,
          x.data.map((value) => Math.fround(value + shift)),
        );
        return compare({ op: "DynamicQuantizeLinear", inputs: [moved], outputs: three }, { float: 0 });
      },
    );
    const constants = [0, 3, -3].map((value) => tensor("float32", [5], new Float32Array(5).fill(value)));
    for (const x of constants)
      await compare({ op: "DynamicQuantizeLinear", inputs: [x], outputs: three }, { float: 0 });
  });

  it("QuantizeLinear: halves to the even number, one scale or one a channel, weights or not", () =>
    tried(fc.tuple(shapes({ min: 2, max: 3 }), seeds), async ([shape, seed]) => {
      const halves = tensor(
        "float32",
        shape,
        floats(shape, seed, 9).data.map((x) => Math.round(x * 2) / 2),
      );
      for (const dtype of ["uint8", "int8"] as const) {
        const zero = tensor(dtype, [], (dtype === "int8" ? Int8Array.of(-3) : Uint8Array.of(7)) as never);
        const one = { op: "QuantizeLinear", outputs: [dtype] };
        await compare({ ...one, inputs: [halves, number(1), zero], weights: [1, 2] });
        await compare({ ...one, inputs: [floats(shape, seed), number(0.02), zero] });
        const channels = [shape[1] as number];
        const zeros = wholes(dtype, channels, { seed, min: 0, max: 9 });
        await compare({
          ...one,
          inputs: [floats(shape, seed), positive(channels, seed), zeros],
          attributes: { axis: 1 },
        });
      }
    }));

  it("DequantizeLinear: one scale, one a channel, blocks, four bits", () =>
    tried(fc.tuple(sizes(1, 5), sizes(1, 4), seeds), async ([rows, blocks, seed]) => {
      const shape = [rows, blocks * 2];
      const x = wholes("int8", shape, { seed, min: -128, max: 127 });
      const one = { op: "DequantizeLinear", outputs: ["float32"] as const };
      await compare({ ...one, inputs: [x, number(0.1)] }, { float: 0 });
      const zeros = wholes("int8", [blocks * 2], { seed, min: -9, max: 9 });
      await compare(
        { ...one, inputs: [x, positive([blocks * 2], seed), zeros], attributes: { axis: 1 } },
        { float: 0 },
      );
      const scales = positive([rows, blocks], seed);
      await compare({ ...one, inputs: [x, scales], attributes: { axis: 1, block_size: 2 } }, { float: 0 });
      const nibbles = Int8Array.from({ length: rows * blocks * 2 }, (_, i) => ((i * 7 + seed) % 16) - 8);
      const four = tensor("int4", shape, packInt4(nibbles));
      await compare({ ...one, inputs: [four, number(0.5)], weights: [0, 1] }, { float: 0 });
    }));
});
