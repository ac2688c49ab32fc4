import { expect, test } from "vitest";
import {
  dequantizeLinear,
  parametersOf,
  perBlock,
  quantizeLinear,
  type QuantizationScheme,
  sqnrDb,
  type Tensor,
  tensor,
  toFloat32,
} from "../src/index.js";

const table = tensor(
  "float32",
  [4, 40],
  Float32Array.from({ length: 160 }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 7))),
);

const inBlocks = (x: Tensor<"float32">, scheme: QuantizationScheme, blockSize: number, axis = -1) => {
  const parameters = parametersOf(x, scheme, perBlock(axis, blockSize));
  return { parameters, data: quantizeLinear(x, parameters) };
};

test("a block has a scale and a zero point, the last one too", () => {
  const { data, parameters } = inBlocks(table, { dtype: "uint4", symmetric: false }, 16);
  expect([parameters.scale.length, parameters.zeroPoint.length]).toEqual([4 * 3, 4 * 3]);
  expect(data.data).toHaveLength(80);
  expect(sqnrDb(table.data, dequantizeLinear(data, parameters).data)).toBeGreaterThan(18);
});

test("blocks of linear quantization round half to even and divide, unlike MatMulNBits", () => {
  const x = tensor("float32", [1, 16], Float32Array.from([7, 0.5, 1.5, 2.5, -0.5, -7, ...Array(10).fill(0)]));
  const { data, parameters } = inBlocks(x, { dtype: "int4", symmetric: true }, 16);
  expect([...parameters.scale]).toEqual([1]);
  expect([...toFloat32(data)].slice(0, 6)).toEqual([7, 0, 2, 2, 0, -7]);
});

const sqnrAt = (blockSize: number) => {
  const { data, parameters } = inBlocks(table, { dtype: "int4", symmetric: true }, blockSize, 1);
  return sqnrDb(table.data, dequantizeLinear(data, parameters).data);
};

test("smaller blocks are more exact", () => {
  expect(sqnrAt(16)).toBeGreaterThan(sqnrAt(64));
});

test("uint8 is stored unpacked", () => {
  const { data, parameters } = inBlocks(table, { dtype: "uint8", symmetric: true }, 16, 0);
  expect(data.data).toHaveLength(160);
  expect([...new Set(parameters.zeroPoint)]).toEqual([128]);
});
