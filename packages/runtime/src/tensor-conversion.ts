import { type DType, type Tensor, type TensorData, wholeTypes } from "@nasty/core";
import type { OrtModule, OrtTensor, OrtValueMetadata } from "./ort-module.js";
import { RuntimeError } from "./runtime-error.js";
import type { ValueInfo } from "./session.js";

/**
 * Element types that the JavaScript bindings can carry. bfloat16 and strings are not among them; 4-bit values go in and
 * out as bytes (see four-bit-values.ts), and one that is left over must not be let through: it ends the process.
 */
const carried = new Set<string>(["float64", "float32", "float16", ...wholeTypes] satisfies DType[]);

export const isCarried = (type: string): type is DType => carried.has(type);

/** The runtime's tensor over the same memory. */
export const toOrtTensor = (ort: OrtModule, tensor: Tensor): OrtTensor => {
  const { dtype, shape } = tensor;
  const make = ort.Tensor as unknown as new (
    type: string,
    data: unknown,
    dims: readonly number[],
  ) => OrtTensor;
  return new make(dtype, tensor.data, shape);
};

const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Our tensor over the memory of the runtime's. */
export const fromOrtTensor = (value: OrtTensor): Tensor => {
  const dtype = value.type as DType;
  const data = value.data as unknown as ArrayBufferView;
  // Where Float16Array exists the runtime returns one; ours are bits.
  const stored =
    dtype === "float16"
      ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
      : dtype === "bool"
        ? bytesOf(data)
        : data;
  return { dtype, shape: [...value.dims], data: stored as TensorData };
};

/**
 * Describes a graph input or output.
 *
 * @throws RuntimeError `unsupported-type` for sequences, maps, strings and types that JavaScript bindings lack.
 */
export const toValueInfo = (metadata: OrtValueMetadata, role: "input" | "output"): ValueInfo => {
  const type = metadata.isTensor ? metadata.type : "a sequence or map";
  if (!metadata.isTensor || !isCarried(type)) {
    throw new RuntimeError(
      "unsupported-type",
      `openSession: ${role} ${metadata.name}: type: expected a tensor of numbers, got ${type}`,
      { value: metadata.name },
    );
  }
  return { name: metadata.name, dtype: type, shape: [...metadata.shape] };
};
