import { basename, dirname, join } from "node:path";
import { compressed, type WrittenFile, writeFileAtomic } from "../archive/node.js";
import { compressionOfName, uncompressedName } from "../archive/index.js";
import { FormatError } from "../format-error.js";
import { type ExternalLayout, externalReferences, layOutExternalData } from "./external-reference.js";
import type { ModelProto } from "./gen/onnx_pb.js";
import { checkExternalData } from "./read-external-data.js";
import { encodeModel } from "./serialize-model.js";

const operation = "writeModelFile";

/** Put weights into a second file beside the model: the only way beyond 2 GiB. */
export interface ExternalDataOptions {
  /** Initializers with at least this many bytes go to the data file; 1024 unless given. */
  readonly thresholdBytes?: number;
  /** Name of the data file, in the model's folder; the model's name with `.data` behind it unless given. */
  readonly location?: string;
}

/** Options of {@link writeModelFile}. */
export interface WriteModelOptions {
  readonly externalData?: ExternalDataOptions;
}

/** What was written. */
export interface WrittenModel extends WrittenFile {
  /** The data file, if one was written. */
  readonly externalData?: WrittenFile & { readonly path: string };
}

/**
 * Writes a model file, compressed if the name ends in `.gz` or `.br`.
 *
 * The file is replaced at once when all of it is on the disk; weights are not copied on the way. With `externalData`,
 * initializers go to one data file, each at a multiple of 4096 bytes; that file is put in place just before the model.
 * The same model and options give the same bytes.
 *
 * @param path the file to make or replace
 * @param model the model; not changed
 * @returns size in bytes and SHA-256 of the model file, and of the data file if there is one
 * @throws FormatError `limit` (2 GiB or more without external data), `unwritable`, `external-data` (a tensor refers to
 *   a file that is not beside the new one), `invalid-value` (an unusable location)
 * @example
 * ```ts
 * const { bytes, sha256 } = await writeModelFile("large.onnx", model, { externalData: { thresholdBytes: 4096 } });
 * ```
 */
export async function writeModelFile(
  path: string,
  model: ModelProto,
  { externalData }: WriteModelOptions = {},
): Promise<WrittenModel> {
  const location = externalData === undefined ? undefined : checkedLocation(path, externalData);
  await checkKeptReferences(path, model, location);
  const layout: ExternalLayout =
    location === undefined
      ? { chunks: [], replacements: new Map() }
      : layOutExternalData(model, location, externalData?.thresholdBytes ?? 1024);
  // Encoded before any file is touched: what cannot be encoded leaves no trace.
  const { parts } = encodeModel(operation, model, layout.replacements);
  const compression = compressionOfName(path);
  const chunks = compression === undefined ? parts : compressed(parts, compression);
  if (location === undefined || layout.replacements.size === 0) return writeFileAtomic(path, chunks);
  const dataPath = join(dirname(path), location);
  let data: WrittenFile | undefined;
  const written = await writeFileAtomic(
    path,
    withLast(chunks, async () => {
      data = await writeFileAtomic(dataPath, layout.chunks);
    }),
  );
  return { ...written, externalData: { ...(data as unknown as WrittenFile), path: dataPath } };
}

/**
 * The data file is put in place when the model's bytes are in their temporary file: a disk that is full by then has
 * changed neither of the two.
 */
async function* withLast(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  last: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  await last();
}

function checkedLocation(path: string, { location }: ExternalDataOptions): string {
  const own = basename(path);
  const name = location ?? `${uncompressedName(own)}.data`;
  const plain =
    name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name) && !/^[A-Za-z]:/.test(name);
  if (plain && name !== own) return name;
  throw new FormatError(
    "invalid-value",
    `${operation}: ${path}: externalData.location: expected the name of another file in the same folder, got ` +
      JSON.stringify(name),
    { path },
  );
}

/** A model that was parsed without loading its external data still refers to it: the new file must be able to. */
async function checkKeptReferences(
  path: string,
  model: ModelProto,
  location: string | undefined,
): Promise<void> {
  const references = externalReferences(model, operation);
  const clash = references.find((reference) => reference.location === location);
  if (clash !== undefined) {
    throw new FormatError(
      "external-data",
      `${operation}: ${clash.where}: location: expected a data file that the model does not refer to, got ` +
        `${JSON.stringify(clash.location)}; read the model with readModelFile to move its data`,
      { name: clash.tensor.name, path },
    );
  }
  await checkExternalData(references, dirname(path), operation);
}
