import { quantizeMatMulNBits, type Tensor, tensor } from "@nasty/core";
import fc from "fast-check";
import { describe, it } from "vitest";
import { compare, floats, seeds, shapes, sizes, tried, wholes } from "../against.js";

const outputs = ["float32"] as const;
const matrices = fc.tuple(sizes(1, 9), sizes(1, 40), sizes(1, 40), seeds);

describe("products", () => {
  it("MatMul with weights, and of values that broadcast", async () => {
    await tried(matrices, ([rows, depth, columns, seed]) =>
      compare(
        {
          op: "MatMul",
          inputs: [floats([2, rows, depth], seed), floats([depth, columns], seed + 1)],
          weights: [1],
          outputs,
        },
        { float: 1e-5 },
      ),
    );
    await tried(fc.tuple(matrices, shapes({ min: 0, max: 2 }, 3)), ([[rows, depth, columns, seed], batch]) =>
      compare(
        {
          op: "MatMul",
          inputs: [
            floats([...batch, rows, depth], seed),
            floats([...batch.slice(1), depth, columns], seed + 1),
          ],
          outputs,
        },
        { float: 1e-5 },
      ),
    );
  });

  it("MatMul of vectors", () =>
    tried(
      matrices,
      async ([, depth, columns, seed]) => {
        await compare(
          { op: "MatMul", inputs: [floats([depth], seed), floats([depth, columns], 2)], outputs },
          { float: 1e-5 },
        );
        await compare(
          { op: "MatMul", inputs: [floats([columns, depth], seed), floats([depth], 2)], outputs },
          { float: 1e-5 },
        );
        await compare(
          { op: "MatMul", inputs: [floats([depth], seed), floats([depth], 2)], outputs },
          { float: 1e-5 },
        );
      },
      8,
    ));

  it("Gemm with and without bias, turned or not", () =>
    tried(matrices, async ([rows, depth, columns, seed]) => {
      const a = floats([rows, depth], seed);
      const bias = floats([columns], seed + 2);
      const plain = { op: "Gemm", weights: [1, 2], outputs };
      await compare({ ...plain, inputs: [a, floats([depth, columns], seed + 1), bias] }, { float: 1e-5 });
      const attributes = { transB: 1, alpha: 0.5 };
      await compare(
        { ...plain, inputs: [a, floats([columns, depth], seed + 1)], attributes },
        { float: 1e-5 },
      );
    }));

  it("MatMulInteger is exact: both signs, zero points a column, odd sizes, weights or not", () =>
    tried(matrices, async ([rows, depth, columns, seed]) => {
      const a = wholes("uint8", [rows, depth], { seed, min: 0, max: 255 });
      const zero = wholes("uint8", [], { seed, min: 0, max: 255 });
      const b = wholes("int8", [depth, columns], { seed: seed + 1, min: -64, max: 63 });
      const one = { op: "MatMulInteger", outputs: ["int32"] as const };
      await compare({ ...one, inputs: [a, b, zero], weights: [1] });
      await compare({ ...one, inputs: [a, b, zero] });
      const bZero = wholes("int8", [columns], { seed, min: -60, max: 60 });
      await compare({ ...one, inputs: [a, b, zero, bZero], weights: [1, 3] });
    }));

  it("DynamicQuantizeMatMul quantizes as the runtime does", () =>
    tried(matrices, ([rows, depth, columns, seed]) => {
      const scale = tensor(
        "float32",
        [columns],
        floats([columns], seed).data.map((x) => Math.abs(x) / 99 + 0.001),
      );
      return compare(
        {
          op: "DynamicQuantizeMatMul",
          domain: "com.microsoft",
          inputs: [
            floats([rows, depth], seed),
            wholes("int8", [depth, columns], { seed: seed + 1, min: -64, max: 63 }),
            scale,
            undefined,
            floats([columns], seed + 2),
          ],
          weights: [1, 2, 4],
          outputs,
        },
        { float: 1e-5 },
      );
    }));

  const blocks = fc.tuple(sizes(1, 6), sizes(3, 70), sizes(1, 20), seeds, fc.constantFrom(16, 32, 64));
  it.each([4, 8] as const)("MatMulNBits of %i bits", (bits) =>
    tried(
      blocks,
      async ([rows, depth, columns, seed, blockSize]) => {
        for (const symmetric of [true, false]) {
          const weight = quantizeMatMulNBits(floats([depth, columns], seed), { blockSize, symmetric, bits });
          const inputs: (Tensor | undefined)[] = [
            floats([rows, depth], seed + 1),
            weight.B,
            weight.scales,
            ...(weight.zeroPoints === undefined ? [] : [weight.zeroPoints]),
          ];
          const attributes = { K: depth, N: columns, bits, block_size: blockSize };
          const one = { op: "MatMulNBits", domain: "com.microsoft", inputs, weights: [1, 2, 3], outputs };
          await compare({ ...one, attributes }, { float: 2e-4 });
          await compare({ ...one, attributes: { ...attributes, accuracy_level: 4 } }, { float: 0.3 });
        }
      },
      12,
    ),
  );

  it("GatherBlockQuantized makes floats of the rows that are looked up", () =>
    tried(
      fc.tuple(sizes(1, 9), sizes(1, 4), seeds, shapes({ min: 1, max: 2 })),
      ([rows, blockCount, seed, places]) => {
        const width = blockCount * 16;
        return compare(
          {
            op: "GatherBlockQuantized",
            domain: "com.microsoft",
            inputs: [
              wholes("uint8", [rows, width / 2], { seed, min: 0, max: 255 }),
              wholes("int64", places, { seed, min: 0, max: rows - 1 }),
              floats([rows, blockCount], seed + 1),
            ],
            weights: [0, 2],
            attributes: { bits: 4, block_size: 16, gather_axis: 0, quantize_axis: 1 },
            outputs,
          },
          { float: 0 },
        );
      },
    ));

  it("Conv over one dimension: strides, dilations, groups, pads", () =>
    tried(
      fc.record({
        batch: sizes(1, 3),
        channels: sizes(1, 3),
        filters: sizes(1, 5),
        length: sizes(6, 12),
        kernel: sizes(1, 4),
        stride: sizes(1, 3),
        dilation: sizes(1, 2),
        groups: sizes(1, 2),
        pads: fc.tuple(sizes(0, 3), sizes(0, 3)),
        seed: seeds,
      }),
      async ({ batch, channels, filters, length, kernel, stride, dilation, groups, pads, seed }) => {
        const inputs = [
          floats([batch, channels * groups, length], seed),
          floats([filters * groups, channels, kernel], seed + 1),
          floats([filters * groups], seed + 2),
        ];
        const attributes = { strides: [stride], dilations: [dilation], group: groups };
        const one = { op: "Conv", inputs, weights: [1, 2], outputs };
        await compare({ ...one, attributes: { ...attributes, pads } }, { float: 1e-5 });
        if (dilation === 1)
          for (const auto_pad of ["SAME_UPPER", "SAME_LOWER", "VALID"])
            await compare({ ...one, attributes: { ...attributes, auto_pad } }, { float: 1e-5 });
      },
    ));
});
