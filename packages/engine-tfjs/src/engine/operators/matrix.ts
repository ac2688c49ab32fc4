import { floatAttribute, intAttribute } from "@nasty/formats/onnx";
import type { TensorFlow, TfTensor } from "../tensorflow.js";
import { type Operator, type OperatorContext, type Save, sequence } from "./context.js";
import { broadcastShape, broadcastTo } from "./elementwise.js";

/**
 * A · B of matrices or of batches of them of equal count.
 *
 * On WebAssembly the gradients' transposed operands are copied into place first: its kernel multiplies them where they
 * lie at a twentieth of the speed or less.
 *
 * @param transposedB Bᵀ, where it is at hand and B is used many times
 */
export function product(
  { tf, backend }: Pick<OperatorContext, "tf" | "backend">,
  a: TfTensor,
  b: TfTensor,
  transposedB?: TfTensor,
): TfTensor {
  if (backend !== "wasm") return tf.matMul(a, b);
  return tf.customGrad((...args) => {
    const [left, right, save] = args as [TfTensor, TfTensor, Save];
    save([left, transposedB ?? right]);
    return {
      value: tf.matMul(left, right),
      gradFunc: (dy: TfTensor, saved: TfTensor[]) => {
        const [x, y] = saved as [TfTensor, TfTensor];
        const rows = transposedB === undefined ? swapLast(tf, y) : y;
        return [tf.matMul(dy, rows), tf.matMul(swapLast(tf, x), dy)];
      },
    };
  })(a, b);
}

function swapLast(tf: TensorFlow, x: TfTensor): TfTensor {
  const perm = sequence(x.rank);
  [perm[x.rank - 2], perm[x.rank - 1]] = [x.rank - 1, x.rank - 2];
  return tf.transpose(x, perm);
}

/** A vector counts as a matrix with one row (A) or one column (B), whose dimension is dropped from the product. */
const matMul: Operator = (c) => {
  const { tf } = c;
  const [a, b] = [c.input(0), c.input(1)];
  if (a.rank > 1 && b.rank > 1) return matrixProduct(c, a, b);
  const left = a.rank === 1 ? tf.reshape(a, [1, a.size]) : a;
  const right = b.rank === 1 ? tf.reshape(b, [b.size, 1]) : b;
  const full = matrixProduct(c, left, right);
  const dropped = full.shape.filter(
    (_, i) => !(a.rank === 1 && i === full.rank - 2) && !(b.rank === 1 && i === full.rank - 1),
  );
  return tf.reshape(full, dropped);
};

function matrixProduct(c: OperatorContext, a: TfTensor, b: TfTensor): TfTensor {
  const { tf } = c;
  if (b.rank === 2) {
    // One large product instead of one per batch.
    const rows = a.rank === 2 ? a : tf.reshape(a, [-1, a.shape.at(-1) as number]);
    const y = product(c, rows, b);
    return a.rank === 2 ? y : tf.reshape(y, [...a.shape.slice(0, -1), b.shape[1] as number]);
  }
  const batches = broadcastShape(c, [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const flat = (x: TfTensor): TfTensor => {
    const matrix = x.shape.slice(-2);
    return tf.reshape(broadcastTo(tf, x, [...batches, ...matrix]), [-1, ...matrix]);
  };
  const y = product(c, flat(a), flat(b));
  return tf.reshape(y, [...batches, ...y.shape.slice(-2)]);
}

/** Y = α·op(A)·op(B) + β·C. */
const gemm: Operator = (c) => {
  const { tf, node } = c;
  const operand = (index: number, transposed: string): TfTensor =>
    intAttribute(node, transposed, 0) === 0 ? c.input(index) : tf.transpose(c.input(index));
  const y = product(c, operand(0, "transA"), operand(1, "transB"));
  const alpha = floatAttribute(node, "alpha", 1);
  const scaled = alpha === 1 ? y : tf.mul(y, alpha);
  const bias = c.optional(2);
  if (bias === undefined) return scaled;
  const beta = floatAttribute(node, "beta", 1);
  return tf.add(scaled, beta === 1 ? bias : tf.mul(bias, beta));
};

export const matrixOperators: Readonly<Record<string, Operator>> = { MatMul: matMul, Gemm: gemm };
