import { expect, test } from "vitest";
import { dequantizeBlocks, quantizeBlocks, sqnrDb, tensor, toFloat32 } from "../src/index.js";
import { caught } from "./caught.js";

const table = tensor(
  "float32",
  [4, 40],
  Float32Array.from({ length: 160 }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 7))),
);

test("scales and zero points have the shape of the blocks", () => {
  const q = quantizeBlocks(table, { dtype: "uint4", symmetric: false, blockSize: 16 });
  expect(q.scales.shape).toEqual([4, 3]);
  expect(q.zeroPoints).toMatchObject({ dtype: "uint4", shape: [4, 3] });
  expect([...toFloat32(q.zeroPoints)]).toEqual([...q.parameters.zeroPoint]);
  expect(q.data.data).toHaveLength(80);
  expect(sqnrDb(table.data, dequantizeBlocks(q).data)).toBeGreaterThan(18);
});

test("rounds half to even and divides, unlike MatMulNBits", () => {
  const x = tensor("float32", [1, 16], Float32Array.from([7, 0.5, 1.5, 2.5, -0.5, -7, ...Array(10).fill(0)]));
  const q = quantizeBlocks(x, { dtype: "int4", symmetric: true, blockSize: 16 });
  expect([...q.scales.data]).toEqual([1]);
  expect([...toFloat32(q.data)].slice(0, 6)).toEqual([7, 0, 2, 2, 0, -7]);
});

const sqnrAt = (blockSize: number) => {
  const q = quantizeBlocks(table, { dtype: "int4", symmetric: true, blockSize, axis: 1 });
  return sqnrDb(table.data, dequantizeBlocks(q).data);
};

test("smaller blocks are more exact", () => {
  expect(sqnrAt(16)).toBeGreaterThan(sqnrAt(64));
});

test("uint8 is stored unpacked", () => {
  const q = quantizeBlocks(table, { dtype: "uint8", symmetric: true, blockSize: 16, axis: 0 });
  expect(q.data.data).toHaveLength(160);
  expect([...new Set(q.zeroPoints.data)]).toEqual([128]);
});

test("a block that is no power of two is refused", () => {
  expect(
    caught(() => quantizeBlocks(table, { dtype: "int4", symmetric: true, blockSize: 20 })),
  ).toMatchObject({
    code: "block-size",
    message: "quantizeBlocks: block size: value: expected a power of two of at least 16, got 20",
  });
});
