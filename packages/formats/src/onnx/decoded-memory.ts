import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { AttributeProtoSchema, GraphProtoSchema, NodeProtoSchema, TensorProtoSchema } from "./gen/onnx_pb.js";

/** Memory that decoding one value of a field takes: so much for each, and so much for each byte of its encoding. */
export interface ValueMemory {
  readonly value: number;
  readonly byte: number;
}

/** The object of a message with its empty lists, and what is left for the collector while it is made. */
const memoryOfMessages: ReadonlyMap<DescMessage, number> = new Map<DescMessage, number>([
  [NodeProtoSchema, 800],
  [TensorProtoSchema, 600],
  [AttributeProtoSchema, 600],
  [GraphProtoSchema, 600],
]);
const memoryOfMessage = 300;

/** An unknown field is an object with a view of its bytes. */
export const memoryOfUnknown = 250;

/**
 * What decoding a field's values takes, measured with `process.memoryUsage()` on lists of 100,000 (Node
 * 20, @bufbuild/protobuf 2.17) and rounded up.
 */
export function memoryOf(field: DescField): ValueMemory {
  if (field.message !== undefined) {
    return { value: memoryOfMessages.get(field.message) ?? memoryOfMessage, byte: 0 };
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      // Two bytes a character where one of them is not Latin.
      return { value: 32, byte: 2 };
    case ScalarType.BYTES:
      return { value: 150, byte: 0 };
    case ScalarType.INT64:
    case ScalarType.UINT64:
      // A big integer and its place in the list.
      return { value: 32, byte: 0 };
    default:
      return { value: 12, byte: 0 };
  }
}
