import { CoreError } from "./core-error.js";
import { elementCount, type Tensor } from "./tensor.js";

/**
 * A convolution's weight in the order in which int8 kernels sum its products: one row an output channel, in it the
 * kernel's positions one after the other, at each the input channels of the group.
 *
 * Kernels without a dot-product instruction add neighbours (2i, 2i + 1) of such a row in 16 bits: pairs of channels at
 * one position, and with an odd number of channels also the last of one position with the first of the next.
 *
 * @param weight [output channels, channels / group, ...kernel]
 * @returns [output channels, positions · channels / group]; the same numbers where that is their order already
 * @throws CoreError `shape` for a tensor of rank below 3
 * @example
 * const weight = tensor("float32", [1, 2, 2], Float32Array.of(1, 2, 10, 20));
 * convolutionRows(weight).data; // [1, 10, 2, 20]
 */
export function convolutionRows<T extends Tensor>(weight: T): T {
  const { shape, data } = weight;
  if (shape.length < 3) {
    throw new CoreError(
      "shape",
      `convolutionRows: weight: shape: expected [out, in, ...kernel], got [${shape.join(", ")}]`,
      { shape },
    );
  }
  const [outputs = 0, channels = 0] = shape;
  const positions = elementCount(shape.slice(2));
  const rows = { ...weight, shape: [outputs, positions * channels] };
  if (positions === 1 || channels === 1) return rows;
  const moved = data.slice();
  for (let output = 0, to = 0; output < outputs; output++) {
    const start = output * channels * positions;
    for (let position = 0; position < positions; position++) {
      for (let channel = 0; channel < channels; channel++) {
        moved[to++] = data[start + channel * positions + position] as never;
      }
    }
  }
  return { ...rows, data: moved };
}
