import { fromBinary } from "@bufbuild/protobuf";
import { FormatError } from "../format-error.js";
import { type ModelProto, ModelProtoSchema, type TensorProto, TensorProtoSchema } from "./gen/onnx_pb.js";
import { resemblance } from "./resemblance.js";
import { checkTensor } from "./tensor-size.js";
import { tensorsOf } from "./tensors-of.js";
import { checkWire, checkWirePrefix, maxDepth } from "./wire-scan.js";

const operation = "parseModel";

/** What {@link parseModel} may take. */
export interface ParseModelOptions {
  /**
   * Most bytes of memory for what is decoded (nodes, attributes, strings, lists of numbers; not raw data): 128 MB and
   * the size of the file unless told otherwise.
   */
  readonly maxStructureBytes?: number;
}

/**
 * Reads a model file from its bytes, without copying weights: each `rawData` is a view of `bytes`, which must not be
 * changed while the model is in use.
 *
 * Structure and sizes are checked against the bytes present before anything is allocated. Unknown fields, unknown
 * operators and unknown domains are kept. Tensors whose data is external keep their reference (`readModelFile` of
 * `@nasty/formats/onnx/node` resolves it).
 *
 * @param bytes a whole .onnx file, not compressed
 * @returns the model, as the plain objects of the generated types
 * @throws FormatError `not-a-model` (empty, text, another format), `truncated` and `protobuf` (with the byte in
 *   `fields.offset`), `limit` (nesting, memory of what is decoded), `shape` and `size` (with the tensor in
 *   `fields.name`)
 * @see ONNX 1.22, docs/IR.md
 * @example
 * ```ts
 * const model = parseModel(bytes);
 * model.graph?.node.length;
 * ```
 */
export function parseModel(bytes: Uint8Array, options: ParseModelOptions = {}): ModelProto {
  if (bytes.length === 0) {
    throw notAModel("0 bytes", "an empty file; was a download or a copy interrupted?");
  }
  const model = decode(bytes, options);
  if (model.graph === undefined) {
    throw notAModel(
      "graph",
      resemblance(bytes) ?? "a message without a graph; is it another kind of protobuf?",
    );
  }
  for (const { tensor, where } of tensorsOf(model)) checkTensor(tensor, operation, where);
  return model;
}

function decode(bytes: Uint8Array, options: ParseModelOptions): ModelProto {
  try {
    checkWire(ModelProtoSchema, bytes, operation, options);
  } catch (cause) {
    throw otherFormat(bytes, cause);
  }
  try {
    return fromBinary(ModelProtoSchema, bytes, { recursionLimit: maxDepth });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(
      "protobuf",
      `${operation}: ${bytes.length} bytes: expected a model, got ${reason}`,
      {
        cause,
      },
    );
  }
}

/**
 * Checks the first bytes of a model that is still being unpacked: what {@link parseModel} would refuse in them, and a
 * graph that says it is larger than `maxBytes`.
 *
 * @throws FormatError `not-a-model`, `protobuf`, `limit`
 */
export function checkModelPrefix(
  prefix: Uint8Array,
  limits: ParseModelOptions & { readonly maxBytes: number },
): void {
  try {
    checkWirePrefix(ModelProtoSchema, prefix, operation, limits);
  } catch (cause) {
    throw otherFormat(prefix, cause);
  }
}

/** What bytes that were refused really are, where that can be told; otherwise the refusal. */
function otherFormat(bytes: Uint8Array, cause: unknown): unknown {
  const found = resemblance(bytes);
  return found === undefined || !(cause instanceof FormatError) ? cause : notAModel("byte 0", found, cause);
}

function notAModel(where: string, got: string, cause?: unknown): FormatError {
  return new FormatError("not-a-model", `${operation}: ${where}: expected an ONNX model, got ${got}`, {
    offset: 0,
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Reads a tensor file (`.pb`), as the operator test cases of the specification use, with the checks of
 * {@link parseModel}.
 *
 * @param bytes an encoded TensorProto
 * @returns the message, its `rawData` a view of `bytes`
 * @throws FormatError `truncated`, `protobuf`, `limit`, `shape`, `size`
 * @example
 * ```ts
 * const input = tensorFromProto(parseTensor(bytes));
 * ```
 */
export function parseTensor(bytes: Uint8Array): TensorProto {
  checkWire(TensorProtoSchema, bytes, "parseTensor");
  const tensor = fromBinary(TensorProtoSchema, bytes);
  checkTensor(tensor, "parseTensor");
  return tensor;
}
