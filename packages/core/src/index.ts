export { CoreError, type CoreErrorCode, type CoreErrorFields } from "./core-error.js";
export { type ErrorFields, NastyError } from "./nasty-error.js";
export {
  bitsOf,
  dataConstructor,
  dtypes,
  integerRange,
  type DataOfDType,
  type DequantizableDType,
  type DType,
  type QuantizedDType,
  type TensorData,
  wholeTypes,
} from "./dtype.js";
export { byteLength, elementCount, reshape, storageLength, tensor, zeros, type Tensor } from "./tensor.js";
export { roundHalfAway, roundHalfEven } from "./round.js";
export {
  perBlock,
  perChannel,
  perTensor,
  type Granularity,
} from "./granularity.js";
export {
  chooseScale,
  quantRange,
  type QuantizationScheme,
  type QuantRange,
  type ScaleAndZeroPoint,
} from "./scheme.js";
export { groupRanges, parametersOf, type GroupRanges, type QuantizationParameters } from "./parameters.js";
export {
  countPairs,
  countUnsafePairs,
  pairRanges,
  safePairParameters,
  safePairSteps,
} from "./safe-pairs.js";
export { convolutionRows } from "./convolution-rows.js";
export { quantizeLinear } from "./quantize-linear.js";
export {
  type MeasuredQuantization,
  quantizeMeasured,
  type QuantizeMeasuredOptions,
} from "./quantize-measured.js";
export { dequantizeLinear } from "./dequantize-linear.js";
export { packInt4, unpackInt4 } from "./int4.js";
export {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "./float16.js";
export { cast, toFloat32 } from "./convert.js";
export { dynamicQuantizeLinear, type DynamicallyQuantized } from "./dynamic-quantize-linear.js";
export { biasScale, enlargeWeightScale, quantizeBias } from "./bias.js";
export {
  dequantizeMatMulNBits,
  quantizeMatMulNBits,
  type MatMulNBitsOptions,
  type MatMulNBitsWeight,
} from "./matmul-nbits.js";
export {
  blockReciprocal,
  type BlockParameters,
  type BlockRows,
  type BlockScheme,
  chooseBlock,
  clippedRanges,
  fullRange,
  hasHalfScales,
  quantizeBlockRows,
  quantizeInBlock,
} from "./block-rows.js";
export { packBlocks, packBlockZeroPoints } from "./block-packing.js";
export { mayHaveFullExponent } from "./full-exponents.js";
export { makeColumnsRelative } from "./relative-columns.js";
export { transposeMatrix } from "./transpose-matrix.js";
export { mixWords, type Random, type RandomState, seededRandom, shuffled } from "./seeded-random.js";
export { uniformNumbers } from "./uniform-numbers.js";
export { decibels } from "./decibels.js";
export { cosineSimilarity, maxAbsoluteError, quantizationSqnrDb, sqnrDb } from "./error-metrics.js";
export { matMulInteger, type MatMulZeroPoints } from "./reference/mat-mul-integer.js";
export { qLinearMatMul } from "./reference/q-linear-mat-mul.js";
export { convInteger, type ConvIntegerOptions } from "./reference/conv-integer.js";
export { qLinearConv, type QLinearConvOptions } from "./reference/q-linear-conv.js";
export type { ConvAttributes } from "./reference/conv-geometry.js";
export type { QuantizedOperand, ResultQuantization } from "./reference/quantized-operand.js";
