import { floatAttribute, intAttribute } from "@nasty/formats/onnx";
import { unbroadcast } from "../broadcast.js";
import type { Dimensions, GradientContext, GradientRule } from "../rule.js";

/**
 * Y = A·B over the last two dimensions, the others broadcast: dA = dY·Bᵀ, dB = Aᵀ·dY.
 *
 * With a matrix B (a layer's weight) the rows of all batches make one large product instead of a sum of small ones.
 */
const matMul: GradientRule = (c) => {
  const { writer } = c;
  const [a, b] = [c.input(0), c.input(1)];
  const [rankA, rankB] = [c.rank(a), c.rank(b)];
  if (rankA === 1 || rankB === 1) return vectorMatMul(c, rankA, rankB);
  const dy = c.gradientOrZeros(0);
  const dA = (): string => {
    const full = writer.matmul(dy, b, { transB: true });
    return rankA === 2 && rankB === 2 ? full : sumBatches(c, full, a);
  };
  const dB = (): string => {
    if (rankB === 2 && rankA > 2) {
      const rows = (name: string): string =>
        writer.op("Reshape", [name, lastDimensionKept(c, name === dy ? c.output(0) : name)]);
      return writer.matmul(rows(a), rows(dy), { transA: true });
    }
    const full = writer.matmul(a, dy, { transA: true });
    return rankA === 2 && rankB === 2 ? full : sumBatches(c, full, b);
  };
  return [c.needs(0) ? dA() : undefined, c.needs(1) ? dB() : undefined];
};

/** The shape [-1, last] for a reshape into rows. */
function lastDimensionKept({ writer, dimensions }: GradientContext, name: string): string {
  const last = dimensions(name)?.at(-1);
  if (typeof last === "number") return writer.ints([-1, last]);
  return writer.op("Concat", [writer.ints([-1]), writer.dimension(name, -1)], { axis: 0 });
}

/** Sums a product over the batch dimensions along which `operand` was broadcast; its own last two stay. */
function sumBatches(c: GradientContext, gradient: string, operand: string): string {
  const batches = (name: string): Dimensions => [
    ...(c.dimensions(name) ?? []).slice(0, -2),
    "rows",
    "columns",
  ];
  return unbroadcast(c, gradient, { operand, from: batches(c.output(0)), to: batches(operand) });
}

/** A vector operand counts as a matrix with one row (A) or one column (B) whose dimension is dropped from Y. */
function vectorMatMul(c: GradientContext, rankA: number, rankB: number): readonly (string | undefined)[] {
  const { writer } = c;
  const unsqueeze = (name: string, axes: readonly number[]): string =>
    writer.op("Unsqueeze", [name, writer.ints(axes)]);
  const like = (name: string, of: string): string => writer.op("Reshape", [name, writer.shape(of)]);
  let dy = c.gradientOrZeros(0);
  if (rankB === 1) dy = unsqueeze(dy, [-1]);
  if (rankA === 1) dy = unsqueeze(dy, [-2]);
  const a = rankA === 1 ? unsqueeze(c.input(0), [0]) : c.input(0);
  const b = rankB === 1 ? unsqueeze(c.input(1), [1]) : c.input(1);
  const sumLeading = (name: string, rank: number): string =>
    rank <= 2
      ? name
      : writer.op("ReduceSum", [name, writer.ints(Array.from({ length: rank - 2 }, (_, i) => i))], {
          keepdims: 0,
        });
  const rank = Math.max(rankA, rankB);
  const dA = (): string => {
    const full = writer.matmul(dy, b, { transB: true });
    return like(rankA === 1 ? sumLeading(full, rank) : full, c.input(0));
  };
  const dB = (): string => {
    const full = writer.matmul(a, dy, { transA: true });
    return like(rankB === 1 ? sumLeading(full, rank) : full, c.input(1));
  };
  return [c.needs(0) ? dA() : undefined, c.needs(1) ? dB() : undefined];
}

/** Y = α·op(A)·op(B) + β·C. */
const gemm: GradientRule = (c) => {
  const { writer, node } = c;
  const transA = intAttribute(node, "transA", 0) !== 0;
  const transB = intAttribute(node, "transB", 0) !== 0;
  const alpha = floatAttribute(node, "alpha", 1);
  const beta = floatAttribute(node, "beta", 1);
  const dy = c.gradientOrZeros(0);
  const [a, b] = [c.input(0), c.input(1)];
  const dA = (): string =>
    transA
      ? writer.matmul(b, dy, { transA: transB, transB: true, alpha })
      : writer.matmul(dy, b, { transB: !transB, alpha });
  const dB = (): string =>
    transB
      ? writer.matmul(dy, a, { transA: true, transB: transA, alpha })
      : writer.matmul(a, dy, { transA: !transA, alpha });
  const dC = (): string => {
    const scaled = beta === 1 ? dy : writer.op("Mul", [dy, writer.scalar(beta)]);
    return unbroadcast(c, scaled, { operand: c.input(2), from: c.dimensions(c.output(0)) });
  };
  return [c.needs(0) ? dA() : undefined, c.needs(1) ? dB() : undefined, c.needs(2) ? dC() : undefined];
};

export const matrixRules: Readonly<Record<string, GradientRule>> = { MatMul: matMul, Gemm: gemm };
