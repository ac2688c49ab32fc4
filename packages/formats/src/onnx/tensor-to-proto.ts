import { create } from "@bufbuild/protobuf";
import { elementCount, storageLength, type Tensor } from "@nasty/core";
import { FormatError } from "../format-error.js";
import { dataTypeOf } from "./data-type.js";
import { type TensorProto, TensorProtoSchema } from "./gen/onnx_pb.js";

/**
 * Makes a tensor message whose `rawData` is a view of the tensor's data, not a copy.
 *
 * @param tensor any tensor; not changed, and not to be changed while the message is in use
 * @param name name of the initializer; empty for the value of an attribute
 * @returns a TensorProto with dims, data type, name and raw data
 * @throws FormatError `size` when the data's length is not that of the shape
 * @see ONNX 1.22, onnx.proto, TensorProto: raw_data is little endian, as typed arrays are on every platform in use
 * @example
 * ```ts
 * tensorToProto({ dtype: "float32", shape: [2], data: Float32Array.of(1, 2) }, "bias");
 * ```
 */
export function tensorToProto(tensor: Tensor, name = ""): TensorProto {
  const { dtype, shape, data } = tensor;
  const expected = storageLength(dtype, elementCount(shape));
  if (data.length !== expected) {
    throw new FormatError(
      "size",
      `tensorToProto: tensor ${JSON.stringify(name)}: data length: expected ${expected} for ${dtype} ` +
        `[${shape.join(", ")}], got ${data.length}`,
      { name, expected, got: data.length },
    );
  }
  return create(TensorProtoSchema, {
    dims: shape.map(BigInt),
    dataType: dataTypeOf(dtype),
    ...(name === "" ? {} : { name }),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) as Uint8Array<ArrayBuffer>,
  });
}
