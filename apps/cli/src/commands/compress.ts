import { compressor } from "@nasty/compression";
import { loadModel } from "@nasty/workflow/models/load-model";
import { checkWritable } from "@nasty/workflow/files/output-path";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes, formatRatio } from "@nasty/workflow/report/format";

export interface CompressCommandOptions extends CommonOptions {
  readonly model: string;
  readonly method: "gzip" | "brotli";
  readonly level?: number;
  readonly output?: string;
}

/** `nasty compress`: a model file as `.onnx.gz` or `.onnx.br`, read back and compared before it is called done. */
export async function compress(
  { model: path, method, level, output }: CompressCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const { modelPath } = await loadModel(path);
  const target = output ?? `${modelPath}${method === "gzip" ? ".gz" : ".br"}`;
  await checkWritable("--output", target);
  terminal.progress.start(`compressing with ${method}`);
  const written = await compressor.compressFile(modelPath, {
    method,
    output: target,
    ...(level !== undefined && { level }),
  });
  terminal.progress.stop();
  const { bytes, sha256, originalBytes, ratio } = written;
  const result = {
    model: path,
    method,
    modelBytes: originalBytes,
    ratio,
    output: { path: target, bytes, sha256 },
  };
  terminal.result(
    result,
    () =>
      `Compressed: ${modelPath} → ${target}\n  ${formatBytes(originalBytes)} → ${formatBytes(bytes)} (${formatRatio(ratio)} smaller); every command reads it as it is`,
  );
}
