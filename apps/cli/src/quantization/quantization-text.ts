import type { QuantizationPlan } from "@nasty/compression";
import type { QuantizationResult } from "./quantization-result.js";
import { formatBytes, formatCount, formatPercent, formatRatio, table } from "../terminal/format.js";
import { granularityText } from "./plan-quantization.js";

const worstShown = 5;

/** Reasons with how many nodes they hold for, most frequent first. */
function reasonLines(kept: readonly { readonly op: string; readonly reason: string }[]): string[] {
  const counts = new Map<string, number>();
  for (const { op, reason } of kept) {
    const line = `${op}: ${reason}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([line, count]) => `  ${formatCount(count)} × ${line}`);
}

/** What `--dry-run` prints. */
export function planText(plan: QuantizationPlan): string {
  return [
    `Plan: ${plan.mode}, ${formatCount(plan.tensors.length)} weights`,
    "",
    table(
      ["weight", "op", "shape", "as", "granularity", "read by"],
      plan.tensors.map((tensor) => [
        tensor.name,
        tensor.op,
        `[${tensor.shape.join(", ")}]`,
        tensor.dtype,
        granularityText(tensor.granularity),
        formatCount(tensor.sites.length),
      ]),
      ["left", "left", "left", "left", "left", "right"],
    ),
    ...(plan.keptInFloat.length === 0 ? [] : ["", "Left in float:", ...reasonLines(plan.keptInFloat)]),
    ...plan.warnings.map((warning) => `Note: ${warning}`),
  ].join("\n");
}

/** The result of `nasty quantize` for a person to read; MB = 10^6 bytes. */
export function quantizationText(result: QuantizationResult): string {
  const { output, audit, gate, tensors } = result;
  const worst = [...tensors]
    .filter(({ sqnrDb }) => sqnrDb !== null)
    .sort((a, b) => (a.sqnrDb ?? 0) - (b.sqnrDb ?? 0))
    .slice(0, worstShown);
  return [
    ...(output === null
      ? []
      : [
          `Wrote ${output.path}`,
          `  ${formatBytes(result.modelBytes)} -> ${formatBytes(output.bytes)} (${formatRatio(result.modelBytes / output.bytes)} smaller), sha256 ${output.sha256.slice(0, 16)}…`,
        ]),
    `  ${formatCount(tensors.length)} weights quantized (${result.mode}${result.method === "none" ? "" : `, ${result.method}`})`,
    `  runtime: ${audit.quantizedKernels} quantized matrix kernels, ${audit.floatMatMuls} float, ${audit.strayQdq} stray quantize/dequantize pairs`,
    ...(gate === null
      ? []
      : [
          `  gate: ${gate.metric} ${formatPercent(gate.original)} -> ${formatPercent(gate.quantized)}, loss ${(gate.loss * 100).toFixed(2)} of at most ${(gate.target * 100).toFixed(2)} points: passed`,
          `  ${formatCount(gate.flips)} words changed their label; 95% interval of the loss ${(gate.lossCi95[0] * 100).toFixed(2)} to ${(gate.lossCi95[1] * 100).toFixed(2)} points`,
          ...(gate.keptInFloat.length === 0
            ? []
            : [
                `  left in float to pass: ${gate.keptInFloat.join(", ")} (${formatCount(gate.attempts)} tried)`,
              ]),
        ]),
    ...(worst.length === 0
      ? []
      : [
          "",
          "Weights that lost most (signal-to-noise ratio):",
          table(
            ["weight", "op", "dB"],
            worst.map(({ name, op, sqnrDb }) => [name, op, (sqnrDb ?? 0).toFixed(1)]),
            ["left", "left", "right"],
          ),
        ]),
    ...(result.keptInFloat.length === 0 ? [] : ["", "Left in float:", ...reasonLines(result.keptInFloat)]),
    ...result.warnings.map((warning) => `Note: ${warning}`),
  ].join("\n");
}
