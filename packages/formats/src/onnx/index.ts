export { FormatError, type FormatErrorCode, type FormatErrorFields } from "../format-error.js";
export { alignRawData } from "./align-raw-data.js";
export { copyMessage } from "./copy-message.js";
export { bitsOfDataType, dataTypeName, dataTypeOf, dtypeOf } from "./data-type.js";
export {
  type AttributeProto,
  AttributeProto_AttributeType,
  type DeviceConfigurationProto,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeDeviceConfigurationProto,
  type NodeProto,
  type OperatorSetIdProto,
  type SparseTensorProto,
  type StringStringEntryProto,
  type TensorAnnotation,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type TensorShapeProto,
  type TensorShapeProto_Dimension,
  type TrainingInfoProto,
  type TypeProto,
  type ValueInfoProto,
} from "./gen/onnx_pb.js";
export { type FunctionOptions, makeFunction } from "./make-function.js";
export { type AttributeValue, makeAttribute, type TypedAttributeValue } from "./make-attribute.js";
export {
  type Dimension,
  type GraphOptions,
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelOptions,
  type NodeOptions,
} from "./make-model.js";
export { getMetadata, withMetadata } from "./metadata.js";
export { checkOpset } from "./opset.js";
export { parseModel, type ParseModelOptions, parseTensor } from "./parse-model.js";
export {
  attributeOf,
  floatAttribute,
  floatsAttribute,
  graphAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
  stringsAttribute,
  tensorAttribute,
} from "./read-attribute.js";
export { modelChunks, serializeModel } from "./serialize-model.js";
export { tensorFromProto } from "./tensor-from-proto.js";
export { checkTensor } from "./tensor-size.js";
export { tensorToProto } from "./tensor-to-proto.js";
export { type TensorPlace, tensorsOf } from "./tensors-of.js";
export { type UnpackedModel, unpackModel, type UnpackModelOptions } from "./unpack-model.js";
