import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { compressionOfName, gunzip, isGzip } from "@nasty/formats/archive";
import { compressed, readChunks, unbrotli, writeFileAtomic } from "@nasty/formats/archive/node";
import { type ModelProto, modelChunks, parseModel, tensorsOf } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { CompressionError } from "../compression-error.js";

export interface CompressOptions {
  /** `gzip` (default) is read everywhere; `brotli` is smaller and slower to write. */
  readonly method?: "gzip" | "brotli";
  /** gzip 0 to 9, brotli 0 to 11; default 9. */
  readonly level?: number;
}

export interface CompressFileOptions extends CompressOptions {
  /** Where to write; the input's path with `.gz` or `.br` unless given. */
  readonly output?: string;
  /** Ends the work with its reason; a file that stood at the output's name is untouched then. */
  readonly signal?: AbortSignal | undefined;
}

export interface CompressedFile {
  readonly path: string;
  readonly method: "gzip" | "brotli";
  readonly bytes: number;
  readonly sha256: string;
  /** Bytes before, data files of the weights included. */
  readonly originalBytes: number;
  /** originalBytes / bytes. */
  readonly ratio: number;
}

const suffixes = { gzip: ".gz", brotli: ".br" } as const;

function checked(operation: string, { method = "gzip", level = 9 }: CompressOptions) {
  if (!Object.hasOwn(suffixes, method)) {
    throw new CompressionError(
      "invalid-option",
      `${operation}: method: expected gzip or brotli, got ${String(method)}`,
    );
  }
  const most = method === "gzip" ? 9 : 11;
  if (!Number.isInteger(level) || level < 0 || level > most) {
    throw new CompressionError(
      "invalid-option",
      `${operation}: level: expected a whole number from 0 to ${most} for ${method}, got ${String(level)}`,
    );
  }
  return { method, level };
}

/**
 * Compresses a model, or bytes of one, without loss.
 *
 * @param model a model, or the bytes of a model file
 * @returns the bytes of a `.onnx.gz` or `.onnx.br` file; equal for equal input, method and level
 * @throws CompressionError `invalid-option` for a method, a level, or bytes that are gzip already
 * @example const bytes = await compressor.compress(await int8.quantize(model, options), { method: "gzip" })
 */
export async function compress(
  model: ModelProto | Uint8Array,
  options: CompressOptions = {},
): Promise<Uint8Array> {
  const { method, level } = checked("compressor.compress", options);
  if (model instanceof Uint8Array && isGzip(model)) {
    throw new CompressionError(
      "invalid-option",
      "compressor.compress: bytes: expected a model that is not compressed, got gzip",
    );
  }
  const chunks = model instanceof Uint8Array ? [model] : modelChunks(model);
  const parts: Uint8Array[] = [];
  for await (const part of compressed(chunks, method, { level })) {
    parts.push(part);
  }
  const whole = Buffer.concat(parts);
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.length);
}

/**
 * Undoes {@link compress}.
 *
 * @param method `brotli` has no mark of its own and must be named; gzip is recognised
 * @throws FormatError `compression` (damaged), `magic` (not gzip), `limit` (more than 2 GiB)
 */
export function decompress(bytes: Uint8Array, method: "gzip" | "brotli" = "gzip"): Promise<Uint8Array> {
  return method === "brotli" ? unbrotli(bytes) : gunzip(bytes);
}

/**
 * Compresses a model file; every reader of `@nasty/formats/onnx/node` opens the result as it is.
 *
 * The file is checked to be a model, written atomically, and read back: it unpacks to the bytes of the input. Weights
 * in data files beside the model (external data) go into the one file.
 *
 * @throws CompressionError `invalid-option` for a file that is compressed already; FormatError for one that is no
 *   model; the signal's reason
 * @example await compressor.compressFile("tagger_int8.onnx", { method: "brotli" }) // { path: "tagger_int8.onnx.br",
 *   ratio: 1.3, … }
 */
export async function compressFile(path: string, options: CompressFileOptions = {}): Promise<CompressedFile> {
  const { method, level } = checked("compressor.compressFile", options);
  const model = await readModelFile(path);
  const raw = await readFile(path);
  if (isGzip(raw) || compressionOfName(path) !== undefined) {
    throw new CompressionError(
      "invalid-option",
      `compressor.compressFile: ${path}: expected a model file that is not compressed, got ${compressionOfName(path) ?? "gzip"}`,
    );
  }
  const isWhole = [...tensorsOf(parseModel(raw))].every(({ tensor }) => tensor.externalData.length === 0);
  const chunks = isWhole ? [raw] : [...modelChunks(model)];
  const originalBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const output = options.output ?? `${path}${suffixes[method]}`;
  if (compressionOfName(output) !== method) {
    throw new CompressionError(
      "invalid-option",
      `compressor.compressFile: output: ${output}: expected a name that ends in ${suffixes[method]}, by which ${method} is read`,
    );
  }
  const { bytes, sha256 } = await writeFileAtomic(
    output,
    untilAborted(compressed(chunks, method, { level }), options.signal),
  );
  if ((await hashOf(readChunks(output))) !== (await hashOf(chunks))) {
    throw new Error(`compressor.compressFile: ${output}: expected the bytes of ${path} back, got others`);
  }
  return { path: output, method, bytes, sha256, originalBytes, ratio: originalBytes / bytes };
}

/** The parts of a file that is being made, until nobody wants it any more. */
async function* untilAborted(
  parts: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const part of parts) {
    signal?.throwIfAborted();
    yield part;
  }
  signal?.throwIfAborted();
}

async function hashOf(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) {
    hash.update(chunk);
  }
  return hash.digest("hex");
}

/** Compression of model files, which every reader here undoes by itself. */
export const compressor = { compress, decompress, compressFile } as const;
