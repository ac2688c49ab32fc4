export { kernelModule } from "./kernels/module.js";
export {
  openModel,
  openParsedModel,
  type OpenModelOptions,
  type PortableModel,
  type PortableValue,
} from "./open-model.js";
export { PortableError, type PortableErrorCode, type PortableErrorFields } from "./portable-error.js";
