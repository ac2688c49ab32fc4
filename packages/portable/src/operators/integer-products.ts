import { elementCount, matMulInteger, type Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import { parameterBytes } from "../kernels/quantize.js";
import { productMode } from "../kernels/tile.js";
import type { BuiltNode, OpenNode, Operator } from "../plan/operator.js";
import { type Planner, sizeOf } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import { checked, checkType, constant, input, integersOf, onlyAttributes, weightOf } from "./checks.js";
import { onHost } from "./on-host.js";
import { centredMatrix, columnFloats, type IntegerWeights, packIntegers } from "./packing.js";
import { broadcastShape } from "./shapes.js";

/** Bytes of a row of quantized values: whole vectors of 16-bit integers. */
export const centredStride = (columns: number): number => Math.max(1, Math.ceil(columns / 8)) * 16;

/** Whether a product takes its first input less the zero point that its third is: one with weights that are packed. */
export const takesCentred = (
  { domain, opType, input: [, weight = "", , zero = ""] }: NodeProto,
  constantOf: (name: string) => Tensor | undefined,
): boolean =>
  (opType === "IntegerProduct" && domain === "nasty") ||
  (opType === "MatMulInteger" &&
    (domain === "" || domain === "ai.onnx") &&
    constantOf(weight)?.shape.length === 2 &&
    (zero === "" || constantOf(zero) !== undefined));

/** Rows and depth of the left operand. */
const rowsOf = (a: Value, { depth }: IntegerWeights): number => {
  if (a.shape.at(-1) !== depth)
    throw new RangeError(`input 0: last size: expected ${depth}, got [${a.shape.join(", ")}]`);
  return elementCount(a.shape.slice(0, -1));
};

/** The left operand as 16-bit integers less its zero point. */
const centredRows = (
  planner: Planner,
  a: Value,
  zero: Value | undefined,
  rows: number,
): { at: number; stride: number } => {
  const columns = a.shape.at(-1) as number;
  if (a.centred !== undefined) return { at: planner.address(a), stride: a.centred };
  const stride = centredStride(columns);
  const to = planner.scratch(rows * stride);
  const from = planner.address(a);
  const zeroAt = zero === undefined ? undefined : planner.address(zero);
  const { heap } = planner;
  const isSigned = a.dtype === "int8";
  const widen = isSigned ? planner.kernels.widenSigned : planner.kernels.widen;
  planner.step(() => {
    const byte = zeroAt === undefined ? 0 : (heap.u8[zeroAt] as number);
    widen(from, rows, columns, isSigned ? (byte << 24) >> 24 : byte, to, stride);
  });
  return { at: to, stride };
};

interface ProductStep {
  readonly left: { readonly at: number; readonly stride: number };
  readonly weights: IntegerWeights;
  readonly rows: number;
  readonly to: number;
  /** Address of the left operand's scale, and of those of the columns. */
  readonly scales?: { readonly left: number; readonly columns: number } | undefined;
  readonly bias?: number | undefined;
}

/** Exact integer sums, or floats where scales are given. */
export const productStep = (
  planner: Planner,
  { left, weights, rows, to, scales, bias = 0 }: ProductStep,
): void => {
  const kernel = weights.weights === "int8" ? planner.kernels.integerProduct : planner.kernels.wideProduct;
  const { columns, pairs, at } = weights;
  if (scales === undefined) {
    planner.step(() =>
      kernel(left.at, left.stride, at, pairs, rows, columns, to, columns * 4, 1, 0, 0, productMode.raw),
    );
    return;
  }
  const mode = bias === 0 ? productMode.scaled : productMode.biased;
  const { heap } = planner;
  planner.step(() => {
    const scale = heap.f32[scales.left / 4] as number;
    kernel(
      left.at,
      left.stride,
      at,
      pairs,
      rows,
      columns,
      to,
      columns * 4,
      scale,
      scales.columns,
      bias,
      mode,
    );
  });
};

const checkOperands = (open: OpenNode): void => {
  checkType(open, 0, ["uint8", "int8"]);
  checkType(open, 1, ["uint8", "int8"]);
  const a = input(open, 0);
  checkType(open, 2, [a.dtype]);
  checkType(open, 3, [input(open, 1).dtype]);
};

/** Products of what core computes: of operands that are no weight. */
const unpackedProduct = (open: OpenNode): BuiltNode => {
  for (const index of [0, 1]) input(open, index);
  return onHost(
    ["int32"],
    ([a, b, aZero, bZero]) => [
      matMulInteger(a as Tensor<"uint8">, b as Tensor<"uint8">, {
        ...(aZero !== undefined && { a: integersOf(aZero) }),
        ...(bZero !== undefined && { b: integersOf(bZero) }),
      }),
    ],
    ([a, b]) => {
      const [left, right] = [(a as Value).shape, (b as Value).shape];
      if (left.length < 2 || right.length < 2) throw new RangeError("inputs: rank: expected at least 2");
      return [
        [
          ...broadcastShape([left.slice(0, -2), right.slice(0, -2)]),
          left.at(-2) as number,
          right.at(-1) as number,
        ],
      ];
    },
  );
};

/** A zero point a row of the left operand is for core alone. */
const hasOneZeroPoint = (open: OpenNode): boolean => {
  const zero = open.inputs[2];
  return zero === undefined || zero.constant === undefined || elementCount(zero.constant.shape) === 1;
};

const matMulIntegerNode: Operator = (open) => {
  onlyAttributes(open, []);
  checkOperands(open);
  const weight = open.inputs[1]?.constant;
  const zeroPoint = open.inputs[3]?.constant;
  const isPacked =
    weight?.shape.length === 2 &&
    (open.inputs[3] === undefined || zeroPoint !== undefined) &&
    hasOneZeroPoint(open) &&
    open.inputs[0]?.constant === undefined;
  if (!isPacked || weight === undefined) return unpackedProduct(open);
  const weights = packIntegers(open.heap, centredMatrix(weight, zeroPoint));
  return {
    outputs: ["int32"],
    packed: [1, 3],
    plan(planner, [a, , zero]) {
      const rows = rowsOf(a as Value, weights);
      const result = planner.result("int32", [...(a as Value).shape.slice(0, -1), weights.columns]);
      const left = centredRows(planner, a as Value, zero, rows);
      productStep(planner, { left, weights, rows, to: result.at });
      return [result];
    },
  };
};

/**
 * What `fuse` makes of a MatMulInteger with what turns its sums to floats: a (8 bits), weight, zero point of a, zero
 * point of the weight, scale of a, scale of the weight, bias.
 */
const integerProduct: Operator = (open) => {
  checkOperands(open);
  const weight = weightOf(open, 1);
  const weights = packIntegers(open.heap, centredMatrix(weight, constant(open, 3)));
  const scale = weightOf(open, 5);
  const bias = constant(open, 6);
  const scales = columnFloats(open.heap, scale, weights.columns);
  const offset = bias === undefined ? 0 : columnFloats(open.heap, bias, weights.columns);
  return {
    outputs: ["float32"],
    packed: [1, 3, 5, 6],
    plan(planner, [a, , zero, , leftScale]) {
      const rows = rowsOf(a as Value, weights);
      const result = planner.result("float32", [...(a as Value).shape.slice(0, -1), weights.columns]);
      const left = centredRows(planner, a as Value, zero, rows);
      const leftAt = planner.address(leftScale as Value);
      productStep(planner, {
        left,
        weights,
        rows,
        to: result.at,
        scales: { left: leftAt, columns: scales },
        bias: offset,
      });
      return [result];
    },
  };
};

/** Quantizes a float32 value over its whole range, for the products of a node. */
export const quantizedRows = (
  planner: Planner,
  x: Value,
  rows: number,
): { readonly at: number; readonly stride: number; readonly parameters: number } => {
  const columns = x.shape.at(-1) as number;
  const stride = centredStride(columns);
  const parameters = planner.scratch(parameterBytes.size);
  const at = planner.scratch(rows * stride);
  const [from, count] = [planner.address(x), sizeOf(x)];
  const { range, centre } = planner.kernels;
  planner.step(() => {
    range(from, count, parameters);
    centre(from, rows, columns, parameters, at, stride);
  });
  return { at, stride, parameters };
};

/** com.microsoft: A, B, scale of B, zero point of B, bias. */
const dynamicQuantizeMatMul: Operator = (open) => {
  onlyAttributes(open, []);
  checkType(open, 0, ["float32"]);
  checkType(open, 1, ["uint8", "int8"]);
  checkType(open, 2, ["float32"]);
  checkType(open, 4, ["float32"]);
  input(open, 0);
  const weights = packIntegers(open.heap, centredMatrix(weightOf(open, 1), constant(open, 3)));
  checked(open.inputs[2] !== undefined, "input 2: expected the scale of the weight");
  const scales = columnFloats(open.heap, weightOf(open, 2), weights.columns);
  const bias = constant(open, 4);
  const offset = bias === undefined ? 0 : columnFloats(open.heap, bias, weights.columns);
  return {
    outputs: ["float32"],
    packed: [1, 2, 3, 4],
    plan(planner, [a]) {
      const x = a as Value;
      const rows = rowsOf(x, weights);
      const result = planner.result("float32", [...x.shape.slice(0, -1), weights.columns]);
      const left = quantizedRows(planner, x, rows);
      const left0 = left.parameters + parameterBytes.scale;
      productStep(planner, {
        left,
        weights,
        rows,
        to: result.at,
        scales: { left: left0, columns: scales },
        bias: offset,
      });
      return [result];
    },
  };
};

export const integerProductOperators: Readonly<Record<string, Operator>> = {
  MatMulInteger: matMulIntegerNode,
  "nasty.IntegerProduct": integerProduct,
  "com.microsoft.DynamicQuantizeMatMul": dynamicQuantizeMatMul,
};
