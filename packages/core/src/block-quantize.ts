import { CoreError } from "./core-error.js";
import { dataConstructor } from "./dtype.js";
import { dequantizeLinear } from "./dequantize-linear.js";
import { groupLayout, perBlock } from "./granularity.js";
import { packInt4 } from "./int4.js";
import { parametersOf, type QuantizationParameters } from "./parameters.js";
import { quantizeLinear } from "./quantize-linear.js";
import type { Tensor } from "./tensor.js";

/** Types that GatherBlockQuantized reads. */
export type BlockDType = "int4" | "uint4" | "uint8";

/** How {@link quantizeBlocks} quantizes. */
export interface BlockQuantizationOptions<D extends BlockDType = BlockDType> {
  readonly dtype: D;
  readonly symmetric: boolean;
  /** Elements along the axis that share a scale: a power of two of at least 16. */
  readonly blockSize: number;
  /** The axis that is cut into blocks; the last one unless given. */
  readonly axis?: number;
}

/** A block-quantized table with scales and zero points in the shapes that GatherBlockQuantized reads. */
export interface BlockQuantized<D extends BlockDType = BlockDType> {
  readonly data: Tensor<D>;
  /** The shape of data with ⌈size / blockSize⌉ along the axis. */
  readonly scales: Tensor<"float32">;
  /** The shape of the scales. */
  readonly zeroPoints: Tensor<D>;
  /** The same as parameters of quantizeLinear and dequantizeLinear. */
  readonly parameters: QuantizationParameters<D>;
}

/**
 * Quantizes a table block-wise for the operator GatherBlockQuantized of ONNX Runtime.
 *
 * Scales and zero points are those of chooseScale; `q = clip(rne(x / scale) + zero point)`: halves to even and a
 * division, unlike MatMulNBits.
 *
 * @param x float32, e.g. an embedding table [rows, width].
 * @param options dtype, symmetric, blockSize, axis.
 * @throws CoreError `block-size`, `axis`, `not-finite`.
 * Source: ONNX Runtime 1.30, com.microsoft.GatherBlockQuantized.
 * @example quantizeBlocks(table, { dtype: "int4", symmetric: true, blockSize: 32 }).scales.shape; // [rows, width / 32]
 */
export function quantizeBlocks<D extends BlockDType>(
  x: Tensor<"float32">,
  options: BlockQuantizationOptions<D>,
): BlockQuantized<D> {
  const { dtype, symmetric, blockSize, axis = -1 } = options;
  if (!Number.isInteger(blockSize) || blockSize < 16 || !Number.isInteger(Math.log2(blockSize))) {
    throw new CoreError(
      "block-size",
      `quantizeBlocks: block size: value: expected a power of two of at least 16, got ${blockSize}`,
      { blockSize },
    );
  }
  const granularity = perBlock(axis, blockSize);
  const { groupShape } = groupLayout("quantizeBlocks", x.shape, granularity);
  const parameters = parametersOf(x, { dtype, symmetric }, granularity);
  const zeros =
    dtype === "uint8"
      ? Uint8Array.from(parameters.zeroPoint)
      : packInt4(Int8Array.from(parameters.zeroPoint));
  return {
    data: quantizeLinear(x, parameters),
    scales: { dtype: "float32", shape: groupShape, data: parameters.scale },
    zeroPoints: {
      dtype,
      shape: groupShape,
      data: new (dataConstructor(dtype))(zeros.buffer, 0, zeros.length),
    },
    parameters,
  };
}

/** The real table of a {@link BlockQuantized}: `(q − zero point) · scale` in float32. */
export function dequantizeBlocks(quantized: BlockQuantized): Tensor<"float32"> {
  return dequantizeLinear(quantized.data, quantized.parameters);
}
