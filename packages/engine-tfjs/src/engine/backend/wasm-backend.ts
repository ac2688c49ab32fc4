import type { TensorInfo } from "@tensorflow/tfjs-core";

/** The part of the WebAssembly backend that kernels work with. */
export interface WasmBackend {
  incRef(data: TensorInfo["dataId"]): void;
  makeOutput(shape: readonly number[], dtype: string): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array | Int32Array;
}
