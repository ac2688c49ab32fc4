export type { BackendName } from "./backend/backend.js";
export { tensorflowOperators } from "./operators/table.js";
export { tensorflowEngine, type TensorflowEngineOptions } from "./tensorflow-engine.js";
export { TfjsError, type TfjsErrorCode, type TfjsErrorFields } from "./tfjs-error.js";
