import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { bitsOfDataType } from "./data-type.js";
import { type TensorProto, TensorProtoSchema } from "./gen/onnx_pb.js";

/**
 * Moves a tensor's values a few bytes to where a typed array can look at them, over the tag and the length that stand
 * before them in a file: `tensorFromProto` then copies nothing.
 *
 * The bytes that the model was read from are a file no more: for callers who read them themselves, and of tensors whose
 * bytes no other message looks at.
 *
 * @param tensor as `parseModel` gave it; its `rawData` becomes another view of the same buffer
 * @returns whether the values are aligned now; false, with nothing changed, where other bytes stand before them
 * @example
 * ```ts
 * const model = await readModelFile("model.onnx");
 * for (const tensor of model.graph?.initializer ?? []) alignRawData(tensor);
 * ```
 */
export function alignRawData(tensor: TensorProto): boolean {
  const { rawData, dataType } = tensor;
  const elementBytes = Math.max(1, (bitsOfDataType(dataType) ?? 8) / 8);
  const shift = rawData.byteOffset % elementBytes;
  if (shift === 0) return true;
  const header = rawDataHeader(rawData.length);
  const before = rawData.byteOffset - header.length;
  if (shift > header.length || before < 0) return false;
  const field = new Uint8Array(rawData.buffer, before, header.length + rawData.length);
  if (header.some((byte, i) => field[i] !== byte)) return false;
  const start = header.length - shift;
  field.copyWithin(start, header.length);
  tensor.rawData = field.subarray(start, start + rawData.length);
  return true;
}

/** What stands before so many bytes of raw data in a file. */
function rawDataHeader(length: number): Uint8Array {
  const { number } = TensorProtoSchema.field.rawData;
  return new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish();
}
