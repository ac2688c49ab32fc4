import { resolve } from "node:path";
import { compressor } from "@nasty/compression";
import type { Written } from "../files/candidate.js";
import { checkWritable } from "../files/output-path.js";
import { loadModel } from "../models/load-model.js";
import type { ModelLike } from "../models/model-like.js";
import { compressOperation } from "../operations/files.js";
import { type GivenBeside, perform } from "../perform.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";

/** A model file that was compressed. */
export interface CompressionResult {
  /** The model as it was named. */
  readonly model: string;
  /** The file that was compressed: of a Hugging Face directory its graph. */
  readonly modelPath: string;
  readonly method: "gzip" | "brotli";
  /** Bytes before. */
  readonly modelBytes: number;
  /** modelBytes / bytes. */
  readonly ratio: number;
  readonly output: Written;
  /** Of the compressed file, absolute: a model for every operation. */
  readonly path: string;
  readonly bytes: number;
  /** The file unpacks to what it was made of: anything else is an error. */
  readonly passed: true;
}

/**
 * Compresses a model file without loss; every operation reads the result as it is.
 *
 * @throws CompressionError `invalid-option` for a file that is compressed already, or an output whose name does not say
 *   how; UsageError for unknown or wrong options
 * @example
 * ```ts
 * const { path, ratio } = await compress("pos_int8.onnx", { method: "brotli" }); // pos_int8.onnx.br
 * ```
 */
export function compress(
  model: ModelLike,
  options: GivenBeside<typeof compressOperation.options, "model"> = {},
): Promise<CompressionResult> {
  return perform(compressOperation, { ...options, model }, runCompression);
}

/** {@link compress} from checked settings. */
export async function runCompression(
  { model, method, level, output }: SettingsOf<typeof compressOperation.options>,
  { progress, signal }: Reporter,
): Promise<CompressionResult> {
  const { modelPath } = await loadModel(model);
  const target = output ?? `${modelPath}${method === "gzip" ? ".gz" : ".br"}`;
  await checkWritable("--output", target);
  progress.start(`compressing with ${method}`);
  const { bytes, sha256, originalBytes, ratio } = await compressor.compressFile(modelPath, {
    method,
    output: target,
    signal,
    ...(level !== undefined && { level }),
  });
  progress.stop();
  return {
    model,
    modelPath,
    method,
    modelBytes: originalBytes,
    ratio,
    output: { path: target, bytes, sha256 },
    path: resolve(target),
    bytes,
    passed: true,
  };
}
