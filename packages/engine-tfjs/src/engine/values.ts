import { dataConstructor, type DType, elementCount, type Tensor, toFloat32 } from "@nasty/core";
import type { TensorFlow, TfTensor } from "./tensorflow.js";

/**
 * Element type of TensorFlow.js that stands for one of ONNX. Quantized integers are kept as float32, which holds them
 * exactly.
 */
export function tfTypeOf(dtype: DType): "float32" | "int32" | "bool" {
  switch (dtype) {
    case "bool":
      return "bool";
    case "int32":
    case "int64":
    case "uint32":
    case "uint64":
      return "int32";
    default:
      return "float32";
  }
}

/**
 * A tensor as TensorFlow.js holds it; 64-bit integers are clamped to 32 bits, which bounds such as "to the end"
 * survive.
 */
export function toTf(tf: TensorFlow, tensor: Tensor): TfTensor {
  const shape = [...tensor.shape];
  const type = tfTypeOf(tensor.dtype);
  switch (type) {
    case "float32":
      return tf.tensor(toFloat32(tensor), shape, "float32");
    case "bool":
      return tf.tensor(tensor.data as Uint8Array, shape, "bool");
    case "int32":
      return tf.tensor(toInt32(tensor), shape, "int32");
    default: {
      const unreachable: never = type;
      throw new TypeError(`toTf: ${String(unreachable)}`);
    }
  }
}

function toInt32({ data }: Tensor): Int32Array {
  if (data instanceof Int32Array) return data;
  const out = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++)
    out[i] = Math.min(2147483647, Math.max(-2147483648, Number(data[i] as number | bigint)));
  return out;
}

/** A tensor of TensorFlow.js as one of the ONNX type that it stands for. */
export function fromTf(value: TfTensor, dtype: DType): Tensor {
  const shape = [...value.shape];
  const source = value.dataSync();
  if (dtype === "float32") return { dtype, shape, data: Float32Array.from(source) };
  const data = new (dataConstructor(dtype))(elementCount(shape));
  const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < source.length; i++) {
    if (isBig) data[i] = BigInt(source[i] as number);
    else data[i] = source[i] as number;
  }
  return { dtype, shape, data };
}
