import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type ReadFileOptions, readFileMaybeCompressed } from "../archive/node.js";
import { FormatError } from "../format-error.js";
import { structureLimit, unpackedModelLimit } from "../limits.js";
import { externalReferences } from "./external-reference.js";
import type { ModelProto } from "./gen/onnx_pb.js";
import { checkModelPrefix, parseModel } from "./parse-model.js";
import { maxModelBytes } from "./serialize-model.js";
import { loadExternalData } from "./read-external-data.js";

const operation = "readModelFile";

/** Options of {@link readModelFile}: who sees the bytes of an uncompressed file while it is read. */
export type ReadModelOptions = Pick<ReadFileOptions, "onBytes">;

/**
 * Reads a model file: `.onnx`, `.onnx.gz` or `.onnx.br`, with its external data.
 *
 * The file is read into one buffer and weights are views of it; each external tensor gets a buffer of its own and
 * becomes an ordinary one. External files must lie in the model's folder or below, and symbolic links may not lead out.
 *
 * @param path the file
 * @param options.onBytes sees the bytes of an uncompressed file, in order, each part while the next is read
 * @returns the model, complete
 * @throws FormatError as `parseModel` and `readFileMaybeCompressed`, and `external-data` for references that cannot be
 *   followed; `fields.path` is the file
 * @see ONNX 1.22, docs/ExternalData.md
 * @example
 * ```ts
 * const model = await readModelFile("model.onnx");
 * ```
 */
export async function readModelFile(path: string, { onBytes }: ReadModelOptions = {}): Promise<ModelProto> {
  const size = await checkedSize(path);
  const limits = { maxBytes: unpackedModelLimit(size), maxStructureBytes: structureLimit(size) };
  try {
    const bytes = await readFileMaybeCompressed(path, {
      maxBytes: limits.maxBytes,
      onBytes,
      inspect: (prefix) => checkModelPrefix(prefix, limits),
    });
    const model = parseModel(bytes, limits);
    await loadExternalData(externalReferences(model, operation), dirname(path), operation);
    return model;
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    const reason = cause.message.replace(/^\w+: /, "").replace(`${path}: `, "");
    throw new FormatError(cause.code, `${operation}: ${path}: ${reason}`, { ...cause.fields, path, cause });
  }
}

/** Before the file is read: a file of many gigabytes is no protobuf message, compressed or not. */
async function checkedSize(path: string): Promise<number> {
  // What cannot be asked cannot be read either, and the reader says why.
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size <= maxModelBytes) return size;
  throw new FormatError(
    "limit",
    `${operation}: ${path}: size: expected at most ${maxModelBytes} bytes, got ${size}; ` +
      "a larger model keeps its weights in external data",
    { path, expected: maxModelBytes, got: size },
  );
}
