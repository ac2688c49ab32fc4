import { integerRange } from "../dtype.js";
import { roundHalfEven } from "../round.js";
import type { Tensor } from "../tensor.js";
import type { ResultQuantization } from "./quantized-operand.js";

/**
 * 8-bit results from int32 sums: `q = clip(rne(sum · multiplier) + zeroPoint)`.
 *
 * @param multiplierAt float64 factor `a scale · b scale / result scale` of the element at an index.
 */
export function requantize(
  sums: Tensor<"int32">,
  result: ResultQuantization,
  multiplierAt: (index: number) => number,
): Tensor<"int8" | "uint8"> {
  const { min, max } = integerRange(result.dtype);
  const count = sums.data.length;
  const data = result.dtype === "int8" ? new Int8Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const q = roundHalfEven(Math.fround((sums.data[i] as number) * multiplierAt(i))) + result.zeroPoint;
    data[i] = Math.min(max, Math.max(min, q));
  }
  return { dtype: result.dtype, shape: sums.shape, data };
}
