export { TfjsError, type TfjsErrorCode, type TfjsErrorFields } from "../tfjs-error.js";
export {
  type ImportedInput,
  type ImportedModel,
  type ImportedOutput,
  importLayersModel,
} from "./import-layers-model.js";
export {
  readManifest,
  type WeightEntry,
  type WeightGroup,
  type WeightManifest,
  type WeightQuantization,
} from "./manifest.js";
