import { runCompression } from "@nasty/workflow/compressing";
import { formatBytes, formatRatio, resultDocument } from "@nasty/workflow/report";
import type { CommonOptions, Terminal } from "../terminal/console.js";

export type CompressCommandOptions = CommonOptions & Parameters<typeof runCompression>[0];

/** `nasty compress`: a model file as `.onnx.gz` or `.onnx.br`, read back and compared before it is called done. */
export async function compress(options: CompressCommandOptions, terminal: Terminal): Promise<void> {
  const { modelPath, ...result } = await runCompression(options, terminal);
  const { modelBytes, ratio, output } = result;
  terminal.result(
    resultDocument(result),
    () =>
      `Compressed: ${modelPath} → ${output.path}\n  ${formatBytes(modelBytes)} → ${formatBytes(output.bytes)} (${formatRatio(ratio)} smaller); every command reads the compressed file`,
  );
}
