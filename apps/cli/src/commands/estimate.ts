import { type EstimateResult, runEstimate } from "@nasty/workflow/estimate";
import { formatBytes, formatCount, formatRatio } from "@nasty/workflow/report";
import type { CommonOptions, Terminal } from "../terminal/console.js";

interface EstimateOptions extends CommonOptions {
  readonly model: string;
}

/** `nasty quantize estimate`: sizes that quantization would give, without doing it. */
export async function estimateSizes(options: EstimateOptions, terminal: Terminal): Promise<void> {
  const { result, precision } = await runEstimate(options);
  terminal.result(result, () => estimateText(result, precision));
}

/** In the layout of the quantization guide; MB = 10^6 bytes. */
function estimateText({ model, parameters, memory, sizes }: EstimateResult, precision: string): string {
  const saved = 1 - memory.int8.bytes / memory.float32.bytes;
  return [
    `Model: ${model}`,
    `Parameters: ${formatCount(parameters)}`,
    "",
    "Estimated sizes:",
    `  ${precision} (current): ${formatBytes(sizes.float32.bytes)}`,
    `  INT8: ${formatBytes(sizes.int8.bytes)} (${formatRatio(sizes.int8.ratio)} smaller)`,
    `  INT4: ${formatBytes(sizes.int4.bytes)} (${formatRatio(sizes.int4.ratio)} smaller; a size feature, not a speed feature)`,
    "",
    "Memory usage:",
    `  Float32: ~${formatBytes(memory.float32.bytes)} (with activations)`,
    `  INT8: ~${formatBytes(memory.int8.bytes)} (${(saved * 100).toFixed(0)}% reduction)`,
    "",
    "Other modes:",
    `  static INT8: ${formatBytes(sizes.static.bytes)} (${formatRatio(sizes.static.ratio)} smaller)`,
    `  8-bit weights only: ${formatBytes(sizes.weightOnly.bytes)} (${formatRatio(sizes.weightOnly.ratio)} smaller)`,
    "",
    "MB = 1,000,000 bytes.",
  ].join("\n");
}
