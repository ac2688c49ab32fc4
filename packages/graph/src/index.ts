export { constantNodeValue } from "./constant-value.js";
export { foldConstants, type FoldOptions } from "./folding/fold-constants.js";
export { transposeTensor } from "./folding/strided-copy.js";
export { Graph, type Use } from "./graph.js";
export { GraphError, type GraphErrorCode, type GraphErrorFields } from "./graph-error.js";
export { inlineFunctions } from "./functions/inline-functions.js";
export { type Dim, divideDims, multiplyDims } from "./inference/dims.js";
export { inferShapes, type ValueType, type ValueTypes } from "./inference/infer-shapes.js";
export { nearestName, unknownName } from "./layers/nearest-name.js";
export { layerName } from "./layers/layer-name.js";
export type { NodeFields, NodePosition } from "./node-fields.js";
export { ModelGraph, type ModelGraphOptions } from "./model-graph.js";
export type { OperatorSchema } from "./operators/schema.js";
export { operatorSchema } from "./operators/table.js";
export {
  hasStandardMeaning,
  isFlat,
  isFused,
  isQuantized,
  isStandard,
  operatorLabel,
} from "./operators/traits.js";
export { standardForm, type StandardForm } from "./standard-form.js";
export { raiseOpset } from "./opset/raise-opset.js";
export { liftToFloat32, type LiftedFloats } from "./precision/lift-to-float32.js";
export type { PruneCounts } from "./prune.js";
export {
  describeGraph,
  type GraphDescription,
  type OperatorCount,
  type PrecisionShare,
} from "./reports/describe-graph.js";
export { parameterCount, type ParameterTensor, parameterTensors } from "./reports/parameters.js";
export { unsafePairs, type WeightPairs } from "./reports/unsafe-pairs.js";
export { foldIntoConvolutions } from "./rewrites/fold-into-convolutions.js";
export { type GemmSplit, splitGemm, type SplitGemmOptions } from "./rewrites/split-gemm.js";
export { checkFiniteTensors, checkFiniteWeights } from "./validation/finite-weights.js";
export { validateModel } from "./validation/validate-model.js";
export {
  weightSource,
  type WeightSource,
  weightUsage,
  type WeightUsage,
  type WeightUse,
} from "./weights.js";
export {
  graphWriter,
  type GraphWriter,
  type GraphWriterOptions,
  type PlainDType,
} from "./writing/graph-writer.js";
export {
  type Attributes,
  type Names,
  type NodeTarget,
  type NodeWriter,
  nodeWriter,
} from "./writing/node-writer.js";
