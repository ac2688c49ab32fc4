import type * as core from "@tensorflow/tfjs-core";

/** TensorFlow.js, as any of its builds exports it. */
export type TensorFlow = typeof core;

export type TfTensor = core.Tensor;
export type TfTensor3D = core.Tensor3D;
export type TfScalar = core.Scalar;
