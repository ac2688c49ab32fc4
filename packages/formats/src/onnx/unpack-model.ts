import { unpacked } from "../archive/unpacked.js";
import { FormatError } from "../format-error.js";
import { structureLimit, unpackedModelLimit } from "../limits.js";
import { attachExternalData } from "./attach-external-data.js";
import { externalReferences } from "./external-reference.js";
import type { ModelProto } from "./gen/onnx_pb.js";
import { checkModelPrefix, parseModel } from "./parse-model.js";

const operation = "unpackModel";

/** Where the bytes of a model file came from. */
export interface UnpackModelOptions {
  /** The file's name or address: for messages, and `.br` says that it is brotli. */
  readonly name?: string;
  /**
   * Reads a file beside the model, by the name that the model says: for external data. Without it a model that has some
   * is refused.
   */
  readonly beside?: ((location: string) => Promise<Uint8Array>) | undefined;
}

/** A model that was unpacked. */
export interface UnpackedModel {
  readonly model: ModelProto;
  /** The `.onnx` file itself, without its external data; weights of the model are views of it. */
  readonly bytes: Uint8Array;
}

/**
 * Reads the bytes of a model file as `readModelFile` reads a file: gzip by its first bytes, brotli by the name; in a
 * browser and in Node.
 *
 * @throws FormatError as `parseModel`, `compression`, `limit`, `external-data`; the message names the file
 * @example
 * ```ts
 * const { model } = await unpackModel(new Uint8Array(await file.arrayBuffer()), { name: file.name });
 * ```
 */
export async function unpackModel(
  file: Uint8Array,
  { name = "model bytes", beside }: UnpackModelOptions = {},
): Promise<UnpackedModel> {
  const limits = {
    maxBytes: unpackedModelLimit(file.length),
    maxStructureBytes: structureLimit(file.length),
  };
  try {
    const bytes = await unpacked(file, {
      name,
      maxBytes: limits.maxBytes,
      inspect: (prefix) => checkModelPrefix(prefix, limits),
    });
    const model = parseModel(bytes, limits);
    await attachExternalData(externalReferences(model, operation), beside, operation);
    return { model, bytes };
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    const reason = cause.message.replace(/^\w+: /, "").replace(`${name}: `, "");
    throw new FormatError(cause.code, `${operation}: ${name}: ${reason}`, {
      ...cause.fields,
      path: name,
      cause,
    });
  }
}
