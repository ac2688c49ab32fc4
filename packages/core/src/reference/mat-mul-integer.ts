import { CoreError } from "../core-error.js";
import { elementCount, type Tensor } from "../tensor.js";
import { broadcast, checkBroadcast } from "./quantized-operand.js";

/** Zero points of {@link matMulInteger}; 0 where left out. */
export interface MatMulZeroPoints {
  /** One, or one for each row of A over all batches. */
  readonly a?: ArrayLike<number>;
  /** One, or one for each column of B (over all batches of B). */
  readonly b?: ArrayLike<number>;
}

interface Operand {
  readonly batch: readonly number[];
  readonly rows: number;
  readonly columns: number;
}

function operands(
  a: readonly number[],
  b: readonly number[],
): readonly [Operand, Operand, readonly number[]] {
  if (a.length === 0 || b.length === 0) {
    throw new CoreError(
      "shape",
      `matMulInteger: operands: rank: expected at least 1, got ${a.length} and ${b.length}`,
    );
  }
  // As in numpy.matmul: a vector is a row on the left and a column on the right, and its added axis disappears.
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const [rows, K] = left.slice(-2) as [number, number];
  const [rightRows, columns] = right.slice(-2) as [number, number];
  if (K !== rightRows) {
    throw new CoreError(
      "shape",
      `matMulInteger: [${a.join(", ")}] x [${b.join(", ")}]: inner size: expected ${K}, got ${rightRows}`,
    );
  }
  const batch = broadcastShape(left.slice(0, -2), right.slice(0, -2), a, b);
  const shape = [...batch, ...(a.length === 1 ? [] : [rows]), ...(b.length === 1 ? [] : [columns])];
  return [
    { batch: left.slice(0, -2), rows, columns: K },
    { batch: right.slice(0, -2), rows: K, columns },
    shape,
  ];
}

function broadcastShape(
  left: readonly number[],
  right: readonly number[],
  a: readonly number[],
  b: readonly number[],
): readonly number[] {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = left[i - rank + left.length] ?? 1;
    const y = right[i - rank + right.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new CoreError(
        "shape",
        `matMulInteger: [${a.join(", ")}] x [${b.join(", ")}]: batch dimension: expected ${x} or 1, got ${y}`,
      );
    }
    return x === 1 ? y : x;
  });
}

/** Which matrix of an operand serves batch entry `index` of the broadcast shape. */
function batchIndex(index: number, shape: readonly number[], operand: readonly number[]): number {
  let rest = index;
  let at = 0;
  let stride = 1;
  for (let i = shape.length - 1, j = operand.length - 1; i >= 0; i--, j--) {
    const position = rest % (shape[i] as number);
    rest = Math.floor(rest / (shape[i] as number));
    if (j < 0) continue;
    if (operand[j] !== 1) at += position * stride;
    stride *= operand[j] as number;
  }
  return at;
}

/**
 * Matrix product of 8-bit integers: `Y = (A − a0) · (B − b0)` in int32.
 *
 * Plain loops for checking kernels, not for speed. Broadcasts batches as numpy.matmul does; sums wrap at 32 bits.
 *
 * @param a int8 or uint8 [..., M, K].
 * @param b int8 or uint8 [..., K, N].
 * @param zeroPoints of a (one or one a row) and b (one or one a column).
 * @returns int32 [..., M, N].
 * @throws CoreError `shape` when sizes do not fit, `length` for zero points of another number.
 * Source: ONNX 1.22, MatMulInteger-10.
 */
export function matMulInteger(
  a: Tensor<"int8" | "uint8">,
  b: Tensor<"int8" | "uint8">,
  zeroPoints: MatMulZeroPoints = {},
): Tensor<"int32"> {
  const [left, right, shape] = operands(a.shape, b.shape);
  const { rows: M, columns: K } = left;
  const N = right.columns;
  const batch = broadcastShape(left.batch, right.batch, a.shape, b.shape);
  const zeroA = zeroPoints.a ?? [0];
  const zeroB = zeroPoints.b ?? [0];
  const rowsOfA = elementCount(left.batch) * M;
  const columnsOfB = elementCount(right.batch) * N;
  if (zeroA.length !== M) checkBroadcast("matMulInteger", "zero point of A", zeroA.length, rowsOfA);
  if (zeroB.length !== N) checkBroadcast("matMulInteger", "zero point of B", zeroB.length, columnsOfB);
  const out = new Int32Array(elementCount(batch) * M * N);
  for (let i = 0, at = 0; i < elementCount(batch); i++) {
    const matrixA = batchIndex(i, batch, left.batch);
    const matrixB = batchIndex(i, batch, right.batch);
    for (let m = 0; m < M; m++) {
      const a0 = broadcast(zeroA, zeroA.length === M ? m : matrixA * M + m);
      for (let n = 0; n < N; n++, at++) {
        const b0 = broadcast(zeroB, zeroB.length === N ? n : matrixB * N + n);
        let sum = 0;
        for (let k = 0; k < K; k++) {
          const x = (a.data[(matrixA * M + m) * K + k] as number) - a0;
          const y = (b.data[(matrixB * K + k) * N + n] as number) - b0;
          sum = (sum + x * y) | 0;
        }
        out[at] = sum;
      }
    }
  }
  return { dtype: "int32", shape, data: out };
}
