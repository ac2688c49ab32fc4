export {
  Graph,
  type NodeFields,
  type NodePosition,
  type Use,
} from "./graph.js";
export { GraphError, type GraphErrorCode, type GraphErrorFields } from "./graph-error.js";
export type { Dim } from "./inference/dims.js";
export { inferShapes, type ValueType, type ValueTypes } from "./inference/infer-shapes.js";
export { ModelGraph, type ModelGraphOptions } from "./model-graph.js";
export type { PruneCounts } from "./prune.js";
