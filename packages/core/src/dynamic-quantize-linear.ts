import { perTensor } from "./granularity.js";
import { wholeRange } from "./parameters.js";
import { quantizeLinear } from "./quantize-linear.js";
import { roundHalfEven } from "./round.js";
import type { Tensor } from "./tensor.js";

/** Result of {@link dynamicQuantizeLinear}. */
export interface DynamicallyQuantized {
  readonly y: Tensor<"uint8">;
  /** A float32 value. */
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * Quantizes a tensor to uint8 by its own range, every step in float32.
 *
 * ```
 * scale = (max(0, max x) − min(0, min x)) / 255; zeroPoint = rne(clip(−min / scale, 0, 255))
 * ```
 * All zeros (or no element): scale 1, zero point 0, as ONNX Runtime does; the specification's reference says 1/255.
 *
 * @param x float32, any shape.
 * @throws CoreError `not-finite` naming the first NaN or infinity.
 * Source: ONNX 1.22, DynamicQuantizeLinear-11; ONNX Runtime 1.30, CPU kernel.
 * @example dynamicQuantizeLinear(tensor("float32", [2], new Float32Array([-1, 2]))).zeroPoint; // 85
 */
export function dynamicQuantizeLinear(x: Tensor<"float32">): DynamicallyQuantized {
  const { min, max } = wholeRange(x.data);
  const quotient = Math.fround(Math.fround(max - min) / 255);
  const scale = quotient === 0 ? 1 : quotient;
  const zeroPoint = roundHalfEven(Math.min(255, Math.max(0, Math.fround(-min / scale))));
  const y = quantizeLinear(x, {
    dtype: "uint8",
    granularity: perTensor,
    scale: new Float32Array([scale]),
    zeroPoint: new Int32Array([zeroPoint]),
  });
  return { y, scale, zeroPoint };
}
