export type { BackendName } from "./engine/backend/backend-name.js";
export { tensorflowOperators } from "./engine/operators/names.js";
export { tensorflowEngine, type TensorflowEngineOptions } from "./engine/tensorflow-engine.js";
export { TfjsError, type TfjsErrorCode, type TfjsErrorFields } from "./tfjs-error.js";
