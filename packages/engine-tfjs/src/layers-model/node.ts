export { TfjsError, type TfjsErrorCode, type TfjsErrorFields } from "../tfjs-error.js";
export { type LayersModelFiles, readLayersModel } from "./read-layers-model.js";
