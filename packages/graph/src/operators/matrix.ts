import { broadcastShapes, type Dim } from "../inference/dims.js";
import type { InferRule, RuleContext } from "../inference/rule.js";
import { operator, type OperatorSchema } from "./schema.js";

/** Shape of a product of matrices; vectors are rows on the left and columns on the right. */
export const productShape = (
  a: readonly Dim[] | undefined,
  b: readonly Dim[] | undefined,
): readonly Dim[] | undefined => {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
  const batch = broadcastShapes([a.slice(0, -2), b.slice(0, -2)]);
  if (batch === undefined) return undefined;
  return [...batch, ...(a.length > 1 ? [a.at(-2)] : []), ...(b.length > 1 ? [b.at(-1)] : [])];
};

const matMulShape = (c: RuleContext, a: number, b: number): readonly Dim[] | undefined =>
  productShape(c.shape(a), c.shape(b));

const swapped = (shape: readonly Dim[] | undefined, swap: boolean): readonly Dim[] | undefined =>
  swap && shape !== undefined && shape.length > 1
    ? [...shape.slice(0, -2), shape.at(-1), shape.at(-2)]
    : shape;

const gemm: InferRule = (c) => {
  const a = swapped(c.shape(0), c.int("transA", 0) !== 0);
  const b = swapped(c.shape(1), c.int("transB", 0) !== 0);
  return [{ dtype: c.dtype(0) ?? c.dtype(1), shape: [a?.[0], b?.[1]] }];
};

const fusedMatMul: InferRule = (c) => [
  {
    dtype: c.dtype(0),
    shape: productShape(
      swapped(c.shape(0), c.int("transA", 0) !== 0),
      swapped(c.shape(1), c.int("transB", 0) !== 0),
    ),
  },
];

/** The weight's columns are an attribute; rows of the input stay. */
const blockedMatMul: InferRule = (c) => {
  const a = c.shape(0);
  return [{ dtype: c.dtype(0), shape: a && [...a.slice(0, -1), c.int("N")] }];
};

const einsum: InferRule = (c) => {
  const dtype = c.dtype(0);
  const equation = c.string("equation", "").replaceAll(" ", "");
  if (equation.includes("...") || equation === "") return [{ dtype }];
  const [left = "", right] = equation.split("->");
  const dims = new Map<string, Dim>();
  const counts = new Map<string, number>();
  for (const [index, term] of left.split(",").entries()) {
    const shape = c.shape(index);
    for (const [axis, letter] of [...term].entries()) {
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
      const dim = shape?.[axis];
      if (typeof dims.get(letter) !== "number" && dim !== undefined) dims.set(letter, dim);
    }
  }
  const output =
    right ??
    [...counts]
      .filter(([, count]) => count === 1)
      .map(([letter]) => letter)
      .sort()
      .join("");
  return [{ dtype, shape: [...output].map((letter) => dims.get(letter)) }];
};

/** Products of matrices. */
export const matrix: Readonly<Record<string, OperatorSchema>> = {
  MatMul: operator(2, 1, (c) => [{ dtype: c.dtype(0) ?? c.dtype(1), shape: matMulShape(c, 0, 1) }]),
  Gemm: operator([2, 3], 1, gemm),
  MatMulInteger: operator([2, 4], 1, (c) => [{ dtype: "int32", shape: matMulShape(c, 0, 1) }], {
    quantization: [2, 3],
  }),
  QLinearMatMul: operator(8, 1, (c) => [{ dtype: c.dtype(7), shape: matMulShape(c, 0, 3) }], {
    quantization: [1, 2, 4, 5, 6, 7],
  }),
  Einsum: operator([1, Number.POSITIVE_INFINITY], 1, einsum),
  Det: operator(1, 1, (c) => [{ dtype: c.dtype(0), shape: c.shape(0)?.slice(0, -2) }]),
};

export const microsoftMatrix: Readonly<Record<string, OperatorSchema>> = {
  FusedMatMul: operator(2, 1, fusedMatMul),
  FusedGemm: operator([2, 3], 1, gemm),
  MatMulNBits: operator([3, 6], 1, blockedMatMul, { quantization: [2, 3, 4] }),
  MatMulBnb4: operator(3, 1, blockedMatMul, { quantization: [2] }),
  MatMulInteger16: operator(2, 1, (c) => [{ dtype: "int32", shape: matMulShape(c, 0, 1) }]),
  MatMulIntegerToFloat: operator([4, 7], 1, (c) => [{ dtype: c.dtype(2), shape: matMulShape(c, 0, 1) }], {
    quantization: [2, 3, 4, 5],
  }),
  DynamicQuantizeMatMul: operator([3, 5], 1, (c) => [{ dtype: c.dtype(0), shape: matMulShape(c, 0, 1) }], {
    quantization: [2, 3],
  }),
  QGemm: operator([6, 9], 1, (c) => [{ dtype: c.has(8) ? c.dtype(8) : "float32", shape: gemmOf(c, 0, 3) }], {
    quantization: [1, 2, 4, 5, 7, 8],
  }),
};

const gemmOf = (c: RuleContext, left: number, right: number): readonly Dim[] => {
  const a = swapped(c.shape(left), c.int("transA", 0) !== 0);
  const b = swapped(c.shape(right), c.int("transB", 0) !== 0);
  return [a?.[0], b?.[1]];
};
