import { elementCount, type Tensor } from "../tensor.js";
import { convGeometry, type ConvAttributes, type ConvGeometry } from "./conv-geometry.js";
import { broadcast, checkBroadcast } from "./quantized-operand.js";

/** Zero points and attributes of {@link convInteger}. */
export interface ConvIntegerOptions extends ConvAttributes {
  readonly xZeroPoint?: number;
  /** One, or one for each output channel. */
  readonly wZeroPoint?: ArrayLike<number>;
}

/** Row-major positions of a spatial shape, as coordinates. */
function coordinates(shape: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: elementCount(shape) }, (_, index) => {
    let rest = index;
    return shape
      .toReversed()
      .map((size) => {
        const position = rest % size;
        rest = Math.floor(rest / size);
        return position;
      })
      .toReversed();
  });
}

/** Offset of the input element under a kernel element, −1 in the padding. */
function inputOffset(geometry: ConvGeometry, out: readonly number[], tap: readonly number[]): number {
  let offset = 0;
  for (let i = 0; i < out.length; i++) {
    const size = geometry.input[i] as number;
    const at =
      (out[i] as number) * (geometry.strides[i] as number) +
      (tap[i] as number) * (geometry.dilations[i] as number) -
      (geometry.begins[i] as number);
    if (at < 0 || at >= size) return -1;
    offset = offset * size + at;
  }
  return offset;
}

/**
 * Convolution of 8-bit integers: `Y = conv(X − x0, W − w0)` in int32; padding counts as x0, that is as real 0.
 *
 * Plain loops over any number of spatial axes, for checking kernels, not for speed. Sums wrap at 32 bits.
 *
 * @param x int8 or uint8 [batch, channels, ...spatial].
 * @param w int8 or uint8 [output channels, channels / group, ...kernel].
 * @param options zero points (0 where left out) and attributes.
 * @returns int32 [batch, output channels, ...output].
 * @throws CoreError `shape`, `length`.
 * Source: ONNX 1.22, ConvInteger-10.
 */
export function convInteger(
  x: Tensor<"int8" | "uint8">,
  w: Tensor<"int8" | "uint8">,
  options: ConvIntegerOptions = {},
): Tensor<"int32"> {
  const geometry = convGeometry(x.shape, w.shape, options);
  const { batch, channels, outputChannels, group } = geometry;
  const { xZeroPoint = 0, wZeroPoint = [0] } = options;
  checkBroadcast("convInteger", "zero point of W", wZeroPoint.length, outputChannels);
  const outputs = coordinates(geometry.output);
  const taps = coordinates(geometry.kernel);
  const offsets = outputs.map((out) => taps.map((tap) => inputOffset(geometry, out, tap)));
  const inputSize = elementCount(geometry.input);
  const groupChannels = channels / group;
  const data = new Int32Array(batch * outputChannels * outputs.length);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputChannels; o++) {
      const firstChannel = Math.floor((o * group) / outputChannels) * groupChannels;
      const w0 = broadcast(wZeroPoint, o);
      for (const under of offsets) {
        let sum = 0;
        for (let c = 0; c < groupChannels; c++) {
          const xStart = (n * channels + firstChannel + c) * inputSize;
          const wStart = (o * groupChannels + c) * taps.length;
          for (let k = 0; k < under.length; k++) {
            const offset = under[k] as number;
            if (offset < 0) continue;
            sum =
              (sum +
                ((x.data[xStart + offset] as number) - xZeroPoint) * ((w.data[wStart + k] as number) - w0)) |
              0;
          }
        }
        data[at++] = sum;
      }
    }
  }
  return { dtype: "int32", shape: [batch, outputChannels, ...geometry.output], data };
}
