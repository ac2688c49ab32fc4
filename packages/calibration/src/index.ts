export {
  CalibrationError,
  type CalibrationErrorCode,
  type CalibrationErrorFields,
} from "./calibration-error.js";
export {
  type CalibrationTable,
  parseCalibrationTable,
  serializeCalibrationTable,
  type TensorRange,
} from "./calibration-table.js";
export {
  type ModelTapOptions,
  tapActivations,
  type TapOptions,
  tapOutputs,
  type TappedValue,
  type TapVisitor,
  type Vectors,
} from "./activation-tap.js";
export {
  collectRanges,
  type CollectOptions,
  collectTables,
  type CollectTablesOptions,
} from "./collect-ranges.js";
export { entropySearch, type EntropyOptions } from "./entropy-search.js";
export { type Histogram, type HistogramOptions, streamingHistogram } from "./histogram.js";
export { histogramObserver, type RangeSearch } from "./histogram-observer.js";
export { type CalibrationMethod, type MethodOptions, observerOf } from "./method.js";
export { minMaxObserver } from "./min-max-observer.js";
export { movingAverageObserver, type MovingAverageOptions } from "./moving-average-observer.js";
export { mseSearch, type MseOptions } from "./mse-search.js";
export type { Observer, Range } from "./observer.js";
export { type Batches, type CalibrationBatch, takeBatches } from "./token-mask.js";
export { stratifiedSample, type StratifiedSampleOptions } from "./stratified-sample.js";
export { percentileSearch, type PercentileOptions } from "./percentile-search.js";
