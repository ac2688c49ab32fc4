import type * as common from "onnxruntime-common";

/**
 * What this package needs of an ONNX Runtime package: `onnxruntime-node`, `onnxruntime-web` and
 * `onnxruntime-react-native` all fit, since all re-export `onnxruntime-common`.
 */
export type OrtModule = Pick<typeof common, "InferenceSession" | "Tensor">;
export type OrtSession = common.InferenceSession;
export type OrtSessionOptions = common.InferenceSession.SessionOptions;
export type OrtTensor = common.Tensor;
export type OrtValueMetadata = common.InferenceSession.ValueMetadata;
