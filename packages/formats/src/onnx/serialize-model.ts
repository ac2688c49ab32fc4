import { FormatError } from "../format-error.js";
import { type ModelProto, ModelProtoSchema } from "./gen/onnx_pb.js";
import { type EncodedMessage, encodeMessage, largeBytes, type Replacements } from "./message-parts.js";

/** Protobuf implementations refuse messages of 2 GiB and more. */
export const maxModelBytes = 2 ** 31 - 1;

const noReplacements: Replacements = new Map();

/**
 * Encodes a model into pieces to be written one after the other; weights are not copied, each `rawData` from 4 KiB on
 * is a piece itself.
 *
 * Fields are in order of their numbers and unknown fields after them, so the same model always gives the same bytes,
 * and a file that was written this way comes back byte for byte.
 *
 * @param model the model; not changed
 * @returns the bytes of an .onnx file in pieces
 * @throws FormatError `limit` when the file would be 2 GiB or larger: write it with external data instead
 * @see protobuf.dev/programming-guides/encoding
 * @example
 * ```ts
 * for (const chunk of modelChunks(model)) stream.write(chunk);
 * ```
 */
export function modelChunks(model: ModelProto): Iterable<Uint8Array> {
  return encodeModel("modelChunks", model, noReplacements).parts;
}

/**
 * Encodes a model as the bytes of an .onnx file; weights are copied once.
 *
 * @param model the model; not changed
 * @returns the whole file
 * @throws FormatError `limit` when the file would be 2 GiB or larger: write it with external data instead
 * @example
 * ```ts
 * const bytes = serializeModel(model);
 * ```
 */
export function serializeModel(model: ModelProto): Uint8Array {
  return concat(encodeModel("serializeModel", model, noReplacements).parts);
}

/** Encodes a model with some tensors replaced, for writers that put data elsewhere. */
export function encodeModel(
  operation: string,
  model: ModelProto,
  replacements: Replacements,
): EncodedMessage {
  const encoded = encodeMessage(ModelProtoSchema, model, replacements);
  if (encoded.size <= maxModelBytes) return { size: encoded.size, parts: joinSmall(encoded.parts) };
  throw new FormatError(
    "limit",
    `${operation}: model: size: expected at most ${maxModelBytes} bytes in one file, got ${encoded.size}; ` +
      "write the weights as external data (writeModelFile with externalData)",
    { expected: maxModelBytes, got: encoded.size },
  );
}

/** Tags and lengths are parts of a few bytes: neighbours are joined, large ones stay the arrays that they are. */
function joinSmall(parts: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  const flush = (): void => {
    if (run.length === 1) joined.push(run[0] as Uint8Array);
    else if (run.length > 1) joined.push(concat(run));
    run = [];
  };
  for (const part of parts) {
    if (part.length < largeBytes) {
      run.push(part);
    } else {
      flush();
      joined.push(part);
    }
  }
  flush();
  return joined;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
