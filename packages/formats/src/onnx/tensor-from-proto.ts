import { dataConstructor, type DType, storageLength, type Tensor, type TensorData } from "@nasty/core";
import { FormatError } from "../format-error.js";
import { dataTypeName, dtypeOf } from "./data-type.js";
import { TensorProto_DataLocation as DataLocation, type TensorProto } from "./gen/onnx_pb.js";
import { checkTensor, countOf, labelOf, shapeOf, typedFieldOf } from "./tensor-size.js";

const operation = "tensorFromProto";

/**
 * Reads a tensor message as a tensor: a view of `rawData` where it lies on a multiple of the element size in its
 * buffer, a copy (made when `data` is first read) where it does not, or where the values are in a typed field.
 *
 * In typed fields, float16, bfloat16, bool and integers of up to 32 bits are in `int32Data` (float16 as bits, int4 two
 * to a number), uint32 and uint64 in `uint64Data`; numbers are cut to the type's width as every runtime does.
 *
 * @param tensor the message; not changed
 * @returns a tensor of the message's dims, dtype as {@link dtypeOf} has it
 * @throws FormatError `unknown-dtype` (strings, complex numbers, 8-bit floats …), `shape` and `size` (dims that
 *   disagree with the values), `external-data` (values that were not loaded), `unsupported` (segments)
 * @see ONNX 1.22, onnx.proto, TensorProto
 * @example
 * ```ts
 * const { shape, data } = tensorFromProto(model.graph.initializer[0]);
 * ```
 */
export function tensorFromProto(tensor: TensorProto): Tensor {
  const where = labelOf(tensor);
  const dtype = readableDType(tensor, where);
  if (tensor.dataLocation === DataLocation.EXTERNAL) {
    const location = tensor.externalData.find(({ key }) => key === "location")?.value ?? "an unnamed file";
    throw new FormatError(
      "external-data",
      `${operation}: ${where}: values: expected in the message, got a reference to ${JSON.stringify(location)}; ` +
        "read the model with readModelFile, which loads external data",
      { name: tensor.name },
    );
  }
  if (tensor.segment !== undefined) {
    throw new FormatError(
      "unsupported",
      `${operation}: ${where}: segment: expected a whole tensor, got a part`,
      {
        name: tensor.name,
      },
    );
  }
  checkTensor(tensor, operation, where);
  const shape = shapeOf(tensor, operation, where);
  const count = countOf(shape);
  const length = storageLength(dtype, count);
  // checkTensor made sure that all values are in one of the two places.
  if (tensor.rawData.length > 0 && !isAligned(tensor.rawData, length))
    return copiedWhenRead(dtype, shape, { raw: tensor.rawData, length });
  const data =
    tensor.rawData.length > 0 || count === 0
      ? viewOfRaw(dtype, tensor.rawData, length)
      : fromTypedField(tensor, dtype, length, count);
  return { dtype, shape, data };
}

function readableDType(tensor: TensorProto, where: string): DType {
  try {
    return dtypeOf(tensor.dataType);
  } catch (cause) {
    const got = dataTypeName(tensor.dataType);
    throw new FormatError(
      "unknown-dtype",
      `${operation}: ${where}: data type: expected a real number type of up to 64 bits, got ${got}`,
      { name: tensor.name, cause },
    );
  }
}

const isAligned = (raw: Uint8Array, length: number): boolean =>
  length === 0 || raw.byteOffset % (raw.length / length) === 0;

function viewOfRaw(dtype: DType, raw: Uint8Array, length: number): TensorData {
  const construct = dataConstructor(dtype);
  return length === 0 ? new construct(0) : new construct(raw.buffer, raw.byteOffset, length);
}

/** Bytes that no typed array can look at where they lie: whoever asks for the shape alone costs no copy of a weight. */
function copiedWhenRead(
  dtype: DType,
  shape: readonly number[],
  { raw, length }: { readonly raw: Uint8Array; readonly length: number },
): Tensor {
  let copy: TensorData | undefined;
  return {
    dtype,
    shape,
    get data() {
      // Not slice(): on a Node Buffer that is another view.
      copy ??= new (dataConstructor(dtype))(new Uint8Array(raw).buffer, 0, length);
      return copy;
    },
  };
}

function fromTypedField(tensor: TensorProto, dtype: DType, length: number, count: number): TensorData {
  const field = typedFieldOf(tensor.dataType, count);
  const values = field === undefined ? [] : tensor[field.name];
  const data = new (dataConstructor(dtype))(length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < length; i++) data[i] = values[i] as bigint;
  } else {
    // Assignment to an integer array keeps the low bits, also of float16 patterns and of negative int4 pairs.
    for (let i = 0; i < length; i++) data[i] = Number(values[i]);
  }
  return data;
}
