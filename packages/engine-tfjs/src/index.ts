export type { BackendName } from "./backend/backend-name.js";
export { tensorflowOperators } from "./operators/names.js";
export { tensorflowEngine, type TensorflowEngineOptions } from "./tensorflow-engine.js";
export { TfjsError, type TfjsErrorCode, type TfjsErrorFields } from "./tfjs-error.js";
