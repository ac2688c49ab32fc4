import type { Tensor } from "../tensor.js";
import { matMulInteger } from "./mat-mul-integer.js";
import {
  broadcast,
  checkBroadcast,
  type QuantizedOperand,
  type ResultQuantization,
} from "./quantized-operand.js";
import { requantize } from "./requantize.js";

/**
 * Quantized matrix product: `Y = clip(rne((A − a0)(B − b0) · a scale · b scale / y scale) + y0)`.
 *
 * float16 and bfloat16 scales are given as their float32 values.
 *
 * @param a int8 or uint8 [..., M, K], one scale and zero point or one of each a row.
 * @param b int8 or uint8 [..., K, N], one scale and zero point or one of each a column.
 * @param result type, scale and zero point of Y.
 * @throws CoreError `shape` and `length` as matMulInteger does.
 * Source: ONNX 1.22, QLinearMatMul-21.
 */
export function qLinearMatMul(
  a: QuantizedOperand,
  b: QuantizedOperand,
  result: ResultQuantization,
): Tensor<"int8" | "uint8"> {
  const sums = matMulInteger(a.values, b.values, { a: a.zeroPoint, b: b.zeroPoint });
  const M = a.values.shape.length === 1 ? 1 : (a.values.shape.at(-2) as number);
  const N = b.values.shape.length === 1 ? 1 : (b.values.shape.at(-1) as number);
  checkBroadcast("qLinearMatMul", "scale of A", a.scale.length, M);
  checkBroadcast("qLinearMatMul", "scale of B", b.scale.length, N);
  return requantize(
    sums,
    result,
    (i) => (broadcast(a.scale, Math.floor(i / N) % M) * broadcast(b.scale, i % N)) / result.scale,
  );
}
