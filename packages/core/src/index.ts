export { CoreError, type CoreErrorCode, type CoreErrorFields } from "./core-error.js";
export {
  bitsOf,
  dataConstructor,
  dtypes,
  integerRange,
  isDType,
  type DataOfDType,
  type DequantizableDType,
  type DType,
  type QuantizedDType,
  type TensorData,
} from "./dtype.js";
export { byteLength, elementCount, reshape, storageLength, tensor, zeros, type Tensor } from "./tensor.js";
export { roundHalfAway, roundHalfEven } from "./round.js";
export {
  groupLayout,
  perBlock,
  perChannel,
  perTensor,
  type Granularity,
  type GroupLayout,
} from "./granularity.js";
export {
  chooseScale,
  quantRange,
  type QuantizationScheme,
  type QuantRange,
  type ScaleAndZeroPoint,
} from "./scheme.js";
export { groupRanges, parametersOf, type GroupRanges, type QuantizationParameters } from "./parameters.js";
export { quantizeLinear } from "./quantize-linear.js";
export { dequantizeLinear } from "./dequantize-linear.js";
export { packInt4, unpackInt4 } from "./int4.js";
