import { CoreError } from "../core-error.js";
import { elementCount, type Tensor } from "../tensor.js";
import type { ConvAttributes } from "./conv-geometry.js";
import { convInteger } from "./conv-integer.js";
import {
  broadcast,
  checkBroadcast,
  type QuantizedOperand,
  type ResultQuantization,
} from "./quantized-operand.js";
import { requantize } from "./requantize.js";

/** Bias and attributes of {@link qLinearConv}. */
export interface QLinearConvOptions extends ConvAttributes {
  /** int32 [output channels], scale = x scale · w scale, zero point 0. */
  readonly bias?: Tensor<"int32">;
}

/**
 * Quantized convolution: `Y = clip(rne((conv(X − x0, W − w0) + bias) · x scale · w scale / y scale) + y0)`.
 *
 * @param x 8-bit [batch, channels, ...spatial], one scale and zero point.
 * @param w 8-bit [output channels, channels / group, ...kernel], one scale and zero point or one of each an output
 *   channel.
 * @param result type, scale, zero point of Y; with the options of the convolution.
 * @throws CoreError `shape`, `length`.
 * Source: ONNX 1.22, QLinearConv-10.
 */
export function qLinearConv(
  x: QuantizedOperand,
  w: QuantizedOperand,
  { bias, dtype, scale, zeroPoint, ...attributes }: ResultQuantization & QLinearConvOptions,
): Tensor<"int8" | "uint8"> {
  checkBroadcast("qLinearConv", "scale of X", x.scale.length, 1);
  checkBroadcast("qLinearConv", "zero point of X", x.zeroPoint.length, 1);
  const sums = convInteger(x.values, w.values, {
    ...attributes,
    xZeroPoint: x.zeroPoint[0] as number,
    wZeroPoint: w.zeroPoint,
  });
  const outputChannels = sums.shape[1] as number;
  const spatial = elementCount(sums.shape.slice(2));
  checkBroadcast("qLinearConv", "scale of W", w.scale.length, outputChannels);
  const channelOf = (i: number): number => Math.floor(i / spatial) % outputChannels;
  if (bias !== undefined && bias.data.length !== outputChannels) {
    throw new CoreError(
      "length",
      `qLinearConv: bias: length: expected ${outputChannels}, got ${bias.data.length}`,
      { expected: outputChannels, got: bias.data.length },
    );
  }
  const biased: Tensor<"int32"> = bias
    ? { ...sums, data: sums.data.map((sum, i) => sum + (bias.data[channelOf(i)] as number)) }
    : sums;
  const inputScale = x.scale[0] as number;
  return requantize(
    biased,
    { dtype, scale, zeroPoint },
    (i) => (inputScale * broadcast(w.scale, channelOf(i))) / scale,
  );
}
